"""Indexing compressed recordings, and proving them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

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
from cingulum.codec.cbin import MAX_HEADER_BYTES
from cingulum.codec.claims import claims_of_meta
from cingulum.codec.digests import Hasher
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.storage import ObjectMissing, StorageProblem, Store
from services.compressor import queries
from services.compressor.domain import uv_per_bit
from services.compressor.models import RecordingRow
from services.compressor.operations.slices import Shelf, bytes_between, raw_chunk, reader_of


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
            except (StorageProblem, *DATABASE_ERRORS) as error:
                logger("index").info("indexing waits", error=str(error))
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), max(0.0, scan_at - time.monotonic()))

    async def index_wanted(self) -> bool:
        """Index what is wanted now; whether there is any recording out of which slices can be read."""
        async with self._writer.database.read_long() as read:
            rows = await queries.wanted(read)
        for row in rows:
            try:
                found = await look_into(self._shelf.store, row)
            except (CodecError, ObjectMissing) as error:
                found = {"state": "unreadable", "problem": str(error) or type(error).__name__}
                logger("index").warning(
                    "a recording cannot be indexed", dataset=str(row.dataset_id), why=str(error)
                )
            async with self._writer.begin() as tx:
                await queries.write(tx.session, row, found)
                tx.audit("index", "recording", row.dataset_id, after={"state": found["state"]})
        async with self._writer.database.read_long() as read:
            return await queries.any_indexed(read)

    async def prove_one(self) -> bool:
        """Decode all of a recording that nobody has proved here, and compare hashes; whether there was one."""
        async with self._writer.database.read_long() as read:
            row = await queries.unproved(read)
        if row is None:
            return False
        found: dict[str, Any]
        try:
            digests = await self._decoded(row)
        except (CodecError, ObjectMissing) as error:
            found = {"proof_problem": str(error) or type(error).__name__}
        else:
            known, is_it = (
                (row.raw_sha256, digests.sha256) if row.raw_sha256 else (row.raw_sha1, digests.sha1)
            )
            found = (
                {"proved_at": sa.func.now(), "raw_sha256": digests.sha256}
                if known == is_it
                else {"proof_problem": "it decodes to other bytes than were compressed"}
            )
        if "proof_problem" in found:
            logger("index").error(
                "a recording is not proved", dataset=str(row.dataset_id), why=found["proof_problem"]
            )
        async with self._writer.begin() as tx:
            await queries.write(tx.session, row, found, state="indexed")
            after = {"proved": "proved_at" in found, "problem": found.get("proof_problem", "")}
            tx.audit("prove", "recording", row.dataset_id, after=after)
        return True

    async def _decoded(self, row: RecordingRow) -> Digests:
        reader = reader_of(row).reading(await self._shelf.ranges_of(row.sha256))
        hasher = Hasher()
        for chunk in range(reader.n_chunks):
            async with self._shelf.room:  # slices take their turn between two chunks
                await asyncio.to_thread(_hash_chunk, reader, chunk, hasher)
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
        meta = parse_meta((await _whole(store, row.meta_sha256)).decode("utf-8-sig", "replace"))
        gains = uv_per_bit(meta, found["n_channels"])
        claims += claims_of_meta(meta, "the .meta")
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
    header = await asyncio.to_thread(CbinHeader.parse, await _whole(store, ch_sha256))
    if header.chunk_offsets[-1] != size_bytes:
        raise CodecError(
            f"the .ch is of a file of {header.chunk_offsets[-1]} bytes, the .cbin has {size_bytes}"
        )
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


async def _whole(store: Store, sha256: str) -> bytes:
    size = (await store.stat(sha256)).size_bytes
    if size > MAX_HEADER_BYTES:
        raise CodecError(f"{size} bytes are more than any .ch or .meta has")
    return await bytes_between(store, sha256, 0, size)


def _hash_chunk(reader: ChunkedReader, chunk: int, hasher: Hasher) -> None:
    hasher.update(raw_chunk(reader, chunk))
