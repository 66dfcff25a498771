"""Trials and passive stimuli as interval tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cingulum.nwb.columns import with_free_names
from cingulum.nwb.plan import Array, Column, Intervals, Report

_DESCRIPTIONS = {
    "goCue_times": ("go_cue_time", "start of the go cue tone, in seconds"),
    "goCueTrigger_times": ("go_cue_trigger_time", "command to play the go cue tone, in seconds"),
    "stimOn_times": ("stim_on_time", "onset of the visual stimulus, in seconds"),
    "stimOff_times": ("stim_off_time", "offset of the visual stimulus, in seconds"),
    "stimOnTrigger_times": ("stim_on_trigger_time", "command to show the visual stimulus, in seconds"),
    "stimOffTrigger_times": ("stim_off_trigger_time", "command to hide the visual stimulus, in seconds"),
    "response_times": ("response_time", "end of the choice, in seconds"),
    "feedback_times": ("feedback_time", "delivery of water or noise, in seconds"),
    "firstMovement_times": ("first_movement_time", "onset of the first wheel movement, in seconds"),
    "choice": ("choice", "direction of the wheel: -1 clockwise, 1 counterclockwise, 0 no response"),
    "contrastLeft": ("contrast_left", "contrast of the stimulus on the left, 0 to 1; NaN if not shown there"),
    "contrastRight": (
        "contrast_right",
        "contrast of the stimulus on the right, 0 to 1; NaN if not shown there",
    ),
    "feedbackType": ("feedback_type", "1 rewarded, -1 not rewarded"),
    "rewardVolume": ("reward_volume", "water of the trial, in microlitres"),
    "probabilityLeft": ("probability_left", "probability of a stimulus on the left in this block"),
    "quiescencePeriod": ("quiescence_period", "time without movement before the stimulus, in seconds"),
    "laserStimulation": ("laser_stimulation", "whether the laser was on in the trial"),
    "laserProbability": ("laser_probability", "probability of laser stimulation in this block"),
}


def plan_trials(trials: Mapping[str, Any], report: Report, name: str = "trials") -> Intervals | None:
    """Trials sorted by start; those without start and stop are left out.

    Without `intervals`, a trial lasts from its first to its last event; if only one is known, from the end of the
    trial before it.
    """
    columns = {key: np.asarray(value) for key, value in trials.items() if _is_column(value)}
    intervals = columns.pop("intervals", None)
    if intervals is None and {"intervals_0", "intervals_1"} <= columns.keys():
        intervals = np.stack([columns.pop("intervals_0"), columns.pop("intervals_1")], axis=1)
    if intervals is None or intervals.ndim != 2 or intervals.shape[1] != 2:
        intervals = _intervals_of_events(columns, report, name)
        if intervals is None:
            report(name, "left out: there are neither intervals nor times of events")
            return None
        report(
            name, "there are no trials.intervals: start and stop are the first and last event of each trial"
        )
    for key in [key for key, values in columns.items() if len(values) != len(intervals)]:
        report(f"{name}.{key}", f"left out: {len(columns.pop(key))} rows for {len(intervals)} trials")
    plain = [Column(*_describe(key), values) for key, values in columns.items()]
    return interval_table(name, "One row per trial", intervals, plain, report)


def interval_table(
    name: str,
    description: str,
    intervals: Array,
    columns: list[Column],
    report: Report,
    *,
    module: str | None = None,
) -> Intervals | None:
    """A table sorted by start, without rows that have no start or stop or do not stop after they start.

    Columns of another length are left out, and those with a name that NWB reserves renamed.
    """
    for column in [column for column in columns if len(column.values) != len(intervals)]:
        report(f"{name}.{column.name}", f"left out: {len(column.values)} rows for {len(intervals)}")
    columns = with_free_names(
        name, [column for column in columns if len(column.values) == len(intervals)], report
    )
    start, stop = intervals[:, 0], intervals[:, 1]
    valid = np.isfinite(start) & np.isfinite(stop) & (stop > start)
    if not valid.all():
        report(
            name,
            f"{np.count_nonzero(~valid)} of {len(valid)} rows without a valid start and stop are left out",
        )
    if not valid.any():
        report(name, "left out: no row has a start and a stop")
        return None
    if np.count_nonzero(valid) > 1 and np.ptp(start[valid]) == 0:
        report(name, f"left out: all {np.count_nonzero(valid)} rows start at {start[valid][0]:g} s")
        return None
    if np.any(np.diff(start[valid]) < 0):
        report(name, "rows were sorted by start")
    rows = np.flatnonzero(valid)
    rows = rows[np.argsort(start[rows], kind="stable")]
    table = [
        Column("start_time", "start, in seconds", start[rows]),
        Column("stop_time", "end, in seconds", stop[rows]),
        *(Column(column.name, column.description, _storable(column.values[rows])) for column in columns),
    ]
    return Intervals(name, description, tuple(table), module)


def plan_passive(objects: Mapping[str, Mapping[str, Any]], report: Report) -> list[Intervals]:
    """Periods and replayed stimuli of the passive protocol, from the tables that IBL's extraction writes."""
    tables = []
    periods = objects.get("passivePeriods", {}).get("intervalsTable")
    if isinstance(periods, Mapping):
        names = [
            key for key in periods if len(periods[key]) == 2 and np.asarray(periods[key]).dtype.kind in "fiu"
        ]
        bounds = np.array([periods[key] for key in names], dtype=np.float64).reshape(-1, 2)
        kinds = [Column("protocol", "part of the passive protocol", np.array(names, dtype=object))]
        tables.append(
            interval_table(
                "passive_periods", "Parts of the passive protocol", bounds, kinds, report, module="behavior"
            )
        )
    gabor = _table(objects.get("passiveGabor", {}))
    if _has_bounds("passiveGabor", gabor, "start", "stop", report):
        bounds = np.stack([gabor.pop("start"), gabor.pop("stop")], axis=1).astype(np.float64)
        columns = [Column(*_describe(key), np.asarray(value)) for key, value in gabor.items() if key]
        tables.append(
            interval_table(
                "passive_gabor", "Gabor stimuli of the replay", bounds, columns, report, module="behavior"
            )
        )
    stims = _table(objects.get("passiveStims", {}))
    for kind in ("valve", "tone", "noise"):
        if _has_bounds(f"passiveStims.{kind}", stims, f"{kind}On", f"{kind}Off", report):
            bounds = np.stack([stims[f"{kind}On"], stims[f"{kind}Off"]], axis=1).astype(np.float64)
            text = f"Times of the {kind} in the replay"
            tables.append(interval_table(f"passive_{kind}", text, bounds, [], report, module="behavior"))
    return [table for table in tables if table is not None]


