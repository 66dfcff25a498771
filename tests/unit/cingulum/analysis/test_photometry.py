"""Photometry is cut around events, set against its baseline, and averaged per condition."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cingulum.analysis.photometry import BadSignal, delta_f_over_f, mean_response, peri_event

RATE_HZ = 40.0
TIMES_S = np.arange(0, 100, 1 / RATE_HZ)


def a_recording(events_s: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A slow drift with a decaying transient of height 2 after each event."""
    signal = 10 + 0.01 * TIMES_S
    for event in events_s:
        after = np.clip(TIMES_S - event, 0, None)
        signal = signal + 2 * np.exp(-after / 0.5) * (event <= TIMES_S)
    return signal


def test_a_transient_appears_at_its_event() -> None:
    events = [10.0, 30.0, 50.0]
    cut = peri_event(TIMES_S, a_recording(events), events, rate_hz=RATE_HZ)
    at_event = int(np.searchsorted(cut.offsets_s, 0.0))
    assert cut.traces[:, at_event].tolist() == pytest.approx([2.0] * 3, abs=0.05)
    assert np.abs(cut.traces[:, : at_event - 1]).max() < 0.02


def test_an_event_at_the_edge_of_the_recording_is_left_out_of_the_mean() -> None:
    cut = peri_event(TIMES_S, a_recording([50.0]), [0.5, 50.0, 99.5, np.nan], rate_hz=RATE_HZ)
    answer = mean_response(cut, {"all": np.ones(4, dtype=bool), "none": np.zeros(4, dtype=bool)})
    assert answer.n_events.tolist() == [1, 0]
    written = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert written["mean"][1][0] is None
    assert written["sem"][0][0] is None
    assert json.loads(json.dumps(cut.to_dict(), allow_nan=False))["traces"][0][0] is None


def test_conditions_are_averaged_apart() -> None:
    events = [10.0, 20.0, 30.0, 40.0]
    cut = peri_event(TIMES_S, a_recording([10.0, 30.0]), events, rate_hz=RATE_HZ)
    answer = mean_response(
        cut, {"reward": [True, False, True, False], "omission": [False, True, False, True]}
    )
    peak = answer.mean.max(axis=1)
    assert peak[0] == pytest.approx(2.0, abs=0.05)
    assert peak[1] == pytest.approx(0.02, abs=0.02)


def test_a_score_is_in_deviations_of_the_baseline() -> None:
    noisy = a_recording([50.0]) + np.random.default_rng(2).normal(0, 0.1, len(TIMES_S))
    cut = peri_event(TIMES_S, noisy, [50.0], rate_hz=RATE_HZ, score=True)
    before = cut.traces[0, cut.offsets_s < -0.02]
    assert before.std() == pytest.approx(1.0, abs=0.1)
    assert cut.traces[0].max() > 10


def test_what_control_and_signal_share_is_taken_out() -> None:
    bleaching = 5 * np.exp(-TIMES_S / 50)
    response = a_recording([50.0]) - 10 - 0.01 * TIMES_S
    corrected = delta_f_over_f(3 * bleaching + 4 + response, bleaching)
    assert np.abs(corrected[: int(49 * RATE_HZ)]).max() < 0.05
    assert corrected[int(50 * RATE_HZ)] > 0.1


def test_a_flat_control_leaves_the_mean_as_baseline() -> None:
    assert delta_f_over_f([1.0, 3.0, np.nan], [5.0, 5.0, 5.0])[:2].tolist() == [-0.5, 0.5]


def test_a_signal_that_cannot_be_is_refused() -> None:
    with pytest.raises(BadSignal):
        peri_event([1.0, 0.0], [1.0, 1.0], [0.5])
    with pytest.raises(BadSignal):
        peri_event([1.0], [1.0, 1.0], [0.5])
    with pytest.raises(BadSignal, match="not overlap the baseline"):
        peri_event(TIMES_S, TIMES_S, [50.0], window_s=(0.0, 1.0))
    with pytest.raises(BadSignal):
        delta_f_over_f([1.0], [1.0, 2.0])


def test_a_signal_of_nothing_known_is_nothing_known() -> None:
    assert np.isnan(peri_event([0.0, 1.0], [np.nan, np.nan], [0.5]).traces).all()
