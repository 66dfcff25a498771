"""The chronometric curve: reaction time against contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cingulum.figures.inputs import Floats, Values, same_length
from cingulum.figures.marks import SHAPES
from cingulum.figures.panel import Panel
from cingulum.figures.psychometric import contrast_ticks
from cingulum.figures.scales import Chosen, Linear
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import SERIES
from cingulum.figures.wording import counted, rounded, written


@dataclass(frozen=True, slots=True)
class ChronometricSeries:
    """Reaction times of one condition: arrays (n,), one value per signed contrast (percent, right positive).

    `median_s` with its spread from `low_s` to `high_s` in s, over `n_trials` trials. An unknown spread is NaN:
    the point then has no bar. Contrasts without trials are left out.
    """

    label: str
    contrast_pct: Values
    median_s: Values
    low_s: Values
    high_s: Values
    n_trials: Values


@dataclass(frozen=True, slots=True)
class _ChronometricArrays:
    contrast: Floats
    median: Floats
    low: Floats
    high: Floats
    trials: Floats


def chronometric_curve(
    series: Sequence[ChronometricSeries],
    *,
    spread: str = "quartiles",
    title: str = "Chronometric curve",
    theme: str = "light",
    width_px: int = 640,
) -> Figure:
    """Draw the median reaction time against signed contrast, with bars; `spread` names their meaning.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> series = ChronometricSeries("all", [-100, 0], [0.31, 0.78], [0.25, 0.5], [0.4, 1.2], [40, 42])
    >>> chronometric_curve([series]).description
    'Median reaction time against signed contrast. all: 82 trials, from 0.31 s at −100 % to 0.78 s at 0 %.'
    """
    parsed = [_read(curve) for curve in series]
    total = int(sum(data.trials.sum() for data in parsed))
    table = _table(title, series, parsed, spread)
    sheet = Sheet(title, f"n = {counted(total, 'trial')}", theme, width_px)
    if total == 0:
        sheet.empty("No reaction times yet")
        return sheet.finished("No reaction times yet.", table)
    limit = max(1.0, *(float(np.abs(data.contrast).max()) for data in parsed if len(data.contrast)))
    tops = np.concatenate([[0.0], *(values for data in parsed for values in (data.median, data.high))])
    panel = Panel(
        sheet,
        Chosen(-1.06 * limit, 1.06 * limit, contrast_ticks([data.contrast for data in parsed], limit)),
        Linear(0.0, max(1.08 * float(np.nanmax(tops)), 1e-3)),
        x_label="Signed contrast (%), right positive",
        y_label="Reaction time (s)",
        height_px=min(max(0.42 * width_px, 190), 280),
    )
    for n, (curve, data) in enumerate(zip(series, parsed, strict=True)):
        role, shape = SERIES[n % len(SERIES)], SHAPES[n % len(SHAPES)]
        at = data.contrast + (n - (len(parsed) - 1) / 2) * 0.016 * limit
        panel.line(at, data.median, role, label=curve.label, shape=shape)
        panel.points(at, data.median, role, shape=shape, titles=_tips(curve.label, data), same_label=True)
        panel.error_bars(at, data.low, data.high, role)
    panel.close()
    sheet.note(f"Points: medians, bars: {spread}.")
    description = " ".join(
        _describe(curve.label, data) for curve, data in zip(series, parsed, strict=True) if len(data.trials)
    )
    return sheet.finished(f"Median reaction time against signed contrast. {description}", table)


def _read(curve: ChronometricSeries) -> _ChronometricArrays:
    arrays = (curve.contrast_pct, curve.median_s, curve.low_s, curve.high_s, curve.n_trials)
    contrast, median, low, high, trials = same_length(curve.label, *arrays)
    known = np.isfinite(contrast) & (median >= 0) & (trials >= 1)
    order = np.flatnonzero(known)[np.argsort(contrast[known], kind="stable")]
    low, high = (np.where((low >= 0) & (low <= high), side, np.nan) for side in (low, high))
    return _ChronometricArrays(contrast[order], median[order], low[order], high[order], trials[order])


def _tips(label: str, data: _ChronometricArrays) -> tuple[str, ...]:
    rows = zip(data.contrast, data.median, data.trials, strict=True)
    return tuple(f"{label}: contrast {rounded(c)} %, {written(m, 2)} s, n = {int(n)}" for c, m, n in rows)


def _describe(label: str, data: _ChronometricArrays) -> str:
    fast, slow = int(np.argmin(data.median)), int(np.argmax(data.median))
    ends = [f"{rounded(data.median[k])} s at {rounded(data.contrast[k])} %" for k in (fast, slow)]
    return f"{label}: {counted(int(data.trials.sum()), 'trial')}, from {ends[0]} to {ends[1]}."


def _table(
    title: str, series: Sequence[ChronometricSeries], parsed: Sequence[_ChronometricArrays], spread: str
) -> Table:
    columns = ("series", "contrast (%)", "median (s)", f"{spread} from (s)", "to (s)", "trials")
    rows: list[tuple[Cell, ...]] = []
    for curve, data in zip(series, parsed, strict=True):
        numbers = (data.contrast, data.median, data.low, data.high, data.trials)
        rows += [(curve.label, *(float(value) for value in row)) for row in zip(*numbers, strict=True)]
    return Table(title, columns, tuple(rows))
