"""Quality of sorted units: autocorrelogram, refractory violations, presence, rates, amplitudes and depths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cingulum.analysis.result import Result
from cingulum.analysis.spikes import BadSpikes, SpikeTrains
from cingulum.analysis.trials import Floats, Integers


@dataclass(frozen=True, eq=False)
class Autocorrelograms(Result):
    """Numbers of spike pairs of each unit by the time between them: `counts` is (n_units, n_bins), mirrored about zero.

    `centres_s` are the bins' centres in seconds; a spike is not paired with itself. `rate_hz` is the mean
    rate of the unit at that time from one of its spikes, NaN for a unit without spikes.
    """

    units: Integers
    centres_s: Floats
    counts: Integers
    rate_hz: Floats


@dataclass(frozen=True, eq=False)
class UnitQuality(Result):
    """Quality metrics per unit, (n_units,) each; NaN (`None` in JSON) where they are undefined.

    Rate            spikes per second of the recording
    Presence        fraction of equal bins of the recording with at least one spike
    Violations      pairs of spikes closer than the refractory period, and their share of the spikes
    Contamination   estimated fraction of spikes from other cells, 1 where the estimate has no solution
    Amplitude       median in µV (of the amplitudes passed), depth median in µm from the tip
    """

    units: Integers
    n_spikes: Integers
    firing_rate_hz: Floats
    presence: Floats
    n_violations: Integers
    violations_fraction: Floats
    contamination: Floats
    amplitude_median_uv: Floats
    depth_median_um: Floats


@dataclass(frozen=True, eq=False)
class OverTime(Result):
    """A quantity per unit in bins of equal duration: `values` is (n_units, n_bins), NaN without spikes."""

    units: Integers
    edges_s: Floats
    values: Floats


@dataclass(frozen=True, eq=False)
class DriftMap(Result):
    """Spikes by time and depth: counts and mean amplitude (µV), both (n_times, n_depths); NaN without spikes."""

    time_edges_s: Floats
    depth_edges_um: Floats
    n_spikes: Integers
    mean_amplitude_uv: Floats


def _pair_lags(trains: SpikeTrains, within_s: float) -> tuple[Integers, Floats]:
    """Row of the unit and time between the spikes, of every pair of one unit that is at most `within_s` apart."""
    order = np.argsort(trains.place, kind="stable")
    times, place = trains.times_s[order], trains.place[order]
    rows, lags = [], []
    first, shift = np.arange(len(times)), 0
    while first.size:
        shift += 1
        first = first[first + shift < len(times)]
        # Times ascend within a unit, so a pair too far apart remains so at every larger shift.
        apart = times[first + shift] - times[first]
        close = (place[first + shift] == place[first]) & (apart <= within_s)
        first = first[close]
        rows.append(place[first])
        lags.append(apart[close])
    return np.concatenate([*rows, np.empty(0, dtype=np.int64)]), np.concatenate([*lags, np.empty(0)])


def autocorrelograms(trains: SpikeTrains, window_s: float = 0.05, bin_s: float = 0.001) -> Autocorrelograms:
    """Every unit's autocorrelogram up to `window_s` either way, in bins of `bin_s`.

    >>> from cingulum.analysis.spikes import spike_trains
    >>> result = autocorrelograms(spike_trains([0.0, 0.01, 0.03], [2, 2, 2]), window_s=0.04, bin_s=0.02)
    >>> result.counts.tolist(), result.centres_s.round(3).tolist()
    ([[2, 1, 1, 2]], [-0.03, -0.01, 0.01, 0.03])
    """
    n_bins = round(window_s / bin_s)
    rows, lags = _pair_lags(trains, window_s)
    place = np.floor(lags / bin_s + 1e-9).astype(np.int64)
    inside = place < n_bins
    cells = rows[inside] * n_bins + place[inside]
    half = (
        np.bincount(cells, minlength=trains.n_units * n_bins).reshape(trains.n_units, n_bins).astype(np.int64)
    )
    counts = np.concatenate([half[:, ::-1], half], axis=1)
    centres = np.asarray((np.arange(2 * n_bins) - n_bins + 0.5) * bin_s, dtype=np.float64)
    spikes = trains.n_spikes.astype(np.float64)[:, None]
    rate = np.divide(counts, spikes * bin_s, out=np.full(counts.shape, np.nan), where=spikes > 0)
    return Autocorrelograms(trains.units, centres, counts, rate)


def refractory_violations(trains: SpikeTrains, refractory_s: float = 0.0015) -> Integers:
    """Pairs of spikes of one unit closer than the refractory period, (n_units,).

    >>> from cingulum.analysis.spikes import spike_trains
    >>> refractory_violations(spike_trains([0.0, 0.001, 0.1, 0.2], [0, 0, 0, 1])).tolist()
    [1, 0]
    """
    rows, lags = _pair_lags(trains, refractory_s)
    return np.bincount(rows[lags < refractory_s], minlength=trains.n_units).astype(np.int64)


def contamination(
    n_spikes: npt.ArrayLike, n_violations: npt.ArrayLike, duration_s: float, refractory_s: float = 0.0015
) -> Floats:
    """Estimated fraction of a unit's spikes that come from other cells, assumed to fire independently.

    1 - sqrt(1 - v T / (N² r)) for v violations among N spikes in T seconds; 1 where the root is not real.
    Source: Llobet, Wyngaard and Barbour, bioRxiv 2022.02.08.479192.

    >>> contamination([1000, 1000, 0], [0, 2, 0], duration_s=100.0).round(3).tolist()
    [0.0, 0.069, nan]
    """
    n, v = np.asarray(n_spikes, dtype=np.float64), np.asarray(n_violations, dtype=np.float64)
    expected = n**2 * refractory_s
    share = np.divide(v * duration_s, expected, out=np.full(n.shape, np.nan), where=n > 0)
    foreign: Floats = 1 - np.sqrt(np.maximum(1 - share, 0.0))
    return foreign


def unit_quality(
    trains: SpikeTrains,
    duration_s: float,
    *,
    start_s: float = 0.0,
    refractory_s: float = 0.0015,
    presence_bin_s: float = 10.0,
    amplitudes_uv: npt.ArrayLike | None = None,
    depths_um: npt.ArrayLike | None = None,
) -> UnitQuality:
    """Quality metrics per unit over a recording of `duration_s` that began at `start_s`.

    Amplitudes and depths, if known, are one per spike in the order of `trains` (ascending times), (n_spikes,).
    """
    n = trains.n_spikes
    violations = refractory_violations(trains, refractory_s)
    present = counts_over_time(trains, duration_s, presence_bin_s, start_s=start_s).values > 0
    return UnitQuality(
        units=trains.units,
        n_spikes=n,
        firing_rate_hz=n / duration_s,
        presence=present.mean(axis=1),
        n_violations=violations,
        violations_fraction=np.divide(violations, n, out=np.full(len(n), np.nan), where=n > 0),
        contamination=contamination(n, violations, duration_s, refractory_s),
        amplitude_median_uv=_medians(trains, amplitudes_uv),
        depth_median_um=_medians(trains, depths_um),
    )


def _medians(trains: SpikeTrains, values: npt.ArrayLike | None) -> Floats:
    if values is None:
        return np.full(trains.n_units, np.nan)
    return _median_in_cells(trains.place, _per_spike(trains, values), trains.n_units)


def _per_spike(trains: SpikeTrains, values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != trains.times_s.shape:
        raise BadSpikes(f"{array.shape} values for {trains.times_s.shape} spikes")
    return array


def _median_in_cells(cells: Integers, values: Floats, n_cells: int) -> Floats:
    """Median of the values of each cell, NaN for an empty cell; sorts once instead of once per cell."""
    order = np.lexsort((values, cells))
    ordered, n = values[order], np.bincount(cells, minlength=n_cells)
    first = np.cumsum(n) - n
    middle = np.full(n_cells, np.nan)
    some = n > 0
    low, high = first[some] + (n[some] - 1) // 2, first[some] + n[some] // 2
    middle[some] = (ordered[low] + ordered[high]) / 2
    return middle


def _edges(start_s: float, duration_s: float, bin_s: float) -> Floats:
    """Edges of bins of equal duration; an incomplete last one is left out, so that all weigh the same."""
    n_bins = max(1, int(np.floor(duration_s / bin_s + 1e-9)))
    return np.asarray(start_s + min(bin_s, duration_s) * np.arange(n_bins + 1), dtype=np.float64)


def counts_over_time(
    trains: SpikeTrains, duration_s: float, bin_s: float, *, start_s: float = 0.0
) -> OverTime:
    """Spikes of each unit in each complete bin of `bin_s` seconds; divide by `bin_s` for the rate.

    >>> from cingulum.analysis.spikes import spike_trains
    >>> counts_over_time(spike_trains([0.5, 1.5, 1.6], [0, 0, 0]), duration_s=3.0, bin_s=1.0).values.tolist()
    [[1.0, 2.0, 0.0]]
    """
    edges, cells, inside = _cells(trains, start_s, duration_s, bin_s)
    n_bins = len(edges) - 1
    counts = np.bincount(cells[inside], minlength=trains.n_units * n_bins).reshape(-1, n_bins)
    return OverTime(trains.units, edges, counts.astype(np.float64))


def median_over_time(
    trains: SpikeTrains, values: npt.ArrayLike, duration_s: float, bin_s: float, *, start_s: float = 0.0
) -> OverTime:
    """Median of a quantity of the spikes (amplitude, depth) in each bin; `values` is (n_spikes,).

    >>> from cingulum.analysis.spikes import spike_trains
    >>> trains = spike_trains([0.5, 1.5, 1.6], [0, 0, 0])
    >>> median_over_time(trains, [90.0, 70.0, 80.0], duration_s=3.0, bin_s=1.0).values.tolist()
    [[90.0, 75.0, nan]]
    """
    per_spike = _per_spike(trains, values)
    edges, cells, inside = _cells(trains, start_s, duration_s, bin_s)
    n_bins = len(edges) - 1
    medians = _median_in_cells(cells[inside], per_spike[inside], trains.n_units * n_bins)
    return OverTime(trains.units, edges, medians.reshape(-1, n_bins))


def _cells(
    trains: SpikeTrains, start_s: float, duration_s: float, bin_s: float
) -> tuple[Floats, Integers, npt.NDArray[np.bool_]]:
    edges = _edges(start_s, duration_s, bin_s)
    place = np.floor((trains.times_s - start_s) / (edges[1] - edges[0]) + 1e-9).astype(np.int64)
    inside = (place >= 0) & (place < len(edges) - 1)
    return edges, trains.place * (len(edges) - 1) + place, inside


def drift_map(
    times_s: npt.ArrayLike,
    depths_um: npt.ArrayLike,
    amplitudes_uv: npt.ArrayLike,
    *,
    time_bin_s: float = 1.0,
    depth_bin_um: float = 20.0,
) -> DriftMap:
    """All spikes by time and depth, shaded by mean amplitude; three arrays (n_spikes,). Raises BadSpikes.

    A spike without a depth is left out. Depths are µm from the probe's tip.

    >>> drift = drift_map([0.2, 0.4, 1.5], [10.0, 10.0, 30.0], [100.0, 50.0, 80.0])
    >>> drift.n_spikes.tolist(), drift.mean_amplitude_uv.tolist()
    ([[2, 0], [0, 1]], [[75.0, nan], [nan, 80.0]])
    """
    times, depths, amplitudes = (np.asarray(a, dtype=np.float64) for a in (times_s, depths_um, amplitudes_uv))
    if not times.shape == depths.shape == amplitudes.shape:
        raise BadSpikes(f"{times.shape} times, {depths.shape} depths, {amplitudes.shape} amplitudes")
    known = np.isfinite(times) & np.isfinite(depths) & np.isfinite(amplitudes)
    times, depths, amplitudes = times[known], depths[known], amplitudes[known]
    time_edges, depth_edges = _around_all(times, time_bin_s), _around_all(depths, depth_bin_um)
    grid = (time_edges, depth_edges)
    n = np.histogram2d(times, depths, bins=grid)[0].astype(np.int64)
    total = np.histogram2d(times, depths, bins=grid, weights=amplitudes)[0]
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    return DriftMap(time_edges, depth_edges, n, mean)


def _around_all(values: Floats, step: float) -> Floats:
    """Edges at multiples of `step` that enclose every value; one bin at zero if there are no values."""
    if values.size == 0:
        return np.array([0.0, step])
    low, high = np.floor(values.min() / step), np.floor(values.max() / step)
    return np.asarray(step * np.arange(low, high + 2), dtype=np.float64)
