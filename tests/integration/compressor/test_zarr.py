"""Recordings as Zarr arrays over HTTP."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import zarr

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from tests.support.lab import Laboratory, laboratory
from tests.support.recordings import RATE_HZ, UV_PER_BIT, Compressed, a_recording
from tests.support.slices import ready
from tests.support.system import Cingulum


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session."""
    return await laboratory(cingulum)


@pytest.fixture(params=["cbin", "cgl"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Compressed:
    return a_recording(tmp_path / "made", suffix=str(request.param), tail=b"odd")


async def test_a_stranger_is_refused_and_what_is_hidden_is_not_found(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    address = path.replace("/slices/", "/zarr/")
    stranger = await cingulum.start(Service.COMPRESSOR)
    public = compressor.as_(Principal(uuid4(), "public", is_public=True))
    for key in (".zarray", "zarr.json", "0.0", "c/0/0", "other"):
        assert (await stranger.get(f"{address}/{key}")).status_code == 403
        assert (await public.get(f"{address}/{key}")).status_code == 404
        assert (await compressor.get(f"/zarr/{uuid4()}/{key}")).status_code == 404


@pytest.mark.parametrize("version", [2, 3])
async def test_a_reader_of_zarr_reads_the_samples(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed, version: int, tmp_path: Path
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    address = path.replace("/slices/", "/zarr/")
    documents = [".zarray", ".zattrs"] if version == 2 else ["zarr.json"]
    blocks = [f"{n}.0" if version == 2 else f"c/{n}/0" for n in range(5)]
    for key in [*documents, ".zgroup", ".zmetadata", *blocks]:
        response = await compressor.get(f"{address}/{key}")
        if response.status_code == 200:
            target = tmp_path / "copied" / key
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(response.content)
        else:
            assert response.status_code == 404, response.text
    array = zarr.open_array(tmp_path / "copied", mode="r")
    assert (array.metadata.zarr_format, array.dtype, array.chunks) == (version, np.dtype("<i2"), (1000, 5))
    np.testing.assert_array_equal(array[:], recording.samples)
    assert array.attrs["sampling_frequency"] == RATE_HZ
    assert array.attrs["uv_per_bit"] == [*UV_PER_BIT, None]


async def test_a_block_has_ranges_a_tag_and_a_size_without_its_bytes(
    cingulum: Cingulum, lab: Laboratory, recording: Compressed
) -> None:
    compressor, path = await ready(cingulum, lab, recording)
    block = path.replace("/slices/", "/zarr/") + "/3.0"
    whole = await compressor.get(block)
    assert len(whole.content) == 10_000
    np.testing.assert_array_equal(
        np.frombuffer(whole.content, "<i2").reshape(1000, 5)[:300], recording.samples[3000:]
    )
    assert set(whole.content[3000:]) == {0}
    part = await compressor.get(block, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    head = await compressor.request("HEAD", block)
    assert (head.headers["Content-Length"], head.content) == ("10000", b"")
    again = await compressor.get(block, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
