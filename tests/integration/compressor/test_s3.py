"""Recordings in a real S3 store, read by the service and by users."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from cingulum.codec import Recording
from libs.common.storage.s3 import S3Store
from libs.common.storage.s3_bucket import S3Place, connect
from services.compressor.domain.recordings import RecordingState, StoredRecording
from services.compressor.domain.slices import Span, Transform
from services.compressor.operations.indexing import read_recording
from services.compressor.operations.slice_cache import OpenRecording, SliceCache, reader_of
from services.compressor.operations.slices import read_slice, stream_raw
from tests.support.recordings import STEM, Compressed, a_recording
from tests.support.weed import weed_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Place]:
    with weed_server() as place:
        yield place


@pytest.fixture(params=["cbin", "cgl"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Compressed:
    return a_recording(tmp_path / "made", suffix=request.param, tail=b"odd")


async def stored(server: S3Place, recording: Compressed) -> dict[str, str]:
    """Put all files into the store; their keys in the bucket by name."""
    async with AsyncExitStack() as connections:
        await (await connect(server, connections)).create_bucket()
    store = await S3Store.connect(server)
    keys = {}
    for name, data in recording.files.items():
        sha256 = (await store.put(data)).sha256
        keys[name] = f"objects/{sha256[:2]}/{sha256}"
    await store.close()
    return keys


async def test_slices_and_the_raw_file_are_read_by_s3_ranges(server: S3Place, recording: Compressed) -> None:
    keys = await stored(server, recording)
    hashes = {name.rpartition(".")[2]: key.rpartition("/")[2] for name, key in keys.items()}
    store = await S3Store.connect(server)
    unindexed = StoredRecording(
        dataset_id=uuid4(),
        state=RecordingState.INDEXED,
        problem="",
        sha256=hashes.get("cgl") or hashes["cbin"],
        ch_sha256=hashes.get("ch"),
        meta_sha256=None,
        index=None,
        uv_per_bit=None,
        doubts=[],
        indexed_at=None,
    )
    indexed = await read_recording(store, unindexed)
    stored_recording = replace(unindexed, index=indexed.index)
    cache, opened = SliceCache(store, 2), OpenRecording(stored_recording, reader_of(stored_recording))
    samples = await read_slice(cache, opened, Span(900, 2_100, (3, 0)), Transform())
    np.testing.assert_array_equal(samples, recording.samples[900:2_100, [3, 0]])
    sent = [part async for part in stream_raw(cache, opened, 9_995, len(recording.raw))]
    assert b"".join(sent) == recording.raw[9_995:]
    await store.close()


async def test_a_user_opens_an_object_by_its_s3_address(
    server: S3Place, recording: Compressed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored(server, recording)
    async with AsyncExitStack() as connections:
        bucket = await connect(server, connections)
        for name, data in recording.files.items():
            await bucket.put(f"lab/probe 00/{name}", io.BytesIO(data), hashlib.sha256(data).hexdigest())
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_access_key)
    packed = next(name for name in recording.files if name.endswith((".cbin", ".cgl")))
    where = f"s3://{server.bucket}/lab/probe 00/{packed}"

    def read() -> Any:
        with Recording.open(where, cache=tmp_path / "cache") as opened:
            assert opened.shape == recording.samples.shape
            return opened[1_990:3_010, [4, 1]]

    for _ in range(2):
        np.testing.assert_array_equal(await asyncio.to_thread(read), recording.samples[1_990:3_010, [4, 1]])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        await asyncio.to_thread(Recording.open, where)
    assert STEM in where
