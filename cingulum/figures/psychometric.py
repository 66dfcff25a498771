"""The psychometric curve: choices against contrast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cingulum.figures.inputs import Floats, Values, floats, same_length
from cingulum.figures.marks import SHAPES
from cingulum.figures.panel import Panel
from cingulum.figures.scales import Chosen, Tick
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import SERIES
from cingulum.figures.wording import counted, rounded, written

_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class PsychometricFit:
    """P(right|c) = lapse_low + (1 − lapse_low − lapse_high)·(1 + erf((c − bias)/threshold))/2, c in percent.

    Contrast is signed, right positive; `lapse_low` is the curve's floor (lapses on the left), `lapse_high`
    the distance of its ceiling from 1 (on the right).
    Source: the usual fit of two-alternative choices, e.g. IBL eLife 2021.
    """

    bias_pct: float
    threshold_pct: float
    lapse_low: float
    lapse_high: float

    @property
    def known(self) -> bool:
        """Whether these parameters define a curve: finite, threshold above 0, lapses that sum to less than 1.

        >>> PsychometricFit(0.0, float("nan"), 0.1, 0.1).known
        False
        """
        numbers = floats([self.bias_pct, self.threshold_pct, self.lapse_low, self.lapse_high])
        lapses = (self.lapse_low, self.lapse_high, self.lapse_low + self.lapse_high)
        return bool(
            np.isfinite(numbers).all()
            and self.threshold_pct > 1e-9
            and all(0 <= lapse <= 1 for lapse in lapses)
        )

    def p_right(self, contrast_pct: Floats) -> Floats:
        """Evaluate the curve; all NaN where it is not known.

        >>> PsychometricFit(0.0, 20.0, 0.1, 0.1).p_right(np.array([-100.0, 0.0, 100.0])).round(3)
        array([0.1, 0.5, 0.9])
        """
        if not self.known:
            return np.full(len(contrast_pct), np.nan)
        steps = (contrast_pct - self.bias_pct) / self.threshold_pct
        share = np.array([(1 + math.erf(step)) / 2 for step in steps])
        return self.lapse_low + (1 - self.lapse_low - self.lapse_high) * share


@dataclass(frozen=True, slots=True)
class PsychometricSeries:
    """One curve: at each signed contrast (percent, right positive) rightward choices and all choices.

    The three arrays are (n,); contrasts never shown have `n_trials` 0 and are left out. `fit` may be missing.
    """

    label: str
    contrast_pct: Values
    n_right: Values
    n_trials: Values
    fit: PsychometricFit | None = None


# A good fit misses one 95 % interval in twenty; one that misses more gets a note.
FEWEST_MISSES, MISSED_SHARE = 2, 1 / 3


@dataclass(frozen=True, slots=True)
class _PsychometricArrays:
    contrast: Floats
    p_right: Floats
    low: Floats
    high: Floats
    right: Floats
    trials: Floats


def wilson_interval(n_right: Values, n_trials: Values) -> tuple[Floats, Floats]:
    """Give the 95 % interval of a share by Wilson's score; unlike the normal one it stays within 0 and 1.

    NaN where `n_trials` is below 1. Source: Wilson 1927, J. Am. Stat. Assoc. 22:209.
    >>> [side.round(3).tolist() for side in wilson_interval([5, 10], [10, 10])]
    [[0.237, 0.722], [0.763, 1.0]]
    """
    right, n = floats(n_right), floats(n_trials)
    n = np.where(n >= 1, n, np.nan)
    share = np.clip(right / n, 0.0, 1.0)
    middle = (share + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def psychometric_curve(
    series: Sequence[PsychometricSeries],
    *,
    title: str = "Psychometric curve",
    theme: str = "light",
    width_px: int = 640,
) -> Figure:
    """Draw P(right) against signed contrast with 95 % intervals, and the fitted curves.

    Up to six series, e.g. one per block. Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> fit = PsychometricFit(2.0, 18.0, 0.05, 0.08)
    >>> series = PsychometricSeries("all", [-100, 0, 100], [2, 21, 37], [40, 40, 40], fit)
    >>> psychometric_curve([series]).description
    'P(right) against signed contrast. all: 120 trials, bias 2 %, threshold 18 %, lapses 0.05 and 0.08.'
    """
    parsed = [_read(curve) for curve in series]
    total = int(sum(data.trials.sum() for data in parsed))
    sheet = Sheet(title, _subtitle(series, total), theme, width_px)
    description = " ".join(
        _describe(curve, data) for curve, data in zip(series, parsed, strict=True) if len(data.trials)
    )
    if total == 0:
        sheet.empty("No trials with a choice yet")
        return sheet.finished("No trials with a choice yet.", _table(title, series, parsed))
    limit = max(1.0, *(float(np.abs(data.contrast).max()) for data in parsed if len(data.contrast)))
    panel = Panel(
        sheet,
        Chosen(-1.06 * limit, 1.06 * limit, contrast_ticks([data.contrast for data in parsed], limit)),
        Chosen(-0.02, 1.02, tuple(Tick(p, written(p, 2)) for p in (0, 0.25, 0.5, 0.75, 1))),
        x_label="Signed contrast (%), right positive",
        y_label="P(choose right)",
        height_px=min(max(0.5 * width_px, 200), 320),
    )
    middle = panel.px(np.zeros(2)), panel.py(np.array([0.0, 1.0]))
    panel.keep_clear(np.column_stack(middle))
    for n, (curve, data) in enumerate(zip(series, parsed, strict=True)):
        # Intervals of several series at one contrast would hide each other, so they are drawn a little apart.
        _draw(panel, curve, data, n, limit, dodge=(n - (len(parsed) - 1) / 2) * 0.016 * limit)
    panel.close()
    curves = "; curves: maximum-likelihood fits" if any(curve.fit for curve in series) else ""
    sheet.note(f"Points: share of rightward choices, bars: 95 % interval (Wilson){curves}.")
    doubts = [_missed(curve, data) for curve, data in zip(series, parsed, strict=True)]
    for doubt in filter(None, doubts):
        sheet.note(doubt)
    description = " ".join(filter(None, (description, *doubts)))
    return sheet.finished(f"P(right) against signed contrast. {description}", _table(title, series, parsed))


def _read(curve: PsychometricSeries) -> _PsychometricArrays:
    contrast, right, trials = same_length(curve.label, curve.contrast_pct, curve.n_right, curve.n_trials)
    known = np.isfinite(contrast) & np.isfinite(right) & (trials >= 1)
    known[known] &= (right[known] >= 0) & (right[known] <= trials[known])
    order = np.argsort(contrast[known], kind="stable")
    contrast, right, trials = (values[known][order] for values in (contrast, right, trials))
    low, high = wilson_interval(right, trials)
    return _PsychometricArrays(contrast, right / trials, low, high, right, trials)


def _draw(
    panel: Panel, series: PsychometricSeries, data: _PsychometricArrays, n: int, limit: float, *, dodge: float
) -> None:
    role = SERIES[n % len(SERIES)]
    label = series.label
    if series.fit is not None:
        across = np.linspace(-limit, limit, 201)
        curve = series.fit.p_right(across)
        panel.line(across, curve, role, label=label, shape=SHAPES[n % len(SHAPES)])
        label = "" if np.isfinite(curve).any() else label
    tips = tuple(
        f"{series.label}: contrast {rounded(c)} %, {int(r)} of {int(t)} to the right ({written(r / t, 2)})"
        for c, r, t in zip(data.contrast, data.right, data.trials, strict=True)
    )
    shape = SHAPES[n % len(SHAPES)]
    panel.points(
        data.contrast + dodge, data.p_right, role, shape=shape, titles=tips, label=label, same_label=not label
    )
    panel.error_bars(data.contrast + dodge, data.low, data.high, role)


def contrast_ticks(contrasts: Sequence[Floats], limit: float) -> tuple[Tick, ...]:
    """Mark every contrast shown; label 0, then from the highest down as long as there is space.

    >>> [tick.label for tick in contrast_ticks([np.array([-100.0, -6.0, 0.0, 6.0, 100.0])], 100.0)]
    ['−100', '', '0', '', '100']
    """
    shown = sorted({float(c) for some in contrasts for c in some}, key=lambda c: (c != 0, -abs(c)))
    labelled: list[float] = []
    for contrast in shown:
        if all(abs(contrast - other) >= 0.22 * limit for other in labelled):
            labelled.append(contrast)
    return tuple(Tick(c, rounded(c) if c in labelled else "") for c in sorted(shown))


def _subtitle(series: Sequence[PsychometricSeries], total: int) -> str:
    if len(series) == 1 and series[0].fit is not None:
        return f"n = {counted(total, 'trial')} · {_parameters(series[0].fit)}"
    return f"n = {counted(total, 'trial')}"


def _parameters(fit: PsychometricFit) -> str:
    if not fit.known:
        return "no fit"
    lapses = f"lapses {written(fit.lapse_low, 2)} and {written(fit.lapse_high, 2)}"
    return f"bias {rounded(fit.bias_pct)} %, threshold {rounded(fit.threshold_pct)} %, {lapses}"


def _describe(curve: PsychometricSeries, data: _PsychometricArrays) -> str:
    fitted = f", {_parameters(curve.fit)}" if curve.fit is not None else ""
    return f"{curve.label}: {counted(int(data.trials.sum()), 'trial')}{fitted}."


def _missed(series: PsychometricSeries, data: _PsychometricArrays) -> str:
    """A note if the fit misses many intervals: bounds may keep it from describing the choices."""
    if series.fit is None or not series.fit.known:
        return ""
    curve = series.fit.p_right(data.contrast)
    misses = int(((curve < data.low) | (curve > data.high)).sum())
    if misses < FEWEST_MISSES or misses <= len(data.contrast) * MISSED_SHARE:
        return ""
    return f"{series.label}: the fit misses the interval at {misses} of {len(data.contrast)} contrasts."


def _table(title: str, series: Sequence[PsychometricSeries], parsed: Sequence[_PsychometricArrays]) -> Table:
    columns = ("series", "contrast (%)", "rightward", "trials", "P(right)", "95 % from", "to", "fit")
    rows: list[tuple[Cell, ...]] = []
    for curve, data in zip(series, parsed, strict=True):
        fit = curve.fit.p_right(data.contrast) if curve.fit else np.full(len(data.contrast), np.nan)
        numbers = (data.contrast, data.right, data.trials, data.p_right, data.low, data.high, fit)
        rows += [(curve.label, *(float(v) for v in row)) for row in zip(*numbers, strict=True)]
    return Table(title, columns, tuple(rows))
