"""Spike trains of sorted units, and their trials around events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from cingulum.analysis.result import AnalysisError, Result
from cingulum.analysis.trials import Booleans, Floats, Integers

# A spike a billionth of a bin before an edge is on it: 0.3 / 0.1 is 2.9999999999999996.
_EDGE = 1e-9
WINDOW_S = (-1.0, 1.0)


class BadSpikes(AnalysisError):
    """Times that are not finite, or whose number differs from that of the unit numbers."""


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """Spikes in the order of time: `times_s` in seconds and `place`, the row of each spike's unit, (n_spikes,).

    `units` are the unit numbers, ascending, (n_units,): row i of every result is unit `units[i]`.
    """

    times_s: Floats
    place: Integers
    units: Integers

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def n_units(self) -> int:
        """Number of units, those without a spike included."""
        return len(self.units)

    @property
    def n_spikes(self) -> Integers:
        """Spikes of each unit, (n_units,)."""
        return np.bincount(self.place, minlength=self.n_units).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Raster(Result):
    """Spikes around events, one dot per spike: row of the event, and seconds from it, (n_dots,) each."""

    event: Integers
    offset_s: Floats
    n_events: int
    window_s: tuple[float, float]


@dataclass(frozen=True, eq=False)
class RasterCounts(Result):
    """Spike counts around events: `counts` is (n_units, n_events, n_bins), bin edges in seconds from the event.

    `recorded` (n_events,) is false if the event's time is unknown or its window was not recorded completely: zero
    counts then do not mean silence.
    """

    units: Integers
    edges_s: Floats
    counts: npt.NDArray[np.uint16]
    recorded: Booleans


@dataclass(frozen=True, eq=False)
class Psth(Result):
    """Mean rate around events: `rate_hz` and its standard error over events, (n_units, n_conditions, n_bins).

    `centres_s` are the bins' centres in seconds from the event; `n_events` is per condition. With fewer than
    two events the standard error is NaN (`None` in JSON), with none the rate too.
    """

    units: Integers
    conditions: tuple[str, ...]
    centres_s: Floats
    rate_hz: Floats
    sem_hz: Floats
    n_events: Integers


def spike_trains(
    times_s: npt.ArrayLike, clusters: npt.ArrayLike, units: npt.ArrayLike | None = None
) -> SpikeTrains:
    """Sort spikes by time and number their units; both arguments (n_spikes,).

    `units` chooses units and their order of rows (ascending numbers); spikes of others are left out, and a
    chosen unit may have none. Raises BadSpikes.

    >>> trains = spike_trains([0.3, 0.1, 0.2], [7, 5, 7])
    >>> trains.times_s.tolist(), trains.place.tolist(), trains.units.tolist()
    ([0.1, 0.2, 0.3], [0, 1, 1], [5, 7])
    """
    times, numbers = np.asarray(times_s, dtype=np.float64), np.asarray(clusters).astype(np.int64)
    if times.shape != numbers.shape:
        raise BadSpikes(f"{times.shape} times for {numbers.shape} clusters")
    if not np.isfinite(times).all():
        raise BadSpikes("spike times must be finite")
    rows = np.unique(numbers if units is None else np.asarray(units).astype(np.int64))
    if units is not None:
        chosen = np.isin(numbers, rows)
        times, numbers = times[chosen], numbers[chosen]
    if np.any(np.diff(times) < 0):
        order = np.argsort(times, kind="stable")
        times, numbers = times[order], numbers[order]
    return SpikeTrains(times, np.searchsorted(rows, numbers).astype(np.int64), rows)


def _around(
    trains: SpikeTrains, events_s: Floats, window_s: tuple[float, float]
) -> tuple[Integers, Integers]:
    """Indices of spikes within [start, end) of each event, and the row of that event, event after event.

    An event with an unknown time (NaN) has none.
    """
    known = np.where(np.isnan(events_s), np.inf, events_s)
    first = np.searchsorted(trains.times_s, known + window_s[0], side="left")
    last = np.searchsorted(trains.times_s, known + window_s[1], side="left")
    n = np.maximum(last - first, 0)
    event = np.repeat(np.arange(len(events_s)), n)
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    return np.repeat(first, n) + within, event


def raster(
    trains: SpikeTrains, unit: int, events_s: npt.ArrayLike, window_s: tuple[float, float] = WINDOW_S
) -> Raster:
    """One unit's spikes around each event (seconds), to be drawn as dots. Raises BadSpikes for an unknown unit.

    >>> trains = spike_trains([0.9, 1.25, 3.0], [4, 4, 4])
    >>> dots = raster(trains, 4, [1.0, 3.5])
    >>> dots.event.tolist(), dots.offset_s.round(2).tolist()
    ([0, 0, 1], [-0.1, 0.25, -0.5])
    """
    if unit not in trains.units:
        raise BadSpikes(f"there is no unit {unit}")
    of_unit = trains.units[trains.place] == unit
    own = SpikeTrains(trains.times_s[of_unit], trains.place[of_unit], trains.units)
    events = np.asarray(events_s, dtype=np.float64)
    spike, event = _around(own, events, window_s)
    return Raster(event, own.times_s[spike] - events[event], len(events), window_s)


def raster_counts(
    trains: SpikeTrains,
    events_s: npt.ArrayLike,
    window_s: tuple[float, float] = WINDOW_S,
    bin_s: float = 0.025,
    recording_s: tuple[float, float] | None = None,
) -> RasterCounts:
    """Count every unit's spikes in bins around every event (seconds); a spike on an edge is in the later bin.

    `recording_s`, its start and end, decides which events lie within it; without it all known ones do.

    >>> trains = spike_trains([0.9, 1.1, 3.0], [4, 4, 8])
    >>> raster_counts(trains, [1.0, 3.0], window_s=(-0.5, 0.5), bin_s=0.5).counts.tolist()
    [[[1, 1], [0, 0]], [[0, 0], [0, 1]]]
    """
    events = np.asarray(events_s, dtype=np.float64)
    n_bins = round((window_s[1] - window_s[0]) / bin_s)
    spike, event = _around(trains, events, window_s)
    offset = trains.times_s[spike] - events[event] - window_s[0]
    place = np.clip(np.floor(offset / bin_s + _EDGE).astype(np.int64), 0, n_bins - 1)
    shape = (trains.n_units, len(events), n_bins)
    cell = np.ravel_multi_index((trains.place[spike], event, place), shape) if len(spike) else spike
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    edges = np.asarray(window_s[0] + bin_s * np.arange(n_bins + 1), dtype=np.float64)
    recorded = wholly_recorded(events, window_s, recording_s)
    return RasterCounts(trains.units, edges, counts.astype(np.uint16), recorded)


def wholly_recorded(
    events_s: npt.ArrayLike, window_s: tuple[float, float], recording_s: tuple[float, float] | None
) -> Booleans:
    """Which events are known and have their complete window within the recording (`None`: it has no end).

    >>> wholly_recorded([1.0, 5.0, 9.5, np.nan], (-1.0, 1.0), (0.0, 10.0)).tolist()
    [True, True, False, False]
    """
    events = np.asarray(events_s, dtype=np.float64)
    start, end = recording_s or (-np.inf, np.inf)
    # NaN compares false to everything.
    within: Booleans = (events + window_s[0] >= start) & (events + window_s[1] <= end)
    return within


def psth(
    raster: RasterCounts, conditions: Mapping[str, npt.ArrayLike], smoothing_s: float | None = 0.025
) -> Psth:
    """Mean rate and its standard error over the recorded events of each condition, a mask (n_events,) by name.

    Each event's counts are smoothed by a Gaussian of `smoothing_s` (`None`: not) before they are averaged.

    >>> trains = spike_trains([0.9, 1.1, 3.1], [4, 4, 4])
    >>> counts = raster_counts(trains, [1.0, 3.0], window_s=(-0.5, 0.5), bin_s=0.5)
    >>> answer = psth(counts, {"all": [True, True]}, smoothing_s=None)
    >>> answer.rate_hz.tolist(), answer.sem_hz.tolist()
    ([[[1.0, 2.0]]], [[[1.0, 0.0]]])
    """
    bin_s = float(raster.edges_s[1] - raster.edges_s[0])
    masks = [np.asarray(mask, dtype=bool) & raster.recorded for mask in conditions.values()]
    shape = (len(raster.units), len(masks), len(raster.edges_s) - 1)
    mean, sem = np.full(shape, np.nan), np.full(shape, np.nan)
    sigma = 0.0 if smoothing_s is None else smoothing_s / bin_s
    for i, mask in enumerate(masks):
        mean[:, i], sem[:, i] = _mean_and_sem(raster.counts, mask, sigma)
    return Psth(
        units=raster.units,
        conditions=tuple(conditions),
        centres_s=(raster.edges_s[:-1] + raster.edges_s[1:]) / 2,
        rate_hz=mean / bin_s,
        sem_hz=sem / bin_s,
        n_events=np.array([mask.sum() for mask in masks], dtype=np.int64),
    )


def _mean_and_sem(counts: npt.NDArray[np.uint16], mask: Booleans, sigma_bins: float) -> tuple[Floats, Floats]:
    """Mean and standard error over events; unit by unit, as smoothed counts of all units could be gigabytes."""
    n = int(mask.sum())
    unknown = np.full((len(counts), counts.shape[2]), np.nan)
    mean, sem = unknown.copy(), unknown.copy()
    if n == 0:
        return mean, sem
    for row, unit in enumerate(counts):
        events = unit[mask].astype(np.float64)
        if sigma_bins > 0:
            events = gaussian_filter1d(events, sigma_bins, axis=1, mode="nearest")
        mean[row] = events.mean(axis=0)
        if n > 1:
            sem[row] = events.std(axis=0, ddof=1) / np.sqrt(n)
    return mean, sem
