"""Water received and water due by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from cingulum.figures.inputs import Floats, Values, paired
from cingulum.figures.panel import Panel
from cingulum.figures.scales import Days, Linear, padded_days
from cingulum.figures.sheet import Figure, Sheet
from cingulum.figures.tables import Table
from cingulum.figures.themes import AREAS
from cingulum.figures.wording import counted, day_name, wall_clock, written, years


@dataclass(frozen=True, slots=True)
class WaterKind:
    """Water of one kind per day, mL (n,): "in the task", "supplement", "hydrogel". NaN counts as none."""

    label: str
    volume_ml: Values


@dataclass(frozen=True, slots=True)
class WaterRecord:
    """Per day (n,) the water due in mL (NaN: none due, or not known), and the water received of each kind."""

    days: Sequence[date]
    due_ml: Values
    kinds: tuple[WaterKind, ...]


def water_bars(
    record: WaterRecord, *, title: str = "Water", theme: str = "light", width_px: int = 640
) -> Figure:
    """Draw each day's water stacked by kind, a line at what was due, and a dashed frame for what is missing.

    Raises UnequalLengthsError, UnknownThemeError, TooNarrowError.
    >>> record = WaterRecord([date(2026, 4, 5)], [0.96], (WaterKind("in the task", [0.5]),))
    >>> water_bars(record).description.partition(". ")[2]
    'Less than due on 1 of 1 days with water due; most missing 0.46 mL on 5 Apr.'
    """
    days, due = paired(record.days, record.due_ml, "days")
    due = np.where(due >= 0, due, np.nan)
    kinds = [
        np.nan_to_num(paired(record.days, kind.volume_ml, kind.label)[1]).clip(min=0) for kind in record.kinds
    ]
    drunk = np.sum(kinds, axis=0) if kinds else np.zeros(len(days))
    missing = np.where(due - drunk > 5e-4, due - drunk, 0.0)
    table = _water_table(title, record, due, kinds, drunk)
    sheet = Sheet(title, f"n = {counted(len(days), 'day')}" if len(days) else "", theme, width_px)
    if not np.isfinite(due).any() and not drunk.any():
        description = "No water due or given on these days" if len(days) else "No day with water yet"
        sheet.empty(description)
        return sheet.finished(f"{description}.", table)
    top = float(max(np.nanmax(np.append(due, 0.0)), drunk.max(), 0.1)) * 1.08
    height = min(max(0.34 * width_px, 150), 220)
    panel = Panel(
        sheet,
        Days(*padded_days(days)),
        Linear(0.0, top),
        x_label=f"Day ({years(days[0], days[-1])})",
        y_label="Water (mL/day)",
        height_px=height,
    )
    for n, kind in enumerate(kinds):
        below = np.sum(kinds[:n], axis=0) if n else np.zeros(len(days))
        role = AREAS[n % len(AREAS)]
        for day, volume, floor in zip(days, kind, below, strict=True):
            if volume > 0:
                tip = f"{day_name(day)}: {written(volume, 2)} mL {record.kinds[n].label}"
                panel.rect((day - 0.38, day + 0.38), (floor, floor + volume), role, title=tip)
        panel.in_key(record.kinds[n].label, role, "patch")
    _due(panel, days, due, drunk, missing)
    panel.close()
    return sheet.finished(_describe_water(days, due, missing), table)


def _due(panel: Panel, days: Floats, due: Floats, drunk: Floats, missing: Floats) -> None:
    for day, due_ml, got, short in zip(days, due, drunk, missing, strict=True):
        if short > 0:
            panel.frame(
                (day - 0.38, day + 0.38),
                (got, due_ml),
                "bad",
                title=f"{day_name(day)}: {written(short, 2)} mL missing",
            )
    xs, ys = [], []
    for day, due_ml, before in zip(days, due, [np.nan, *(np.diff(days))], strict=True):
        if not before <= 1.01:
            xs.append(day)
            ys.append(np.nan)
        xs += [day - 0.5, day + 0.5]
        ys += [due_ml, due_ml]
    if np.isfinite(due).any():
        panel.line(np.array(xs), np.array(ys), "ink", width=0.8)
        panel.in_key("due", "ink", "line")
    if missing.any():
        panel.in_key("missing", "bad", "frame")


def _describe_water(days: Floats, due: Floats, missing: Floats) -> str:
    description = f"Water in mL per day, {day_name(days[0])} to {day_name(days[-1])}."
    known = int(np.isfinite(due).sum())
    if known:
        description += f" Less than due on {int((missing > 0).sum())} of {known} days with water due"
        worst = int(np.argmax(missing))
        description += (
            f"; most missing {written(missing[worst], 2)} mL on {day_name(days[worst])}."
            if missing.any()
            else "."
        )
    return description


def _water_table(
    title: str, record: WaterRecord, due: Floats, kinds: Sequence[Floats], drunk: Floats
) -> Table:
    columns = ("day", "due (mL)", *(f"{kind.label} (mL)" for kind in record.kinds), "given (mL)")
    names = [wall_clock(day) for day in sorted(record.days)]
    rows = zip(names, due, *kinds, drunk, strict=True)
    return Table(title, columns, tuple((row[0], *(float(value) for value in row[1:])) for row in rows))
