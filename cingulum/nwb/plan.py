"""An NWB file as values: the tables and series that the writer creates, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class LeftOut(NamedTuple):
    """Something of the session that is not in the file, or not as it was, and why."""

    object: str
    reason: str


@dataclass(frozen=True)
class Column:
    """One column; with `index`, row i of the table has the values from index[i - 1] to index[i]."""

    name: str
    description: str
    values: Array
    index: Array | None = None


@dataclass(frozen=True)
class Intervals:
    """Rows with `start_time` and `stop_time` in seconds, sorted by start."""

    name: str
    description: str
    columns: tuple[Column, ...]
    module: str | None = None


@dataclass(frozen=True)
class Series:
    """Values over time: `timestamps` in seconds, or a `rate` (Hz) from `start` where they are regular."""

    name: str
    description: str
    values: Array
    unit: str
    timestamps: Array | None
    start: float | None = None
    rate: float | None = None
    container: str | None = None
    module: str = "behavior"


@dataclass(frozen=True)
class Events:
    """Times (s) of events of one kind, sorted."""

    name: str
    description: str
    times: Array


@dataclass(frozen=True)
class Keypoint:
    """Positions (n_frames, 2) of a body part in pixels, and the tracker's confidence per frame."""

    name: str
    positions: Array
    confidence: Array


@dataclass(frozen=True)
class Pose:
    """Body parts in the frames of one camera."""

    camera: str
    software: str
    timestamps: Array
    keypoints: tuple[Keypoint, ...]


@dataclass(frozen=True)
class Video:
    """A video beside the NWB file: `path` relative to it."""

    name: str
    description: str
    path: str
    timestamps: Array


@dataclass(frozen=True)
class Probe:
    """The electrodes of one probe, a row each; `located` if they have Allen regions."""

    name: str
    model: str
    electrodes: tuple[Column, ...]
    locations: tuple[str, ...]

    @property
    def located(self) -> bool:
        """Whether histology says where the electrodes are."""
        return any(location != UNKNOWN for location in self.locations)


@dataclass(frozen=True)
class Units:
    """Units of all probes; `electrodes` are rows of the electrode table, one per unit, or -1."""

    columns: tuple[Column, ...]
    spike_times: Column
    electrodes: Array
    resolution: float


@dataclass(frozen=True)
class FilePlan:
    """All of one file."""

    intervals: tuple[Intervals, ...] = ()
    series: tuple[Series, ...] = ()
    events: tuple[Events, ...] = ()
    poses: tuple[Pose, ...] = ()
    videos: tuple[Video, ...] = ()
    probes: tuple[Probe, ...] = ()
    units: Units | None = None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not any(
            (self.intervals, self.series, self.events, self.poses, self.videos, self.probes, self.units)
        )

    @property
    def probes_without_histology(self) -> tuple[str, ...]:
        """Names of the probes whose electrodes have no regions."""
        return tuple(probe.name for probe in self.probes if not probe.located)


UNKNOWN = "unknown"
Report = Callable[[str, str], None]


def series_over_time(series: Series, report: Report) -> Series | None:
    """Sort a series by its timestamps, drop rows without time, and state a rate where the timestamps are regular.

    None if the numbers of values and times differ or nothing is left: the reason is reported.
    """
    times, values = series.timestamps, series.values
    if times is None or len(times) != len(values):
        n = "none" if times is None else len(times)
        report(series.name, f"left out: it has {len(values)} values, but {n} timestamps")
        return None
    valid = np.isfinite(times)
    if not valid.all():
        report(series.name, f"{np.count_nonzero(~valid)} rows without a finite time are left out")
        times, values = times[valid], values[valid]
    if not len(times):
        report(series.name, "left out: no row has a time")
        return None
    if np.any(np.diff(times) < 0):
        report(series.name, "rows were sorted by time")
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    rate = regular_rate(times)
    if rate is None:
        return replace(series, timestamps=np.asarray(times, np.float64), values=values)
    return replace(series, timestamps=None, values=values, start=float(times[0]), rate=rate)


def regular_rate(times: Array) -> float | None:
    """The rate (Hz) of timestamps that are equally spaced to a nanosecond; None if they are not.

    >>> regular_rate(np.arange(5) / 4)
    4.0
    >>> regular_rate(np.array([0, 1, 2.5])) is None
    True
    """
    if len(times) < 3:
        return None
    steps = np.diff(times)
    if len(np.unique(np.round(steps, 9))) > 1:
        return None
    step = (times[-1] - times[0]) / (len(times) - 1)
    return float(1 / step) if step > 0 else None


def fingerprint(value: object) -> str:
    """SHA-256 of a plan with all its arrays: equal for equal content, whatever order memory has.

    >>> fingerprint(FilePlan()) == fingerprint(FilePlan(left_out=())), fingerprint(FilePlan()) == fingerprint(UNKNOWN)
    (True, False)
    """
    digest = hashlib.sha256()
    _update(digest, value)
    return digest.hexdigest()


def _update(digest: hashlib._Hash, value: object) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        if value.dtype.kind == "O":
            _update(digest, value.tolist())
        else:
            digest.update(np.ascontiguousarray(value).data)
    elif is_dataclass(value):
        digest.update(type(value).__name__.encode())
        for part in fields(value):
            _update(digest, getattr(value, part.name))
    elif isinstance(value, list | tuple):
        digest.update(f"{len(value)}[".encode())
        for part in value:
            _update(digest, part)
    else:
        digest.update(f"{value!r};".encode())
