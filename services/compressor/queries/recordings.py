"""Recordings that callers can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.sessions import ReadSession
from libs.common.published import DATASETS, SESSIONS, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.recordings import Recording
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible
from services.compressor.domain.recordings import RecordingIndex, RecordingState, StoredRecording
from services.compressor.models import RecordingRow
from services.compressor.queries.list_filters import RecordingFilters

DATASET = table(DATASETS)


SESSION = table(SESSIONS)


@dataclass(frozen=True)
class RecordingKey:
    """State of a dataset's current version as a recording; None as a whole where it is not known as one."""

    sha256: str | None
    indexed_at: datetime | None
    state: RecordingState | None


def _is_visible(visibility: Visibility) -> sa.ColumnElement[bool]:
    """Datasets that the caller can see; `SESSION` is left-joined. Those of deleted sessions and objects are not."""
    return is_dataset_row_visible(visibility, DATASET.c, DATASET.c.public, session=SESSION.c)


async def list_recordings(
    session: ReadSession,
    visibility: Visibility,
    filters: RecordingFilters,
    paging: PageRequest,
) -> tuple[int, list[Recording]]:
    """A page of indexed recordings of current versions, latest session first, and how many there are."""
    is_current = sa.and_(DATASET.c.id == RecordingRow.dataset_id, DATASET.c.sha256 == RecordingRow.sha256)
    columns = [getattr(RecordingRow, name) for name in Recording.model_fields if name != "relative_path"]
    statement = (
        sa.select(*columns, DATASET.c.relative_path)
        .join(DATASET, is_current)
        .join(SESSION, SESSION.c.id == DATASET.c.session_id, isouter=True)
        .where(RecordingRow.state == RecordingState.INDEXED, _is_visible(visibility))
        .where(*filters.conditions(visibility))
        .order_by(SESSION.c.start_at.desc().nulls_last(), DATASET.c.relative_path, RecordingRow.dataset_id)
    )
    count, rows = await fetch_page(session, statement, paging)
    return count, [Recording.model_validate(row) for row in rows]


async def find_recording_key(
    session: ReadSession, visibility: Visibility, dataset_id: UUID
) -> RecordingKey | None:
    """What identifies a dataset's recording; None if the caller cannot see the dataset."""
    is_current = sa.and_(RecordingRow.dataset_id == DATASET.c.id, RecordingRow.sha256 == DATASET.c.sha256)
    statement = (
        sa.select(RecordingRow.sha256, RecordingRow.indexed_at, RecordingRow.state)
        .select_from(DATASET)
        .join(SESSION, SESSION.c.id == DATASET.c.session_id, isouter=True)
        .join(RecordingRow, is_current, isouter=True)
        .where(DATASET.c.id == dataset_id, _is_visible(visibility))
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    state = None if row.state is None else RecordingState(row.state)
    return RecordingKey(row.sha256, row.indexed_at, state)


async def find_recording(session: ReadSession, dataset_id: UUID) -> StoredRecording | None:
    """A recording by its dataset, regardless of visibility."""
    row = await session.get(RecordingRow, dataset_id)
    return None if row is None else recording_of(row)


def recording_of(row: RecordingRow) -> StoredRecording:
    """The row as a value."""
    return StoredRecording(
        dataset_id=row.dataset_id,
        state=RecordingState(row.state),
        problem=row.problem,
        sha256=row.sha256,
        ch_sha256=row.ch_sha256,
        meta_sha256=row.meta_sha256,
        index=_index_of(row),
        uv_per_bit=row.uv_per_bit,
        doubts=row.doubts,
        indexed_at=row.indexed_at,
    )


def _index_of(row: RecordingRow) -> RecordingIndex | None:
    dtype, bounds, offsets = row.dtype, row.chunk_bounds, row.chunk_offsets
    if not (dtype and row.n_channels and row.sample_rate_hz and bounds and offsets):
        return None
    return RecordingIndex(
        n_channels=row.n_channels,
        n_samples=row.n_samples or 0,
        sample_rate_hz=row.sample_rate_hz,
        dtype=dtype,
        chunk_bounds=tuple(bounds),
        chunk_offsets=tuple(offsets),
        raw_bytes=row.raw_bytes or 0,
        raw_sha256=row.raw_sha256,
        raw_sha1=row.raw_sha1,
        tail=row.tail or b"",
        chunk_order=row.chunk_order,
        do_time_diff=row.do_time_diff,
        do_spatial_diff=row.do_spatial_diff,
    )