def _has_bounds(name: str, table: Mapping[str, Any], start: str, stop: str, report: Report) -> bool:
    """Whether a table has both columns; one that has only some columns is reported."""
    if {start, stop} <= table.keys() and len(table[start]) == len(table[stop]):
        return True
    if {start, stop} & table.keys():
        report(name, f"left out: it has no columns {start} and {stop} of one length")
    return False


def _table(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an object that is one table, whether it is a part `table` or was joined already."""
    table = parts.get("table", parts)
    return {key: value for key, value in table.items() if isinstance(value, np.ndarray)}


def _is_column(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.ndim in {1, 2}


def _intervals_of_events(columns: Mapping[str, Array], report: Report, name: str) -> Array | None:
    times = [
        values.astype(np.float64)
        for key, values in columns.items()
        if key.endswith("_times") and values.ndim == 1
    ]
    if not times or len({len(values) for values in times}) > 1:
        return None
    events = np.stack(times, axis=1)
    known = np.isfinite(events)
    start = np.where(known, events, np.inf).min(axis=1)
    stop = np.where(known, events, -np.inf).max(axis=1)
    start[~known.any(axis=1)] = stop[~known.any(axis=1)] = np.nan
    before = np.fmax.accumulate(np.concatenate([[0.0], stop[:-1]]))
    is_open = (start == stop) & (before < stop)
    if is_open.any():
        report(name, f"{np.count_nonzero(is_open)} with one known event start at the end of the trial before")
    return np.stack([np.where(is_open, before, start), stop], axis=1)


def _describe(attribute: str) -> tuple[str, str]:
    """Name and description of a column: IBL's have their own; others are named as the ALF attribute."""
    if attribute in _DESCRIPTIONS:
        return _DESCRIPTIONS[attribute]
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in attribute).lstrip("_")
    unit = ", in seconds" if attribute.endswith("_times") else ""
    return name.removesuffix("s") if attribute.endswith(
        "_times"
    ) else name, f"ALF attribute {attribute}{unit}"


def _storable(values: Array) -> Array:
    """Text of any kind as objects, which HDF5 stores as variable-length text."""
    if values.dtype.kind in "UO":
        return np.array([str(value) for value in values], dtype=object)
    return values
