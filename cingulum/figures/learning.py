"""Learning curves: performance by day with criteria, and choices by contrast and day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cingulum.figures.frame import Event
from cingulum.figures.inputs import (
    Floats,
    Moment,
    UnequalLengthsError,
    Values,
    days_since_epoch,
    floats,
    same_length,
)
from cingulum.figures.panel import Panel
from cingulum.figures.psychometric import wilson_interval
from cingulum.figures.scales import Chosen, Days, Tick, padded_days
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.themes import Theme, mix
from cingulum.figures.wording import counted, day_name, rounded, wall_clock, written, years

_RAMP_STEPS = 32


@dataclass(frozen=True, slots=True)
class Criterion:
    """A line that performance must reach: a fraction from 0 to 1, with the name of the status it leads to."""

    label: str
    share: float


@dataclass(frozen=True, slots=True)
class Milestone:
    """The day on which something was reached, e.g. "trained 1a"."""

    label: str
    day: Moment


@dataclass(frozen=True, slots=True)
class PerformanceRecord:
    """Per session (n,) the share of correct trials, 0 to 1, and over how many trials it was taken."""

    days: Sequence[Moment]
    share_correct: Values
    n_trials: Values
    criteria: tuple[Criterion, ...] = ()
    milestones: tuple[Milestone, ...] = ()


@dataclass(frozen=True, slots=True)
class ContrastByDay:
    """P(right) and trials per day and signed contrast (percent): arrays (n_days, n_contrasts).

    Cells without trials, or with an unknown share, stay blank.
    """

    days: Sequence[Moment]
    contrast_pct: Values
    p_right: ArrayLike
    n_trials: ArrayLike


def performance_by_day(
    record: PerformanceRecord,
    *,
    measure: str = "easy trials correct",
    title: str = "Performance",
    theme: str = "light",
    width_px: int = 640,
) -> Figure:
    """Draw the share correct of each session with its 95 % interval, criteria and milestones.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> from datetime import date
    >>> record = PerformanceRecord([date(2020, 8, 24), date(2020, 8, 25)], [0.9, 0.915], [100, 94])
    >>> performance_by_day(record).description
    'Easy trials correct by session, 24 Aug to 25 Aug 2020: first 90 %, last 91.5 %, best 91.5 %.'
    """
    days, share, trials = same_length(
        "performance", days_since_epoch(record.days), record.share_correct, record.n_trials
    )
    known = (share >= 0) & (share <= 1)
    order = np.flatnonzero(known)[np.argsort(days[known], kind="stable")]
    days, share, trials = days[order], share[order], trials[order]
    low, high = wilson_interval(share * trials, trials)
    table = _performance_table(title, measure, np.array([days, share, trials, low, high]))
    sheet = Sheet(title, f"n = {counted(len(days), 'session')}", theme, width_px)
    if len(days) == 0:
        sheet.empty("No session yet")
        return sheet.finished("No session yet.", table)
    x = Days(*padded_days(days))
    lines = [line for line in record.criteria if 0 <= line.share <= 1]
    lowest = min(0.5, *share, *(side for side in low if np.isfinite(side)), *(line.share for line in lines))
    floor = np.floor(lowest * 10) / 10
    marked = [
        Event(milestone.label, float(days_since_epoch([milestone.day])[0])) for milestone in record.milestones
    ]
    panel = Panel(
        sheet,
        x,
        Chosen(floor - 0.01, 1.02, _percent_ticks(float(floor))),
        x_label=f"Day ({years(x.low, x.high)})",
        y_label=f"{measure[:1].upper()}{measure[1:]} (%)",
        height_px=min(max(0.42 * width_px, 190), 270),
        events=[event for event in marked if x.low <= event.at <= x.high],
    )
    panel.line(days, share, "s1", width=0.75)
    tips = [
        f"{day_name(day)}: {written(100 * p, 1)} %" + (f", n = {int(n)}" if n > 0 else "")
        for day, p, n in zip(days, share, trials, strict=True)
    ]
    panel.points(days, share, "s1", titles=tuple(tips), size_px=4 if len(days) < 60 else 2.5)
    panel.error_bars(days, low, high, "s1")
    for n, line in enumerate(lines):
        ends, dash = np.array([x.low, x.high]), ("8 4", "3 3", "10 3 2 3")[n % 3]
        panel.line(ends, np.array([line.share] * 2), "warn", label=line.label, width=0.75, dash=dash)
    panel.close()
    sheet.note("Bars: 95 % interval (Wilson).")
    first, last, best = (f"{rounded(100 * float(p))} %" for p in (share[0], share[-1], share.max()))
    when = f"{day_name(days[0])} to {day_name(days[-1])} {years(days[-1], days[-1])}"
    description = (
        f"{measure[:1].upper()}{measure[1:]} by session, {when}: first {first}, last {last}, best {best}."
    )
    met = "".join(f" {milestone.label} on {wall_clock(milestone.day)}." for milestone in record.milestones)
    return sheet.finished(description + met, table)


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
    days, contrasts = days_since_epoch(record.days), floats(record.contrast_pct)
    p_right, trials = _grid(record.p_right, days, contrasts), _grid(record.n_trials, days, contrasts)
    known = (p_right >= 0) & (p_right <= 1) & (trials >= 1) & np.isfinite(contrasts)
    used = known.any(axis=0)
    rows = np.flatnonzero(used)[np.argsort(contrasts[used], kind="stable")]
    cells = [(int(d), row, int(c)) for row, c in enumerate(rows) for d in np.flatnonzero(known[:, c])]
    table = _heat_table(title, record, contrasts, np.where(known, p_right, np.nan))
    total = int(trials[known].sum())
    n_days = int(known.any(axis=1).sum())
    sheet = Sheet(title, f"n = {counted(total, 'trial')} on {counted(n_days, 'day')}", theme, width_px)
    if not cells:
        sheet.empty("No trials with a choice yet")
        return sheet.finished("No trials with a choice yet.", table)
    x = Days(*padded_days(days[known.any(axis=1)]))
    ticks = tuple(Tick(float(row), rounded(float(contrasts[c]))) for row, c in enumerate(rows))
    panel = Panel(
        sheet,
        x,
        Chosen(-0.5, len(rows) - 0.5, ticks),
        x_label=f"Day ({years(x.low, x.high)})",
        y_label="Signed contrast (%), right positive",
        height_px=max(18.0 * len(rows), 60.0),
        grid=False,
    )
    for d, row, c in cells:
        p, day = float(p_right[d, c]), float(np.floor(days[d]))
        tip = f"{day_name(day)}, {rounded(float(contrasts[c]))} %: {written(p, 2)} (n = {int(trials[d, c])})"
        panel.cell((day - 0.5, day + 0.5), (row - 0.5, row + 0.5), _diverging(sheet.theme, p), title=tip)
    blank = [(float(days[d]) // 1, float(row)) for d in range(len(days)) for row, c in enumerate(rows)]
    blank = [at for at, shown in zip(blank, known[:, rows].reshape(-1), strict=True) if not shown]
    panel.dots(floats([day for day, _ in blank]), floats([row for _, row in blank]), "muted")
    panel.close()
    shades = [_diverging(sheet.theme, step / (_RAMP_STEPS - 1)) for step in range(_RAMP_STEPS)]
    sheet.ramp("P(choose right)", "0", "1", shades)
    if blank:
        sheet.note("Dots: contrast not shown on that day.")
    counts = f"{counted(n_days, 'day')}, {counted(len(rows), 'contrast')}, {counted(total, 'trial')}"
    return sheet.finished(f"P(right) by day and signed contrast: {counts}.", table)


def _percent_ticks(floor: float) -> tuple[Tick, ...]:
    step = 0.1 if floor >= 0.4 else 0.2
    shares = [float(share) for share in np.arange(1.0, floor - 0.001, -step)]
    return tuple(Tick(share, written(100 * share, 0)) for share in reversed(shares))


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


def _performance_table(title: str, measure: str, columns: Floats) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for day, share, n, low, high in columns.T:
        percent = (float(100 * value) for value in (share, low, high))
        rows.append((f"{day_name(day)} {years(day, day)}", *percent, float(n)))
    return Table(title, ("day", f"{measure} (%)", "95 % from", "to", "trials"), tuple(rows))


def _heat_table(title: str, record: ContrastByDay, contrasts: Floats, p_right: Floats) -> Table:
    columns = ("day", *(f"P(right) at {rounded(float(c))} %" if np.isfinite(c) else "–" for c in contrasts))
    rows: list[tuple[Cell, ...]] = [
        (wall_clock(day), *(float(p) for p in shares))
        for day, shares in zip(record.days, p_right, strict=True)
    ]
    return Table(title, columns, tuple(rows))
