"""Which recordings a file belongs to by its name."""

from __future__ import annotations

import pytest

from services.compressor.domain.recordings import PACKED, NotIndexed, recordings_of


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
