"""Rasters and PSTHs count each spike once, in the bin and for the unit it belongs to."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis.spikes import BadSpikes, psth, raster, raster_counts, spike_trains
from examples.ibl_sessions import ProbeRecording

SPIKES = st.lists(st.tuples(st.floats(0, 10), st.integers(0, 3)), max_size=80)
EVENTS = st.lists(st.one_of(st.floats(0, 10), st.just(float("nan"))), max_size=6)


def test_a_real_probe_s_counts_are_those_of_a_plain_histogram(probe: ProbeRecording) -> None:
    trains = spike_trains(probe.times_s, probe.clusters)
    counts = raster_counts(trains, probe.event_times_s)
    assert counts.counts.shape == (289, 18, 80)
    for row in (0, 100, 288):
        own = probe.times_s[probe.clusters == trains.units[row]]
        for event in (0, 17):
            expected, _ = np.histogram(own - probe.event_times_s[event], bins=counts.edges_s)
            assert counts.counts[row, event].sum() == pytest.approx(expected.sum(), abs=1)
            assert np.abs(counts.counts[row, event].astype(int) - expected).sum() <= 2


def test_a_psth_averages_the_events_of_its_condition(probe: ProbeRecording) -> None:
    trains = spike_trains(probe.times_s, probe.clusters)
    counts = raster_counts(trains, probe.event_times_s)
    first = probe.event_groups == 0
    answer = psth(counts, {"first": first, "second": ~first}, smoothing_s=None)
    assert answer.n_events.tolist() == [first.sum(), (~first).sum()]
    np.testing.assert_allclose(answer.rate_hz[:, 0], counts.counts[:, first].mean(axis=1) / 0.025)
    expected = counts.counts[:, first].std(axis=1, ddof=1) / np.sqrt(first.sum()) / 0.025
    np.testing.assert_allclose(answer.sem_hz[:, 0], expected)


def test_smoothing_keeps_the_number_of_spikes(probe: ProbeRecording) -> None:
    counts = raster_counts(spike_trains(probe.times_s, probe.clusters), probe.event_times_s)
    everything = {"all": np.ones(18, dtype=bool)}
    rough, smooth = (psth(counts, everything, smoothing_s=s).rate_hz for s in (None, 0.025))
    assert smooth.mean() == pytest.approx(rough.mean(), rel=0.02)
    assert smooth.std() < rough.std()


def test_a_condition_without_events_has_no_rate_and_one_event_no_error() -> None:
    counts = raster_counts(spike_trains([1.0], [0]), [1.0, 2.0], window_s=(-0.5, 0.5), bin_s=0.5)
    answer = psth(counts, {"none": [False, False], "one": [True, False]}).to_dict()
    json.dumps(answer, allow_nan=False)
    assert answer["rate_hz"][0][0] == [None, None]
    assert answer["sem_hz"][0][1] == [None, None]
    assert answer["rate_hz"][0][1] != [None, None]


def test_a_chosen_unit_without_spikes_keeps_its_row() -> None:
    trains = spike_trains([1.0, 2.0, 3.0], [5, 9, 5], units=[5, 7])
    assert trains.units.tolist() == [5, 7]
    assert trains.n_spikes.tolist() == [2, 0]


def test_an_event_of_unknown_time_has_no_spikes() -> None:
    trains = spike_trains([1.0, 2.0], [0, 0])
    assert raster(trains, 0, [np.nan, 1.5]).event.tolist() == [1, 1]


@pytest.mark.parametrize(("times", "clusters"), [([1.0], [1, 2]), ([np.nan], [1]), ([np.inf], [1])])
def test_spikes_that_cannot_be_are_refused(times: list[float], clusters: list[int]) -> None:
    with pytest.raises(BadSpikes):
        spike_trains(times, clusters)
    with pytest.raises(BadSpikes, match="no unit 3"):
        raster(spike_trains([1.0], [1]), 3, [1.0])


@settings(max_examples=80, deadline=None)
@given(SPIKES, EVENTS)
def test_dots_and_counts_agree(spikes: list[tuple[float, int]], events: list[float]) -> None:
    trains = spike_trains([time for time, _ in spikes], [unit for _, unit in spikes])
    counts = raster_counts(trains, events, window_s=(-1.0, 1.0), bin_s=0.1)
    for row, unit in enumerate(trains.units):
        dots = raster(trains, int(unit), events)
        assert (
            np.bincount(dots.event, minlength=len(events)).tolist() == counts.counts[row].sum(axis=1).tolist()
        )
        assert ((dots.offset_s >= -1.0 - 1e-9) & (dots.offset_s < 1.0 + 1e-9)).all()


def test_no_spikes_and_no_events_are_empty_answers() -> None:
    trains = spike_trains([], [])
    assert raster_counts(trains, []).counts.shape == (0, 0, 80)
    assert psth(raster_counts(trains, [1.0]), {"all": [True]}).rate_hz.shape == (0, 1, 80)


def test_events_outside_the_recording_are_not_counted() -> None:
    trains = spike_trains([10.05, 20.05], [0, 0])
    events = [10.0, 20.0, 500.0, np.nan]
    counts = raster_counts(trains, events, window_s=(0.0, 0.1), bin_s=0.1, recording_s=(0.0, 30.0))
    answer = psth(counts, {"all": np.ones(4, dtype=bool)}, smoothing_s=None)
    assert answer.n_events.tolist() == [2]
    assert answer.rate_hz[0, 0].tolist() == [10.0]
