"""Which recordings a file belongs to by its name."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from services.compressor.domain.recordings import (
    PACKED,
    NotIndexed,
    RecordingState,
    StoredRecording,
    recordings_of,
)


def test_a_ch_is_a_companion_of_a_cbin_only() -> None:
    assert recordings_of("_spikeglx_ephysData_g0_t0.imec0.ap.ch") == (".cbin",)


def test_a_meta_is_a_companion_of_every_compressed_form() -> None:
    assert recordings_of("_spikeglx_ephysData_g0_t0.imec0.ap.meta") == PACKED


@pytest.mark.parametrize("name", ["a.ap.CH", "a.ap.Meta"])
def test_the_case_of_an_extension_does_not_matter(name: str) -> None:
    assert recordings_of(name)


@pytest.mark.parametrize("name", ["spikes.times.npy", "a.ap.cbin", "meta", "", "a.ch.bin"])
def test_no_other_file_is_a_companion(name: str) -> None:
    assert recordings_of(name) == ()


def test_a_recording_without_an_index_is_a_conflict_with_a_stable_slug() -> None:
    assert (NotIndexed.status, NotIndexed().body()["type"]) == (409, "not-indexed")


def test_samples_depend_on_the_ch_of_a_cbin() -> None:
    """Caches and ETags are by this: after a wrong .ch was replaced, old samples must not be sent."""
    cgl = StoredRecording(
        dataset_id=uuid4(),
        state=RecordingState.INDEXED,
        problem="",
        sha256="a" * 64,
        ch_sha256=None,
        meta_sha256=None,
        index=None,
        uv_per_bit=None,
        doubts=[],
        indexed_at=None,
    )
    wrong, right = replace(cgl, ch_sha256="b" * 64), replace(cgl, ch_sha256="c" * 64)
    assert len({cgl.samples_id, wrong.samples_id, right.samples_id}) == 3
