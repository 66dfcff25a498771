"""Figures of a session's behaviour, from what was computed of it."""

from __future__ import annotations

from cingulum import figures
from cingulum.analysis.psychometric import PsychometricCurve
from cingulum.analysis.session import Behaviour


def draw_psychometric(behaviour: Behaviour, theme: str) -> figures.Figure:
    """Choices by contrast, in blocks if there are any."""
    curves = behaviour.psychometric_by_block or (behaviour.psychometric,)
    return figures.psychometric_curve([_series(curve) for curve in curves], theme=theme)


def _series(curve: PsychometricCurve) -> figures.PsychometricSeries:
    fit = figures.PsychometricFit(*curve.fit.parameters) if curve.fit else None
    return figures.PsychometricSeries(
        label="all trials" if curve.block is None else f"P(left) = {curve.block:g}",
        contrast_pct=curve.contrasts_percent,
        n_right=curve.n_right,
        n_trials=curve.n_trials,
        fit=fit,
    )


def draw_chronometry(behaviour: Behaviour, theme: str) -> figures.Figure:
    """Reaction times by contrast."""
    times = behaviour.chronometry
    series = figures.ChronometricSeries(
        label="all trials",
        contrast_pct=times.contrasts_percent,
        median_s=times.median_s,
        low_s=times.lower_quartile_s,
        high_s=times.upper_quartile_s,
        n_trials=times.n_trials,
    )
    return figures.chronometric_curve([series], theme=theme)
