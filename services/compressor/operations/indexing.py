"""Indexing compressed recordings, and proving them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from cingulum.codec import (
    CbinHeader,
    ChunkedReader,
    Claim,
    CodecError,
    Digests,
    Facts,
    contradictions,
    decode,
    encode,
    parse_meta,
    read_index,
)
from cingulum.codec.claims import claimed_sha1, claims_of_meta
from cingulum.digests import Hasher
from libs.common.bus.failures import Cause, cause_of
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.storage import ObjectMissing, StorageProblem, Store
from services.compressor import queries
from services.compressor.domain import uv_per_bit
from services.compressor.models import RecordingRow
from services.compressor.operations.slices import Shelf, bytes_between, raw_chunk, reader_of

MAX_CH_BYTES = 16 << 20  # five days of one-second chunks
MOST_CHUNK_BYTES = 128 << 20  # five seconds of one probe; a chunk has one
MAX_META_BYTES = 1 << 20  # the longest of SpikeGLX have some 100 KB
AGAIN_S = 15.0  # after the store did not give a recording


def make_ready() -> None:
    """Load the kernels, so that the first slice does not wait seconds for them."""
    ramp = np.arange(100_000, dtype="<i2").reshape(2_500, 40) % 97
    decode(encode(ramp, preset="small"))
    decode(encode(ramp, preset="fast"))


class Indexer:
    """Reads the index of new recordings, then proves them by decoding all of each, again and again."""

    def __init__(self, writer: Writer, shelf: Shelf, every_s: float, *, prove: bool) -> None:
        self._writer, self._shelf, self._every_s, self._prove = writer, shelf, every_s, prove
        self._soon = asyncio.Event()
        self._later: dict[UUID, float] = {}  # recordings that the store could not give, and when to ask again

    def poke(self) -> None:
        """Something may be wanted: look now."""
        self._soon.set()

    async def run(self) -> None:
        """Index until cancelled. A database or a store that is away is waited for."""
        scan_at, ready = 0.0, False
        while True:
            self._soon.clear()
            try:
                if time.monotonic() >= scan_at:
                    async with self._writer.begin() as tx:
                        await tx.session.execute(queries.wanting())
                    scan_at = time.monotonic() + self._every_s
                if await self.index_wanted() and not ready:
                    await asyncio.to_thread(make_ready)
                    ready = True
                while self._prove and await self.prove_one() and not self._soon.is_set():
                    pass
            except DATABASE_ERRORS as error:
                logger("index").info("indexing waits", error=str(error))
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                wake_at = min([scan_at, *self._later.values()])
                await asyncio.wait_for(self._soon.wait(), max(0.0, wake_at - time.monotonic()))

    async def index_wanted(self) -> bool:
        """Index what is wanted now; whether there is any recording out of which slices can be read.

        What is wrong with one recording is written down with it, and the next one has its turn.
        """
        async with self._writer.database.read_long() as read:
            rows = await queries.wanted(read, but=self._postponed())
        for row in rows:
            try:
                found = await look_into(self._shelf.store, row)
            except Exception as error:  # noqa: BLE001 - of whatever kind, it is written down with the recording
                if self._is_for_later(error, row):
                    continue
                found = {"state": "unreadable", "problem": _problem(error, row)}
            await self._index(row, found)
        async with self._writer.database.read_long() as read:
            return await queries.any_indexed(read)

    async def _index(self, row: RecordingRow, found: dict[str, Any]) -> None:
        """Write what was found; what the database refuses to hold is a problem of the recording."""
        try:
            await self._write(row, found, "wanted", "index", {"state": found["state"]})
        except DATABASE_ERRORS as error:
            if cause_of(error) is Cause.TRANSIENT:
                raise
            refused = {"state": "unreadable", "problem": _problem(error, row)}
            await self._write(row, refused, "wanted", "index", {"state": "unreadable"})

    async def prove_one(self) -> bool:
        """Decode all of a recording that nobody has proved here, and compare hashes; whether there was one."""
        async with self._writer.database.read_long() as read:
            row = await queries.unproved(read, but=self._postponed())
        if row is None:
            return False
        try:
            found = _proof(row, await self._decoded(row))
        except Exception as error:  # noqa: BLE001 - written down with the recording
            if self._is_for_later(error, row):
                return True
            found = {"proof_problem": _problem(error, row)}
        if "proof_problem" in found:
            logger("index").error(
                "a recording is not proved", dataset=str(row.dataset_id), why=found["proof_problem"]
            )
        after = {"proved": "proved_at" in found, "problem": found.get("proof_problem", "")}
        await self._write(row, found, "indexed", "prove", after)
        return True

    def _is_for_later(self, error: Exception, row: RecordingRow) -> bool:
        """Whether an error says something about the store only: others have their turn, and this one another."""
        if isinstance(error, ObjectMissing) or not isinstance(error, StorageProblem | OSError):
            return False
        logger("index").warning("the store does not give it", dataset=str(row.dataset_id), error=str(error))
        self._later[row.dataset_id] = time.monotonic() + AGAIN_S
        return True

    def _postponed(self) -> list[UUID]:
        now = time.monotonic()
        self._later = {dataset_id: at for dataset_id, at in self._later.items() if at > now}
        return [*self._later]

    async def _write(
        self, row: RecordingRow, found: dict[str, Any], state: str, action: str, after: dict[str, Any]
    ) -> None:
        """Write what was found of a recording in that state."""
        async with self._writer.begin() as tx:
            if await queries.write(tx.session, row, found, state=state):
                tx.audit(action, "recording", row.dataset_id, after=after)

    async def _decoded(self, row: RecordingRow) -> Digests:
        reader = reader_of(row).reading(await self._shelf.ranges_of(row.sha256))
        hasher = Hasher(sha1=True)
        for chunk in range(reader.n_chunks):
            await self._shelf.decode(_hash_chunk, reader, chunk, hasher)  # slices have their turn between two
        hasher.update(reader.tail)
        return hasher.digests()


async def look_into(store: Store, row: RecordingRow) -> dict[str, Any]:
    """What the index or the .ch, the .meta and the size of the file tell. Raises CodecError, ObjectMissing."""
    compressed = (await store.stat(row.sha256)).size_bytes
    claims: tuple[Claim, ...] = ()
    if row.ch_sha256 is None:
        found = await _look_into_cgl(store, row.sha256, compressed)
    else:
        found, claims = await _look_into_ch(store, row.ch_sha256, compressed)
    gains = None
    if row.meta_sha256 is not None:
        text = await _whole(store, row.meta_sha256, MAX_META_BYTES)
        gains, claimed = await asyncio.to_thread(_read_meta, text, found["n_channels"])
        claims += claimed
        found["raw_sha1"] = found["raw_sha1"] or claimed_sha1(claimed)
    doubts = [str(one) for one in contradictions(claims, _facts(found, compressed))]
    if doubts:
        logger("index").warning("companions contradict it", dataset=str(row.dataset_id), doubts=doubts)
    return {
        **found,
        "state": "indexed",
        "compressed_bytes": compressed,
        "ratio": found["raw_bytes"] / compressed,
        "uv_per_bit": gains,
        "doubts": doubts,
        "indexed_at": sa.func.now(),
    }


def _proof(row: RecordingRow, digests: Digests) -> dict[str, Any]:
    """Whether it decodes to the bytes that were compressed, by every hash of them that its companions tell."""
    for known, is_it in ((row.raw_sha256, digests.sha256), (row.raw_sha1, digests.sha1)):
        if known not in (None, is_it):
            problem = f"it decodes to bytes whose hash is {is_it}, not {known}"
            return {"proof_problem": problem, "doubts": [*row.doubts, problem]}
    return {"proved_at": sa.func.now(), "raw_sha256": digests.sha256}


def _problem(error: Exception, row: RecordingRow) -> str:
    """What is wrong with a recording, as text that can be stored."""
    if isinstance(error, CodecError | ObjectMissing):
        logger("index").warning("a recording cannot be read", dataset=str(row.dataset_id), why=str(error))
        told = str(error) or type(error).__name__
    else:
        logger("index").error("reading a recording failed", dataset=str(row.dataset_id), exc_info=error)
        told = f"reading it failed ({type(error).__name__})"
    return "".join(c if c.isprintable() else "�" for c in told)


def _read_meta(content: bytes, n_channels: int) -> tuple[list[float | None] | None, tuple[Claim, ...]]:
    """Microvolts of one bit by channel, and what the .meta claims of its recording."""
    meta = parse_meta(content.decode("utf-8-sig", "replace"))
    return uv_per_bit(meta, n_channels), claims_of_meta(meta, "the .meta")


def _facts(found: Mapping[str, Any], compressed_bytes: int) -> Facts:
    """What the header tells of the raw file, to be compared with what companions claim."""
    return Facts(
        size_bytes=found["raw_bytes"],
        n_channels=found["n_channels"],
        n_samples=found["n_samples"],
        sample_rate_hz=found["sample_rate_hz"],
        tail_bytes=len(found["tail"]),
        sha1=found["raw_sha1"],
        compressed_bytes=compressed_bytes,
    )


async def _look_into_cgl(store: Store, sha256: str, size_bytes: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()

    def ask(offset: int, length: int) -> bytes:
        return asyncio.run_coroutine_threadsafe(
            bytes_between(store, sha256, offset, offset + length), loop
        ).result()

    index = await asyncio.to_thread(read_index, ask, size_bytes)
    if len(index.chunk_bounds) < 2:
        raise CodecError("it holds no whole sample")
    _check_chunks(index.chunk_bounds, index.n_channels * index.dtype.itemsize)
    return {
        "n_channels": index.n_channels,
        "n_samples": index.chunk_bounds[-1],
        "sample_rate_hz": index.sample_rate_hz,
        "dtype": index.dtype.str,
        "chunk_bounds": list(index.chunk_bounds),
        "chunk_offsets": list(index.chunk_offsets),
        "raw_bytes": index.raw.size_bytes,
        "raw_sha256": index.raw.sha256,
        "raw_sha1": index.raw.sha1,
        "tail": index.tail,
    }


async def _look_into_ch(
    store: Store, ch_sha256: str, size_bytes: int
) -> tuple[dict[str, Any], tuple[Claim, ...]]:
    """What the .ch tells, and what it claims twice."""
    header = await asyncio.to_thread(CbinHeader.parse, await _whole(store, ch_sha256, MAX_CH_BYTES))
    if header.chunk_offsets[-1] != size_bytes:
        raise CodecError(
            f"the .ch is of a file of {header.chunk_offsets[-1]} bytes, the .cbin has {size_bytes}"
        )
    _check_chunks(header.chunk_bounds, header.n_channels * header.dtype.itemsize)
    found = {
        "n_channels": header.n_channels,
        "n_samples": header.chunk_bounds[-1],
        "sample_rate_hz": header.sample_rate_hz,
        "dtype": header.dtype.str,
        "chunk_order": header.chunk_order,
        "do_time_diff": header.do_time_diff,
        "do_spatial_diff": header.do_spatial_diff,
        "chunk_bounds": list(header.chunk_bounds),
        "chunk_offsets": list(header.chunk_offsets),
        "raw_bytes": header.chunk_bounds[-1] * header.n_channels * header.dtype.itemsize + len(header.tail),
        "raw_sha256": header.sha256_uncompressed,
        "raw_sha1": header.sha1_uncompressed,
        "tail": header.tail,
    }
    return found, header.claims


def _check_chunks(bounds: Sequence[int], bytes_per_sample: int) -> None:
    """Raise CodecError for chunks that would keep a decoder from everybody else."""
    longest = max(b - a for a, b in pairwise(bounds)) * bytes_per_sample if len(bounds) > 1 else 0
    if longest > MOST_CHUNK_BYTES:
        raise CodecError(
            f"its chunks have up to {longest >> 20} MiB, more than the {MOST_CHUNK_BYTES >> 20} that a server decodes "
            "at once: compress it anew in chunks of one second"
        )


async def _whole(store: Store, sha256: str, most: int) -> bytes:
    """All of a companion. Raises CodecError for one of more bytes than any has."""
    size = (await store.stat(sha256)).size_bytes
    if size > most:
        raise CodecError(f"a companion has {size} bytes, more than the {most} that one may have")
    return await bytes_between(store, sha256, 0, size)


def _hash_chunk(reader: ChunkedReader, chunk: int, hasher: Hasher) -> None:
    hasher.update(raw_chunk(reader, chunk))
