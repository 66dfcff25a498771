"""Heat map of choices by day and contrast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cingulum.figures.inputs import (
    Floats,
    Moment,
    UnequalLengthsError,
    Values,
    days_since_epoch,
    floats,
)
from cingulum.figures.panel import Panel
from cingulum.figures.scales import Chosen, Days, Tick, padded_days
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import Theme, mix
from cingulum.figures.wording import counted, day_name, rounded, wall_clock, written, years

_RAMP_STEPS = 32


@dataclass(frozen=True, slots=True)
class ContrastByDay:
    """P(right) and trials per day and signed contrast (percent): arrays (n_days, n_contrasts).

    Cells without trials, or with an unknown share, stay blank.
    """

    days: Sequence[Moment]
    contrast_pct: Values
    p_right: ArrayLike
    n_trials: ArrayLike


def contrast_by_day(
    record: ContrastByDay,
    *,
    title: str = "Choices by contrast and day",
    theme: str = "light",
    width_px: int = 640,
) -> Figure:
    """Draw a heat map of P(right): a column per day, a row per contrast.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> from datetime import date
    >>> record = ContrastByDay([date(2020, 8, 24)], [-100, 100], [[0.1, 0.9]], [[40, 42]])
    >>> contrast_by_day(record).description
    'P(right) by day and signed contrast: 1 day, 2 contrasts, 82 trials.'
    """
    choices = _Choices.of(record)
    table = _heat_table(title, record, choices)
    total = int(choices.trials[choices.known].sum())
    n_days = int(choices.has_any.sum())
    sheet = Sheet(title, f"n = {counted(total, 'trial')} on {counted(n_days, 'day')}", theme, width_px)
    if n_days == 0:
        sheet.empty("No trials with a choice yet")
        return sheet.finished("No trials with a choice yet.", table)
    x = Days(*padded_days(choices.days[choices.has_any]))
    shown = choices.shown
    ticks = tuple(Tick(float(row), rounded(float(choices.contrasts[c]))) for row, c in enumerate(shown))
    panel = Panel(
        sheet,
        x,
        Chosen(-0.5, len(shown) - 0.5, ticks),
        x_label=f"Day ({years(x.low, x.high)})",
        y_label="Signed contrast (%), right positive",
        height_px=max(18.0 * len(shown), 60.0),
        grid=False,
    )
    _draw_cells(panel, choices)
    panel.dots(*choices.blanks, "muted")
    panel.close()
    shades = [_diverging(sheet.theme, step / (_RAMP_STEPS - 1)) for step in range(_RAMP_STEPS)]
    sheet.ramp("P(choose right)", "0", "1", shades)
    if len(choices.blanks[0]):
        sheet.note("Dots: contrast not shown on that day.")
    counts = f"{counted(n_days, 'day')}, {counted(len(shown), 'contrast')}, {counted(total, 'trial')}"
    return sheet.finished(f"P(right) by day and signed contrast: {counts}.", table)


@dataclass(frozen=True, slots=True)
class _Choices:
    """P(right) and trials per day and contrast, arrays (n_days, n_contrasts), and which cells are known.

    shown    (n_shown,) columns of the contrasts with any known cell, ascending by contrast
    has_any  (n_days,) whether the day has any known cell
    """

    days: Floats
    contrasts: Floats
    p_right: Floats
    trials: Floats
    known: NDArray[np.bool_]
    shown: NDArray[np.intp]
    has_any: NDArray[np.bool_]

    @classmethod
    def of(cls, record: ContrastByDay) -> Self:
        days, contrasts = days_since_epoch(record.days), floats(record.contrast_pct)
        p_right, trials = _grid(record.p_right, days, contrasts), _grid(record.n_trials, days, contrasts)
        known = (p_right >= 0) & (p_right <= 1) & (trials >= 1) & np.isfinite(contrasts)
        used = known.any(axis=0)
        shown = np.flatnonzero(used)[np.argsort(contrasts[used], kind="stable")]
        return cls(days, contrasts, p_right, trials, known, shown, np.asarray(known.any(axis=1)))

    @property
    def blanks(self) -> tuple[Floats, Floats]:
        """Day and row of the cells of shown contrasts that are not known."""
        of_day, rows = np.nonzero(~self.known[:, self.shown])
        return np.floor(self.days[of_day]), rows.astype(np.float64)


def _draw_cells(panel: Panel, choices: _Choices) -> None:
    for row, c in enumerate(choices.shown):
        contrast = rounded(float(choices.contrasts[c]))
        for d in np.flatnonzero(choices.known[:, c]):
            p, day = float(choices.p_right[d, c]), float(np.floor(choices.days[d]))
            tip = f"{day_name(day)}, {contrast} %: {written(p, 2)} (n = {int(choices.trials[d, c])})"
            shade = _diverging(panel.theme, p)
            panel.cell((day - 0.5, day + 0.5), (row - 0.5, row + 0.5), shade, title=tip)


def _diverging(theme: Theme, share: float) -> str:
    low, middle, high = theme.diverging
    return mix(low, middle, 2 * share) if share < 0.5 else mix(middle, high, 2 * share - 1)


def _grid(values: ArrayLike, days: Floats, contrasts: Floats) -> Floats:
    grid = np.asarray(values, dtype=np.float64)
    expected = (len(days), len(contrasts))
    if grid.size == 0 and 0 in expected:
        return np.zeros(expected)
    if grid.shape != expected:
        raise UnequalLengthsError(
            f"contrast by day: shape {grid.shape} for {expected[0]} days, {expected[1]} contrasts"
        )
    return floats(grid).reshape(expected)


def _heat_table(title: str, record: ContrastByDay, choices: _Choices) -> Table:
    names = (f"P(right) at {rounded(float(c))} %" if np.isfinite(c) else "–" for c in choices.contrasts)
    p_right = np.where(choices.known, choices.p_right, np.nan)
    rows: list[tuple[Cell, ...]] = [
        (wall_clock(day), *(float(p) for p in shares))
        for day, shares in zip(record.days, p_right, strict=True)
    ]
    return Table(title, ("day", *names), tuple(rows))
