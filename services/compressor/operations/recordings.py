"""Recordings that become wanted, and recordings opened for reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from libs.common.db import Database, Transaction
from libs.common.problem import NotFound
from libs.common.visibility import Visibility
from services.compressor.domain.recordings import NotIndexed, RecordingState
from services.compressor.operations.slice_cache import OpenRecording, SliceCache, reader_of
from services.compressor.queries.indexing import insert_pending_of, update_sessions_of_recordings
from services.compressor.queries.recordings import find_recording, find_recording_key


async def request_indexing(
    tx: Transaction, dataset_ids: Sequence[UUID], wake_indexer: Callable[[], None]
) -> None:
    """Want an index of the recordings that these datasets are, or are companions of."""
    await insert_pending_of(tx.session, dataset_ids)
    tx.after_commit("indexer", wake_indexer)


async def update_sessions(tx: Transaction, dataset_ids: Sequence[UUID]) -> None:
    """Set the sessions of the recordings that these datasets are to those of the datasets."""
    await update_sessions_of_recordings(tx.session, dataset_ids)


async def open_recording(
    database: Database, cache: SliceCache, visibility: Visibility, dataset_id: UUID
) -> OpenRecording:
    """The index of a dataset that the caller can see; the connection is returned before bytes are read.

    Raises NotFound, NotIndexed.
    """
    async with database.read() as session:
        current = await find_recording_key(session, visibility, dataset_id)
        if current is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        if current.sha256 is None:
            raise NotIndexed
        key = (dataset_id, current.sha256, current.indexed_at)
        if current.state is RecordingState.INDEXED and (opened := cache.get(key)):
            return opened
        recording = await find_recording(session, dataset_id)
    if recording is None or recording.sha256 != current.sha256:
        raise NotIndexed  # it was indexed again since the right to read it was checked
    opened = OpenRecording(recording, reader_of(recording))
    cache.put(key, opened)
    return opened
