"""Wheel movements are those the published recordings expect."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis.wheel import (
    TooFewSamples,
    UnevenSampling,
    Wheel,
    counts_to_cm,
    movement_onsets_at,
    movements,
    resample,
    velocity,
)
from examples import ibl_sessions

Recordings = dict[str, ibl_sessions.WheelRecording]


@pytest.fixture(scope="module")
def wheels() -> Recordings:
    return ibl_sessions.read_wheels(ibl_sessions.fetch_wheel(ibl_sessions.cache_folder()))


def test_fourteen_movements_in_evenly_sampled_counts(wheels: Recordings) -> None:
    recorded = wheels["rigbox"]
    moves = movements(Wheel(recorded.times_s, recorded.position, 1000.0), threshold=8, onset_threshold=1.5)
    assert len(moves) == 14
    np.testing.assert_allclose(moves.onsets_s, recorded.moves[:, 0], atol=1e-9)
    np.testing.assert_allclose(moves.offsets_s, recorded.moves[:, 1], atol=1e-9)
    np.testing.assert_allclose(moves.amplitudes, recorded.moves[:, 2], atol=1e-9)
    np.testing.assert_allclose(moves.peak_velocity_times_s, recorded.moves[:, 3], atol=1e-2)


def test_sixty_four_movements_in_unevenly_sampled_centimetres(wheels: Recordings) -> None:
    recorded = wheels["fpga"]
    threshold, onset_threshold = counts_to_cm([8, 1.5])
    moves = movements(resample(recorded.times_s, recorded.position), threshold, onset_threshold)
    assert len(moves) == 64
    np.testing.assert_allclose(moves.onsets_s, recorded.moves[:, 0], atol=1e-5)
    np.testing.assert_allclose(moves.offsets_s, recorded.moves[:, 1], atol=1e-5)
    np.testing.assert_allclose(moves.amplitudes, recorded.moves[:, 2], atol=1e-5)
    np.testing.assert_allclose(moves.peak_velocity_times_s, recorded.moves[:, 3], atol=1e-2)


def test_velocity_is_that_of_the_reference_filter(wheels: Recordings) -> None:
    recorded = wheels["fpga"]
    speed = velocity(resample(recorded.times_s, recorded.position)).velocity
    np.testing.assert_allclose(speed[-3:], [-0.01015202, -0.00839981, -0.00688036], atol=1e-6)


def test_the_movement_of_an_event_is_detected(wheels: Recordings) -> None:
    recorded = wheels["rigbox"]
    moves = movements(Wheel(recorded.times_s, recorded.position, 1000.0), 8, 1.5)
    onsets = movement_onsets_at(moves, [60.2, 85, 103, 130, 188])
    np.testing.assert_allclose(onsets, [np.nan, 79.66293334, 100.73593334, 129.26693334, np.nan])


def test_a_still_wheel_does_not_move() -> None:
    still = Wheel(np.arange(1000) / 1000, np.zeros(1000), 1000.0)
    moves = movements(still, 8, 1.5)
    assert len(moves) == 0
    assert np.isnan(movement_onsets_at(moves, [0.5])).all()
    assert json.dumps(moves.to_dict()) == json.dumps(
        {"onsets_s": [], "offsets_s": [], "amplitudes": [], "peak_velocity_times_s": []}
    )


def test_uneven_times_are_refused() -> None:
    with pytest.raises(UnevenSampling, match="not at"):
        movements(Wheel(np.array([0.0, 0.001, 0.5]), np.zeros(3), 1000.0), 8, 1.5)


def test_too_short_a_recording_is_refused() -> None:
    with pytest.raises(TooFewSamples):
        resample([0.0], [0.0])
    with pytest.raises(TooFewSamples):
        velocity(Wheel(np.arange(5) / 1000, np.zeros(5), 1000.0))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-30, 30), min_size=2, max_size=400), st.integers(1, 40))
def test_movements_are_in_order_long_enough_and_apart(steps: list[int], slow: int) -> None:
    position = np.repeat(np.cumsum(steps), slow).astype(np.float64)
    moves = movements(Wheel(np.arange(len(position)) / 1000, position, 1000.0), 8, 1.5)
    assert (moves.offsets_s - moves.onsets_s >= 0.05 - 1e-9).all()
    assert (moves.onsets_s[1:] - moves.offsets_s[:-1] >= 0.1 - 1e-9).all()
    assert np.isfinite(moves.amplitudes).all()
