"""Reading the index of a recording: of the .cgl or the .ch, with the scale of its .meta."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from cingulum.codec import CbinHeader, Claim, CodecError, Facts, contradictions, parse_meta, read_index
from cingulum.codec.claims import claimed_sha1, claims_of_meta
from cingulum.codec.microvolts import uv_per_bit
from libs.common.observability import logger
from libs.common.storage import Store
from services.compressor.domain.recordings import IndexedRecording, RecordingIndex, StoredRecording
from services.compressor.operations.slice_cache import bytes_between, ranges_by_loop

MAX_CH_BYTES = 16 << 20  # five days of one-second chunks
MAX_CHUNK_BYTES = 128 << 20  # five seconds of one probe; a chunk has one
MAX_META_BYTES = 1 << 20  # the longest of SpikeGLX have some 100 KB


async def read_recording(store: Store, recording: StoredRecording) -> IndexedRecording:
    """Read the index or the .ch, the .meta and the size of the file. Raises CodecError, ObjectMissing."""
    compressed_bytes = (await store.stat(recording.sha256)).size_bytes
    claims: tuple[Claim, ...] = ()
    if recording.ch_sha256 is None:
        index = await _read_cgl(store, recording.sha256, compressed_bytes)
    else:
        index, claims = await _read_ch(store, recording.ch_sha256, compressed_bytes)
    scale = None
    raw_sha1 = index.raw_sha1
    if recording.meta_sha256 is not None:
        content = await _read_whole(store, recording.meta_sha256, MAX_META_BYTES)
        scale, claimed = await asyncio.to_thread(_parse_meta, content, index.n_channels)
        claims += claimed
        raw_sha1 = raw_sha1 or claimed_sha1(claimed)
    index = replace(index, raw_sha1=raw_sha1)
    doubts = [str(doubt) for doubt in contradictions(claims, _facts_of(index, compressed_bytes))]
    if doubts:
        logger("index").warning(
            "companions contradict the recording", dataset=str(recording.dataset_id), doubts=doubts
        )
    return IndexedRecording(index, compressed_bytes, scale, doubts)


def _parse_meta(content: bytes, n_channels: int) -> tuple[list[float | None] | None, tuple[Claim, ...]]:
    """Microvolts per bit by channel, and what the .meta claims of its recording."""
    meta = parse_meta(content.decode("utf-8-sig", "replace"))
    return uv_per_bit(meta, n_channels), claims_of_meta(meta, "the .meta")


def _facts_of(index: RecordingIndex, compressed_bytes: int) -> Facts:
    """What the index tells of the raw file, to be compared with the claims of companions."""
    return Facts(
        size_bytes=index.raw_bytes,
        n_channels=index.n_channels,
        n_samples=index.n_samples,
        sample_rate_hz=index.sample_rate_hz,
        tail_bytes=len(index.tail),
        sha1=index.raw_sha1,
        compressed_bytes=compressed_bytes,
    )


async def _read_cgl(store: Store, sha256: str, size_bytes: int) -> RecordingIndex:
    read_range = ranges_by_loop(store, sha256, asyncio.get_running_loop())
    index = await asyncio.to_thread(read_index, read_range, size_bytes)
    if len(index.chunk_bounds) < 2:
        raise CodecError("it contains no complete sample")
    _check_chunks(index.chunk_bounds, index.n_channels * index.dtype.itemsize)
    return RecordingIndex(
        n_channels=index.n_channels,
        n_samples=index.chunk_bounds[-1],
        sample_rate_hz=index.sample_rate_hz,
        dtype=index.dtype.str,
        chunk_bounds=tuple(index.chunk_bounds),
        chunk_offsets=tuple(index.chunk_offsets),
        raw_bytes=index.raw.size_bytes,
        raw_sha256=index.raw.sha256,
        raw_sha1=index.raw.sha1,
        tail=index.tail,
    )


async def _read_ch(store: Store, ch_sha256: str, size_bytes: int) -> tuple[RecordingIndex, tuple[Claim, ...]]:
    """The index of the .ch, and what the .ch claims besides."""
    header = await asyncio.to_thread(CbinHeader.parse, await _read_whole(store, ch_sha256, MAX_CH_BYTES))
    if header.chunk_offsets[-1] != size_bytes:
        raise CodecError(
            f"the .ch is of a file of {header.chunk_offsets[-1]} bytes, the .cbin has {size_bytes}"
        )
    _check_chunks(header.chunk_bounds, header.n_channels * header.dtype.itemsize)
    index = RecordingIndex(
        n_channels=header.n_channels,
        n_samples=header.chunk_bounds[-1],
        sample_rate_hz=header.sample_rate_hz,
        dtype=header.dtype.str,
        chunk_bounds=tuple(header.chunk_bounds),
        chunk_offsets=tuple(header.chunk_offsets),
        raw_bytes=header.chunk_bounds[-1] * header.n_channels * header.dtype.itemsize + len(header.tail),
        raw_sha256=header.sha256_uncompressed,
        raw_sha1=header.sha1_uncompressed,
        tail=header.tail,
        chunk_order=header.chunk_order,
        do_time_diff=header.do_time_diff,
        do_spatial_diff=header.do_spatial_diff,
    )
    return index, header.claims


def _check_chunks(bounds: Sequence[int], bytes_per_sample: int) -> None:
    """Raise CodecError for chunks that would block a decoder for too long."""
    longest = max(b - a for a, b in pairwise(bounds)) * bytes_per_sample if len(bounds) > 1 else 0
    if longest > MAX_CHUNK_BYTES:
        raise CodecError(
            f"its chunks have up to {longest >> 20} MiB, more than the {MAX_CHUNK_BYTES >> 20} that a server decodes "
            "at once: compress it again in chunks of one second"
        )


async def _read_whole(store: Store, sha256: str, max_bytes: int) -> bytes:
    """All of a companion. Raises CodecError for one that is longer than any valid one."""
    size_bytes = (await store.stat(sha256)).size_bytes
    if size_bytes > max_bytes:
        raise CodecError(f"a companion has {size_bytes} bytes, more than the {max_bytes} that is allowed")
    return await bytes_between(store, sha256, 0, size_bytes)
