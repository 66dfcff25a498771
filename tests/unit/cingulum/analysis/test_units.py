"""Unit numbers agree with their definitions, computed the slow way."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis.spikes import BadSpikes, spike_trains
from cingulum.analysis.units import (
    autocorrelograms,
    contamination,
    counts_over_time,
    drift_map,
    median_over_time,
    refractory_violations,
    unit_quality,
)
from examples.ibl_sessions import ProbeRecording

MILLISECONDS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2)), max_size=60)


def test_a_real_unit_s_autocorrelogram_is_the_histogram_of_its_differences(probe: ProbeRecording) -> None:
    trains = spike_trains(probe.times_s, probe.clusters)
    grams = autocorrelograms(trains, window_s=0.05, bin_s=0.001)
    assert grams.counts.shape == (289, 100)
    busiest = int(np.argmax(trains.n_spikes))
    own = trains.times_s[trains.place == busiest]
    lags = own[None, :] - own[:, None]
    expected, _ = np.histogram(lags[lags > 0], bins=np.arange(51) * 0.001)
    assert np.abs(grams.counts[busiest, 50:] - expected).sum() <= 2
    np.testing.assert_array_equal(grams.counts, grams.counts[:, ::-1])


def test_real_quality_is_in_range_and_json(probe: ProbeRecording) -> None:
    trains = spike_trains(probe.times_s, probe.clusters)
    quality = unit_quality(trains, duration_s=120.0)
    assert quality.n_spikes.sum() == 124_905
    assert quality.firing_rate_hz.sum() == pytest.approx(124_905 / 120)
    for values in (quality.presence, quality.contamination, quality.violations_fraction):
        assert ((values >= 0) & (values <= 1)).all()
    written = quality.to_dict()
    json.dumps(written, allow_nan=False)
    assert set(written["depth_median_um"]) == {None}


@settings(max_examples=80, deadline=None)
@given(MILLISECONDS)
def test_every_close_pair_is_counted_once(spikes: list[tuple[int, int]]) -> None:
    trains = spike_trains([ms / 1000 for ms, _ in spikes], [unit for _, unit in spikes])
    expected = [0] * trains.n_units
    for row, unit in enumerate(trains.units):
        own = sorted(ms for ms, of in spikes if of == unit)
        expected[row] = sum(b - a < 2 for i, a in enumerate(own) for b in own[i + 1 :])
    assert refractory_violations(trains, refractory_s=0.00199).tolist() == expected
    pairs = autocorrelograms(trains, window_s=0.5, bin_s=0.01).counts.sum(axis=1) // 2
    assert pairs.tolist() == [n * (n - 1) // 2 for n in trains.n_spikes]


def test_violations_beyond_chance_are_full_contamination() -> None:
    assert contamination([100], [10_000], duration_s=100.0).tolist() == [1.0]


def test_a_pure_poisson_unit_looks_wholly_contaminated() -> None:
    times = np.sort(np.random.default_rng(5).uniform(0, 1000, 20_000))
    quality = unit_quality(spike_trains(times, np.zeros(20_000, dtype=int)), duration_s=1000.0)
    assert quality.contamination[0] > 0.6
    assert quality.presence[0] == 1.0


def test_presence_is_the_share_of_stretches_with_a_spike() -> None:
    trains = spike_trains([1.0, 25.0, 35.0], [0, 0, 0], units=[0, 1])
    assert unit_quality(trains, duration_s=40.0).presence.tolist() == [0.75, 0.0]


def test_a_recording_may_begin_at_any_time() -> None:
    trains = spike_trains([101.0, 111.0], [0, 0])
    over_time = counts_over_time(trains, duration_s=20.0, bin_s=10.0, start_s=100.0)
    assert over_time.values.tolist() == [[1.0, 1.0]]
    assert over_time.edges_s.tolist() == [100.0, 110.0, 120.0]


def test_amplitude_and_depth_over_time_are_medians_per_unit() -> None:
    trains = spike_trains([0.1, 0.2, 0.3, 1.2], [0, 1, 0, 0])
    over_time = median_over_time(trains, [10.0, 99.0, 30.0, 50.0], duration_s=2.0, bin_s=1.0)
    assert over_time.to_dict()["values"] == [[20.0, 50.0], [99.0, None]]
    quality = unit_quality(trains, 2.0, amplitudes_uv=[10.0, 99.0, 30.0, 50.0], depths_um=[20.0] * 4)
    assert quality.amplitude_median_uv.tolist() == [30.0, 99.0]
    assert quality.depth_median_um.tolist() == [20.0, 20.0]


def test_a_drift_map_holds_every_spike_that_has_a_depth() -> None:
    rng = np.random.default_rng(1)
    times, depths = rng.uniform(0, 60, 5000), rng.uniform(0, 3840, 5000)
    depths[:10] = np.nan
    drift = drift_map(times, depths, np.full(5000, 80.0))
    assert drift.n_spikes.sum() == 4990
    assert drift.n_spikes.shape == drift.mean_amplitude_uv.shape
    assert np.nanmax(drift.mean_amplitude_uv) == pytest.approx(80.0)
    assert drift_map([], [], []).n_spikes.tolist() == [[0]]


def test_numbers_that_do_not_belong_to_the_spikes_are_refused() -> None:
    trains = spike_trains([0.1], [0])
    with pytest.raises(BadSpikes, match="values for"):
        median_over_time(trains, [1.0, 2.0], 1.0, 1.0)
    with pytest.raises(BadSpikes, match="depths"):
        drift_map([0.1], [1.0, 2.0], [1.0])


def test_no_spikes_have_no_quality() -> None:
    quality = unit_quality(spike_trains([], [], units=[3]), duration_s=10.0).to_dict()
    assert quality["n_spikes"] == [0]
    assert quality["contamination"] == [None]
    assert autocorrelograms(spike_trains([], [], units=[3])).to_dict()["rate_hz"][0][0] is None
