"""VoltScale, times and electrodes of a probe's voltage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cingulum.nwb.plan import UNKNOWN, Column, Probe, Report
from cingulum.nwb.voltage import Clock, VoltScale, plan_clock, plan_scale, plan_sites, points_of_band

Messages = list[tuple[str, str]]


@pytest.fixture
def messages() -> Messages:
    return []


def _append(messages: Messages) -> Report:
    return lambda name, reason: messages.append((name, reason))


def test_the_sync_channel_is_left_out_with_a_message(messages: Messages) -> None:
    assert plan_scale("probe00.ap", [2.34375, 2.34375, None], _append(messages)) == VoltScale(2, 2.34375e-06)
    assert messages == [("probe00.ap", "its sync channel is left out (1 of 3 channels)")]


@pytest.mark.parametrize("factors", [None, [None], [None, 2.0]])
def test_without_volts_there_is_no_series(factors: list[float | None] | None, messages: Messages) -> None:
    assert plan_scale("probe00.ap", factors, _append(messages)) is None
    assert "left out" in messages[0][1]


def test_a_clock_on_a_line_is_a_rate(messages: Messages) -> None:
    points = np.array([[0.0, 10.0], [1_000.0, 11.0], [2_000.0, 12.0]])
    clock = plan_clock("p", 1_000.5, points, _append(messages))
    assert (clock.start, clock.rate, clock.knots) == (10.0, 1_000.0, None)
    assert clock.times(1_500, 1_501).tolist() == [11.5]
    assert messages == []


def test_a_clock_that_drifts_has_a_time_for_each_sample(messages: Messages) -> None:
    points = np.array([[100.0, 1.0], [1_100.0, 2.0], [2_100.0, 3.5]])
    clock = plan_clock("p", 1_000.0, points, _append(messages))
    assert clock.knots is not None
    assert clock.times(0, 1)[0] == pytest.approx(0.9)  # before the first point, on its line
    assert clock.times(100, 101)[0] == 1.0
    assert clock.times(1_600, 1_601)[0] == pytest.approx(2.75)
    assert clock.times(3_100, 3_101)[0] == pytest.approx(5.0)
    assert (np.diff(clock.times(0, 4_000)) > 0).all()
    line = plan_clock("p", 1_000.0, points, _append(messages), exact=False)
    assert line.knots is None
    assert "up to 250 ms off" in messages[-1][1]


@pytest.mark.parametrize(
    "points",
    [np.zeros((0, 2)), np.zeros((1, 2)), np.zeros((3, 2)), np.zeros(4), np.array([[0, 0], [1, np.nan]])],
)
def test_points_that_do_not_rise_are_not_used(points: NDArray[np.float64], messages: Messages) -> None:
    assert plan_clock("p", 500.0, points, _append(messages)) == Clock(0.0, 500.0)
    assert "probe's own clock" in messages[0][1]


def test_points_count_samples_of_the_spike_band() -> None:
    points = np.array([[0.0, 0.0], [30_000.0, 1.0]])
    assert points_of_band(points, "ap", 30_000.0, None) is points
    assert points_of_band(points, "lf", 2_500.0, None)[1].tolist() == [2_500.0, 1.0]
    assert points_of_band(points, "lf", 3_000.0, 30_000.0)[1].tolist() == [3_000.0, 1.0]


def _sites(n: int) -> Probe:
    return Probe(
        "probe00", "", (Column("rel_x", "x", np.arange(n) * 10.0),), tuple(f"CA{i}" for i in range(n))
    )


def test_sites_are_placed_by_their_raw_rows(messages: Messages) -> None:
    probe = plan_sites("probe00", 4, {}, _sites(3), np.array([3, 0, 1]), _append(messages))
    assert probe.locations == ("CA1", "CA2", UNKNOWN, "CA0")
    assert probe.electrodes[0].values[[0, 1, 3]].tolist() == [10.0, 20.0, 0.0]
    assert np.isnan(probe.electrodes[0].values[2])
    assert messages == []


@pytest.mark.parametrize("rows", [None, np.array([0, 0, 1]), np.array([0, 1, 9]), np.array([0, 1])])
def test_sites_of_other_channels_are_not_used(rows: NDArray[np.int64] | None, messages: Messages) -> None:
    probe = plan_sites("probe00", 4, {}, _sites(3), rows, _append(messages))
    assert (probe.locations, probe.electrodes) == ((UNKNOWN,) * 4, ())
    assert messages == [("probe00.channels", "are 3, the recording has 4: not used")]


def test_positions_come_from_a_newer_meta(messages: Messages) -> None:
    meta = {"imDatPrb_type": "24", "snsGeomMap": "(NP2013,4,250,70)(0:27:0:1)(0:59:15:1)"}
    probe = plan_sites("probe01", 2, meta, None, None, _append(messages))
    assert probe.model == "Neuropixels 2.0 with four shanks"
    assert [column.values.tolist() for column in probe.electrodes] == [[27.0, 59.0], [0.0, 15.0]]
