"""Rules of slices, and microvolts per bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.codec import parse_meta
from cingulum.codec.microvolts import uv_per_bit
from examples.synthetic_recording import spikeglx_meta
from libs.common.problem import BadRequest
from services.compressor.domain.slices import channels_of, span_of


def test_a_neuropixels_1_probe_has_2_34_microvolts_per_bit_and_a_sync_word() -> None:
    gains = uv_per_bit(parse_meta(spikeglx_meta("x.ap.bin", 30_000)), 385)
    assert gains == [2.34375] * 384 + [None]


def test_saved_channels_keep_their_own_gain() -> None:
    meta = {
        "imAiRangeMax": "0.6",
        "imMaxInt": "512",
        "imDatPrb_type": "0",
        "acqApLfSy": "3,3,1",
        "snsApLfSy": "1,1,1",
        "snsSaveChanSubset": "2,4,6",
        "imroTbl": "(0,3)(0 0 0 500 250 1)(1 0 0 500 125 1)(2 0 0 1000 250 1)",
    }
    assert uv_per_bit(meta, 3) == [pytest.approx(0.6 / 512 / 1000 * 1e6), pytest.approx(9.375), None]


def test_a_neuropixels_2_probe_has_a_fixed_gain() -> None:
    meta = {"imAiRangeMax": "0.5", "imMaxInt": "8192", "imDatPrb_type": "24", "snsApLfSy": "2,0,1"}
    assert uv_per_bit(meta, 3) == [pytest.approx(0.762939453), pytest.approx(0.762939453), None]


@pytest.mark.parametrize("change", [{"snsApLfSy": "4,0,1"}, {"imAiRangeMax": "?"}, {"imroTbl": "(0,2)"}])
def test_a_meta_that_contradicts_itself_gives_no_volts(change: dict[str, str]) -> None:
    meta = parse_meta(spikeglx_meta("x.ap.bin", 30_000)) | {"imMaxInt": "512"}
    assert uv_per_bit(meta | change, 385) is None


@given(t0=st.floats(0, 100), length=st.floats(0, 100), n=st.integers(1, 3_000_000), rate=st.floats(1, 40_000))
def test_a_span_outside_the_recording_is_refused(t0: float, length: float, n: int, rate: float) -> None:
    try:
        span = span_of(t0, t0 + length, [0], n_samples=n, sample_rate_hz=rate)
    except BadRequest:
        return
    assert 0 <= span.start < span.stop <= n
    assert abs(span.start - t0 * rate) <= 0.5


@given(st.lists(st.integers(0, 384), min_size=1, max_size=50))
def test_channels_keep_the_order_of_their_names(channels: list[int]) -> None:
    assert channels_of(",".join(map(str, channels)), 385) == channels


@given(st.text(max_size=12))
def test_any_text_names_channels_of_the_recording_or_is_refused(text: str) -> None:
    try:
        channels = channels_of(text, 16)
    except BadRequest:
        return
    assert set(channels) <= set(range(16))
