"""Weight against the expected weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cingulum.figures.frame import Event
from cingulum.figures.inputs import Floats, Moment, Values, days_since_epoch, floats, paired
from cingulum.figures.panel import Panel
from cingulum.figures.scales import Days, Linear, padded, padded_days
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Cell, Table
from cingulum.figures.wording import counted, day_name, rounded, wall_clock, written, years


@dataclass(frozen=True, slots=True)
class WeightLine:
    """A weight over time, g: what is expected, or a limit. Both arrays are (n,); NaN leaves a gap."""

    label: str
    times: Sequence[Moment]
    weight_g: Values
    severity: Literal["warn", "bad"] = "bad"


@dataclass(frozen=True, slots=True)
class Implant:
    """From this day on the animal carries an implant of this weight, g (included in its weighings)."""

    day: Moment
    weight_g: float


@dataclass(frozen=True, slots=True)
class Restriction:
    """Water restriction from `start` to `end`; None while it lasts."""

    start: Moment
    end: Moment | None = None


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """Weighings (n,) in g with the lines they are compared with. An unknown weight is NaN and is not drawn.

    `limits` run from the highest to the lowest, e.g. 80 % in "warn" and the floor in "bad".
    """

    times: Sequence[Moment]
    weight_g: Values
    expected: WeightLine | None = None
    limits: tuple[WeightLine, ...] = ()
    implants: tuple[Implant, ...] = ()
    restrictions: tuple[Restriction, ...] = ()


def weight_curve(
    record: WeightRecord, *, title: str = "Weight", theme: str = "light", width_px: int = 640
) -> Figure:
    """Draw weighings with the expected line and the limits, implants and restrictions.

    Weighings at or above all limits are discs; one below a limit is a triangle in that limit's colour.
    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> from datetime import date
    >>> record = WeightRecord([date(2026, 4, 5), date(2026, 4, 6)], [24.5, 23.9])
    >>> weight_curve(record, title="KS014: weight").description
    'Weight in grams. 2 weighings from 5 Apr to 6 Apr; last 23.9 g.'
    """
    parsed = _read(record)
    table = _weight_table(title, record, parsed)
    sheet = Sheet(title, _weight_subtitle(parsed.weights), theme, width_px)
    known = np.isfinite(parsed.weights)
    if not known.any():
        sheet.empty("No weighing yet")
        return sheet.finished("No weighing yet.", table)
    panel = _weight_panel(sheet, record, parsed.times[known], parsed.weights[known])
    panel.line(parsed.times[known], parsed.weights[known], "s1", width=0.75)
    if record.expected is not None:
        panel.line(*_within(record.expected, panel), "s3", label=record.expected.label, width=0.75)
    for n, limit in enumerate(record.limits):
        dash = ("8 4", "3 3", "10 3 2 3")[n % 3]
        panel.line(*_within(limit, panel), limit.severity, label=limit.label, width=0.75, dash=dash)
    _weighings(panel, parsed)
    panel.close()
    return sheet.finished(_describe_weight(record, parsed), table)


@dataclass(frozen=True, slots=True)
class _WeightArrays:
    """Weighings in order of time, each with the level of every line at that time and the lowest limit crossed."""

    moments: list[Moment]
    times: Floats
    weights: Floats
    levels: list[Floats]
    crossed: list[WeightLine | None]


def _read(record: WeightRecord) -> _WeightArrays:
    times, weights = paired(record.times, record.weight_g, "weighings")
    order = np.argsort(days_since_epoch(record.times), kind="stable")
    levels = [_level(line, times) for line in _lines(record)]
    crossed: list[WeightLine | None] = [None] * len(times)
    for limit, level in zip(record.limits, levels[len(levels) - len(record.limits) :], strict=True):
        for n in np.flatnonzero(weights < level):
            crossed[n] = limit
    return _WeightArrays([record.times[n] for n in order], times, weights, levels, crossed)


def _lines(record: WeightRecord) -> list[WeightLine]:
    return [line for line in (record.expected, *record.limits) if line is not None]


def _level(line: WeightLine, times: Floats) -> Floats:
    """Interpolate a line at other times; NaN outside the times for which it is known."""
    days, weights = paired(line.times, line.weight_g, line.label)
    known = np.isfinite(weights)
    if not known.any():
        return np.full(len(times), np.nan)
    return np.interp(times, days[known], weights[known], left=np.nan, right=np.nan)


def _within(line: WeightLine, panel: Panel) -> tuple[Floats, Floats]:
    """Cut a line to the days shown; one known on a single day is drawn across that day."""
    days, weights = paired(line.times, line.weight_g, line.label)
    edges = np.array([panel.x.low, panel.x.high])
    if np.isfinite(weights).sum() == 1:
        day = days[np.isfinite(weights)]
        days, weights = np.concatenate([day - 0.5, day + 0.5]), weights[np.isfinite(weights)].repeat(2)
    else:
        days, weights = np.concatenate([days, edges]), np.concatenate([weights, _level(line, edges)])
    order = np.argsort(days, kind="stable")
    shown = (days[order] >= panel.x.low) & (days[order] <= panel.x.high)
    return days[order][shown], weights[order][shown]


def _weight_panel(sheet: Sheet, record: WeightRecord, times: Floats, weights: Floats) -> Panel:
    x = Days(*padded_days(times))
    heights = [weights]
    for line in _lines(record):
        days, values = paired(line.times, line.weight_g, line.label)
        heights.append(values[(days >= x.low) & (days <= x.high) & np.isfinite(values)])
        edges = _level(line, np.array([x.low, x.high]))
        heights.append(edges[np.isfinite(edges)])
    return Panel(
        sheet,
        x,
        Linear(*padded(np.concatenate(heights), least=0.5)),
        x_label=f"Day ({years(x.low, x.high)})",
        y_label="Weight (g)",
        height_px=min(max(0.48 * sheet.width_px, 190), 300),
        events=_events(record, x),
    )


def _events(record: WeightRecord, x: Days) -> list[Event]:
    events = []
    for restriction in record.restrictions:
        start = float(days_since_epoch([restriction.start])[0])
        end = x.high if restriction.end is None else float(days_since_epoch([restriction.end])[0])
        if x.low < end and start < min(x.high, end):
            events.append(Event("water restriction", start, end))
    for implant in record.implants:
        day = float(days_since_epoch([implant.day])[0])
        if x.low <= day <= x.high:
            events.append(Event(f"implant {_grams(implant.weight_g)}", day))
    return events


def _weighings(panel: Panel, parsed: _WeightArrays) -> None:
    size = 4.0 if len(parsed.weights) <= 60 else 2.0
    for moment, time, weight, limit in zip(
        parsed.moments, parsed.times, parsed.weights, parsed.crossed, strict=True
    ):
        at, tip = (np.array([time]), np.array([weight])), f"{wall_clock(moment)}: {written(weight, 1)} g"
        if limit is None:
            panel.points(*at, "s1", size_px=size, titles=(tip,))
        else:
            tip += f", below {limit.label}"
            panel.points(*at, limit.severity, shape="down", size_px=1.3 * size, titles=(tip,))


def _weight_subtitle(weights: Floats) -> str:
    known = weights[np.isfinite(weights)]
    return (
        f"n = {counted(len(known), 'weighing')}, last {written(float(known[-1]), 1)} g" if len(known) else ""
    )


def _grams(weight_g: float) -> str:
    (known,) = floats([weight_g])
    return f"{rounded(float(known))} g" if np.isfinite(known) else "of unknown weight"


def _describe_weight(record: WeightRecord, parsed: _WeightArrays) -> str:
    known = np.isfinite(parsed.weights)
    times, weights = parsed.times[known], parsed.weights[known]
    days = f"from {day_name(times[0])} to {day_name(times[-1])}"
    description = f"Weight in grams. {counted(len(weights), 'weighing')} {days}; "
    description += f"last {rounded(float(weights[-1]))} g."
    if record.limits:
        description += f" {sum(limit is not None for limit in parsed.crossed)} of them below a limit."
    if record.implants:
        implants = (
            f"{_grams(implant.weight_g)} from {wall_clock(implant.day)}" for implant in record.implants
        )
        description += f" Implant: {', '.join(implants)}."
    return description


def _weight_table(title: str, record: WeightRecord, parsed: _WeightArrays) -> Table:
    columns = ("time", "weight (g)", *(f"{line.label} (g)" for line in _lines(record)), "verdict")
    rows: list[tuple[Cell, ...]] = []
    for n, moment in enumerate(parsed.moments):
        limit = parsed.crossed[n]
        numbers = (float(values[n]) for values in (parsed.weights, *parsed.levels))
        rows.append((wall_clock(moment), *numbers, "" if limit is None else f"below {limit.label}"))
    return Table(title, columns, tuple(rows))
