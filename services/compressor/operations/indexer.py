"""The loop that indexes new recordings, and then proves them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any
from uuid import UUID

import numpy as np

from cingulum.codec import ChunkedReader, CodecError, decode, encode
from cingulum.digests import Digests, Hasher
from libs.common.bus.failures import Cause, cause_of
from libs.common.db import Transaction
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.storage import ObjectMissing, StorageProblem
from services.compressor.domain.recordings import RecordingState, StoredRecording
from services.compressor.operations.indexing import read_recording
from services.compressor.operations.slice_cache import SliceCache, reader_of
from services.compressor.operations.slices import decode_chunk
from services.compressor.queries import indexing as queries

RETRY_S = 15.0  # after the store did not return a recording


def warm_up() -> None:
    """Load the kernels, so that the first slice does not wait seconds for them."""
    ramp = np.arange(100_000, dtype="<i2").reshape(2_500, 40) % 97
    decode(encode(ramp, preset="small"))
    decode(encode(ramp, preset="fast"))


class Indexer:
    """Reads the index of new recordings, then proves them by decoding all of each.

    `woken` is set when a recording may have become wanted.
    """

    def __init__(
        self, writer: Writer, cache: SliceCache, woken: asyncio.Event, *, every_s: float, prove: bool
    ) -> None:
        self._writer, self._cache, self._woken = writer, cache, woken
        self._every_s, self._prove = every_s, prove
        self._retry_at: dict[UUID, float] = {}  # recordings that the store could not return

    async def run(self) -> None:
        """Index and prove until cancelled. While the database or the store is unavailable, retry."""
        scan_at, is_warm = 0.0, False
        while True:
            self._woken.clear()
            try:
                if time.monotonic() >= scan_at:
                    async with self._writer.begin() as tx:
                        await queries.insert_all_pending(tx.session)
                        await queries.update_all_sessions(tx.session)
                    scan_at = time.monotonic() + self._every_s
                if await self.index_pending() and not is_warm:
                    await asyncio.to_thread(warm_up)
                    is_warm = True
                while self._prove and await self.prove_next() and not self._woken.is_set():
                    pass
            except DATABASE_ERRORS as error:
                logger("index").info("indexing is retried", error=str(error))
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                wake_at = min([scan_at, *self._retry_at.values()])
                await asyncio.wait_for(self._woken.wait(), max(0.0, wake_at - time.monotonic()))

    async def index_pending(self) -> bool:
        """Index the wanted recordings; whether any recording is indexed.

        A problem of one recording is stored with it, and does not stop the next one.
        """
        async with self._writer.database.read_long() as session:
            recordings = await queries.list_pending_recordings(session, exclude=self._postponed())
        for recording in recordings:
            await self._index(recording)
        async with self._writer.database.read_long() as session:
            return await queries.exists_indexed_recording(session)

    async def _index(self, recording: StoredRecording) -> None:
        try:
            indexed = await read_recording(self._cache.store, recording)
        except Exception as error:  # noqa: BLE001 - of whatever kind, it is stored with the recording
            if not self._postpone(error, recording):
                await self._set_unreadable(recording, error)
            return
        try:
            async with self._writer.begin() as tx:
                if await queries.update_indexed(tx.session, recording, indexed):
                    _audit(tx, "index", recording, {"state": RecordingState.INDEXED})
        except DATABASE_ERRORS as error:  # values that the database refuses are a problem of the recording
            if cause_of(error) is Cause.TRANSIENT:
                raise
            await self._set_unreadable(recording, error)

    async def _set_unreadable(self, recording: StoredRecording, error: Exception) -> None:
        problem = _problem_of(error, recording)
        async with self._writer.begin() as tx:
            if await queries.update_unreadable(tx.session, recording, problem):
                _audit(tx, "index", recording, {"state": RecordingState.UNREADABLE})

    async def prove_next(self) -> bool:
        """Decode all of a recording that was not proved here, and compare hashes; whether there was one."""
        async with self._writer.database.read_long() as session:
            recording = await queries.find_unproved_recording(session, exclude=self._postponed())
        if recording is None:
            return False
        doubts = recording.doubts
        try:
            digests = await self._decode_all(recording)
            problem = _contradiction(recording, digests)
            doubts = [*doubts, problem] if problem else doubts
        except Exception as error:  # noqa: BLE001 - stored with the recording
            if self._postpone(error, recording):
                return True
            problem = _problem_of(error, recording)
        if problem:
            logger("index").error(
                "a recording failed its proof", dataset=str(recording.dataset_id), why=problem
            )
        async with self._writer.begin() as tx:
            if problem:
                is_written = await queries.update_proof_problem(tx.session, recording, problem, doubts=doubts)
            else:
                is_written = await queries.update_proved(tx.session, recording, digests.sha256)
            if is_written:
                _audit(tx, "prove", recording, {"proved": not problem, "problem": problem})
        return True

    def _postpone(self, error: Exception, recording: StoredRecording) -> bool:
        """Whether an error is of the store only: then the recording is retried later, after the others."""
        if isinstance(error, ObjectMissing) or not isinstance(error, StorageProblem | OSError):
            return False
        logger("index").warning(
            "the store does not return a recording", dataset=str(recording.dataset_id), error=str(error)
        )
        self._retry_at[recording.dataset_id] = time.monotonic() + RETRY_S
        return True

    def _postponed(self) -> list[UUID]:
        now = time.monotonic()
        self._retry_at = {dataset_id: at for dataset_id, at in self._retry_at.items() if at > now}
        return [*self._retry_at]

    async def _decode_all(self, recording: StoredRecording) -> Digests:
        reader = reader_of(recording).reading(await self._cache.ranges_of(recording.sha256))
        hasher = Hasher(sha1=True)
        for chunk in range(reader.n_chunks):
            await self._cache.decode(_hash_chunk, reader, chunk, hasher)  # slices get their turn in between
        hasher.update(reader.tail)
        return hasher.digests()


def _hash_chunk(reader: ChunkedReader, chunk: int, hasher: Hasher) -> None:
    hasher.update(decode_chunk(reader, chunk))


def _contradiction(recording: StoredRecording, digests: Digests) -> str:
    """Why decoding does not prove a recording: a hash that its companions tell is another one; '' if all agree."""
    index = recording.index
    expected = (index.raw_sha256, index.raw_sha1) if index else (None, None)
    for known, decoded in zip(expected, (digests.sha256, digests.sha1), strict=True):
        if known not in (None, decoded):
            return f"it decodes to bytes whose hash is {decoded}, not {known}"
    return ""


def _problem_of(error: Exception, recording: StoredRecording) -> str:
    """What is wrong with a recording, as text that can be stored."""
    if isinstance(error, CodecError | ObjectMissing):
        logger("index").warning(
            "a recording cannot be read", dataset=str(recording.dataset_id), why=str(error)
        )
        text = str(error) or type(error).__name__
    else:
        logger("index").error("reading a recording failed", dataset=str(recording.dataset_id), exc_info=error)
        text = f"it could not be read ({type(error).__name__})"
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _audit(tx: Transaction, action: str, recording: StoredRecording, after: dict[str, Any]) -> None:
    tx.audit(action, "recording", recording.dataset_id, after=after)
