"""Learning curve: share of correct trials by day, with criteria and milestones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from cingulum.figures.frame import Event
from cingulum.figures.inputs import (
    Floats,
    Moment,
    Values,
    days_since_epoch,
    same_length,
)
from cingulum.figures.panel import Panel
from cingulum.figures.psychometric import wilson_interval
from cingulum.figures.scales import Chosen, Days, Tick, padded_days
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.wording import counted, day_name, rounded, wall_clock, written, years


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
    sessions = _Sessions.of(record)
    table = _performance_table(title, measure, sessions)
    sheet = Sheet(title, f"n = {counted(len(sessions.days), 'session')}", theme, width_px)
    if len(sessions.days) == 0:
        sheet.empty("No session yet")
        return sheet.finished("No session yet.", table)
    criteria = [criterion for criterion in record.criteria if 0 <= criterion.share <= 1]
    floor = sessions.floor(criteria)
    x = Days(*padded_days(sessions.days))
    milestones = [
        Event(milestone.label, float(days_since_epoch([milestone.day])[0])) for milestone in record.milestones
    ]
    panel = Panel(
        sheet,
        x,
        Chosen(floor - 0.01, 1.02, _percent_ticks(floor)),
        x_label=f"Day ({years(x.low, x.high)})",
        y_label=f"{_capitalized(measure)} (%)",
        height_px=min(max(0.42 * width_px, 190), 270),
        events=[event for event in milestones if x.low <= event.at <= x.high],
    )
    _draw_sessions(panel, sessions)
    _draw_criteria(panel, criteria)
    panel.close()
    sheet.note("Bars: 95 % interval (Wilson).")
    return sheet.finished(_performance_description(record, sessions, measure), table)


@dataclass(frozen=True, slots=True)
class _Sessions:
    """Sessions with a known share correct, by day, and the share's 95 % interval: arrays (n,)."""

    days: Floats
    share: Floats
    trials: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, record: PerformanceRecord) -> Self:
        days, share, trials = same_length(
            "performance", days_since_epoch(record.days), record.share_correct, record.n_trials
        )
        known = (share >= 0) & (share <= 1)
        order = np.flatnonzero(known)[np.argsort(days[known], kind="stable")]
        days, share, trials = days[order], share[order], trials[order]
        return cls(days, share, trials, *wilson_interval(share * trials, trials))

    def floor(self, criteria: Sequence[Criterion]) -> float:
        """Lowest tenth that the axis shows: at most one half."""
        bars = self.low[np.isfinite(self.low)]
        lowest = min(0.5, *self.share, *bars, *(criterion.share for criterion in criteria))
        return float(np.floor(lowest * 10) / 10)


def _draw_sessions(panel: Panel, sessions: _Sessions) -> None:
    days, share = sessions.days, sessions.share
    panel.line(days, share, "s1", width=0.75)
    tips = [
        f"{day_name(day)}: {written(100 * p, 1)} %" + (f", n = {int(n)}" if n > 0 else "")
        for day, p, n in zip(days, share, sessions.trials, strict=True)
    ]
    panel.points(days, share, "s1", titles=tuple(tips), size_px=4 if len(days) < 60 else 2.5)
    panel.error_bars(days, sessions.low, sessions.high, "s1")


def _draw_criteria(panel: Panel, criteria: Sequence[Criterion]) -> None:
    ends = np.array([panel.x.low, panel.x.high])
    for n, criterion in enumerate(criteria):
        dash = ("8 4", "3 3", "10 3 2 3")[n % 3]
        panel.line(
            ends, np.array([criterion.share] * 2), "warn", label=criterion.label, width=0.75, dash=dash
        )


def _performance_description(record: PerformanceRecord, sessions: _Sessions, measure: str) -> str:
    days, share = sessions.days, sessions.share
    first, last, best = (f"{rounded(100 * float(p))} %" for p in (share[0], share[-1], share.max()))
    when = f"{day_name(days[0])} to {day_name(days[-1])} {years(days[-1], days[-1])}"
    met = "".join(f" {milestone.label} on {wall_clock(milestone.day)}." for milestone in record.milestones)
    return f"{_capitalized(measure)} by session, {when}: first {first}, last {last}, best {best}.{met}"


def _capitalized(measure: str) -> str:
    return f"{measure[:1].upper()}{measure[1:]}"


def _percent_ticks(floor: float) -> tuple[Tick, ...]:
    step = 0.1 if floor >= 0.4 else 0.2
    shares = [float(share) for share in np.arange(1.0, floor - 0.001, -step)]
    return tuple(Tick(share, written(100 * share, 0)) for share in reversed(shares))


def _performance_table(title: str, measure: str, sessions: _Sessions) -> Table:
    rows: list[tuple[Cell, ...]] = []
    columns = (sessions.days, sessions.share, sessions.trials, sessions.low, sessions.high)
    for day, share, n, low, high in zip(*columns, strict=True):
        percent = (float(100 * value) for value in (share, low, high))
        rows.append((f"{day_name(day)} {years(day, day)}", *percent, float(n)))
    return Table(title, ("day", f"{measure} (%)", "95 % from", "to", "trials"), tuple(rows))
