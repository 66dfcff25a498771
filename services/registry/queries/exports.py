"""Exports: what is selected, what is stored of it, and whether it can be sent now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.copied import copy_rows
from libs.common.published import SESSIONS, table
from libs.common.schemas.files.exports import LeftOutDataset
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.domain.exports import MOST_LEFT_OUT, MOST_PATHS, Selected, StoredExport
from services.registry.models import (
    ChecksumRow,
    CopyRow,
    DatasetRow,
    ExportDocumentRow,
    ExportFileRow,
    ExportRow,
    RepositoryRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, path_in_folder
from services.registry.queries import visible
from services.registry.queries.bulk_writes import ROWS_AT_ONCE, execute_write, insert_rows
from services.registry.queries.columns import is_any_of, session_folder, size_of_dataset

MOST_DELETED: Final = 3  # expired exports per new one: each may have 50,000 rows


@dataclass(frozen=True)
class Unavailable:
    """What a caller cannot have of an export now: numbers of datasets, and the first lost paths."""

    n_hidden: int
    n_lost: int
    lost: Sequence[str]


def has_verified_copy(dataset_id: Any, generation: Any, store: str) -> Condition:
    """A version has a verified copy in the repository of that store."""
    verified = sa.exists().where(
        CopyRow.dataset_id == dataset_id,
        CopyRow.generation == generation,
        CopyRow.state == CopyState.VERIFIED,
        RepositoryRow.id == CopyRow.repository_id,
        RepositoryRow.store == store,
    )
    return verified.correlate_except(CopyRow, RepositoryRow)


async def select_datasets(
    session: ReadSession,
    visibility: Visibility,
    session_ids: Collection[UUID] | None,
    conditions: Iterable[Condition],
    store: str,
    limit: int,
) -> list[Selected]:
    """At most `limit` visible datasets of these sessions (None: of any) that fulfil the conditions."""
    sessions = table(SESSIONS)
    own = [] if session_ids is None else [is_any_of(DatasetRow.session_id, session_ids)]
    statement = (
        sa.select(
            DatasetRow.id.label("dataset_id"),
            DatasetRow.session_id,
            DatasetRow.generation,
            session_folder().label("folder"),
            path_in_folder().label("relative_path"),
            DatasetRow.collection,
            DatasetRow.name,
            DatasetRow.revision,
            DatasetRow.is_default,
            DatasetRow.qc,
            sa.func.coalesce(size_of_dataset(), 0).label("size_bytes"),
            sa.func.coalesce(VersionRow.md5, "").label("md5"),
            VersionRow.sha256,
            has_verified_copy(DatasetRow.id, DatasetRow.generation, store).label("is_stored"),
        )
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.is_dataset_visible(visibility), *own, *conditions)
        .order_by(DatasetRow.created_at, DatasetRow.id)
        .limit(limit)
    )
    return [selected async for selected in in_batches((await session.execute(statement)).mappings(), _select)]


def _select(row: Mapping[str, Any]) -> Selected:
    return Selected(**row)


async def in_batches(
    rows: sa.MappingResult, convert: Callable[[Mapping[str, Any]], Selected]
) -> AsyncIterator[Selected]:
    """Rows as values, some thousands at a time: other requests are served in between."""
    for batch in rows.partitions(ROWS_AT_ONCE // 5):
        for row in batch:
            yield convert(dict(row))
        await asyncio.sleep(0)


async def find_hidden_session(
    session: ReadSession, visibility: Visibility, session_ids: Sequence[UUID]
) -> UUID | None:
    """The first of these sessions that does not exist or is hidden from the caller."""
    sessions = table(SESSIONS)
    shown = set(
        await session.scalars(
            sa.select(sessions.c.id).where(
                is_any_of(sessions.c.id, session_ids), visible.is_session_visible(visibility)
            )
        )
    )
    return next((session_id for session_id in session_ids if session_id not in shown), None)


async def insert_export(
    session: WriteSession,
    export: StoredExport,
    documents: dict[str, bytes],
    inside: Sequence[Selected],
    left_out: Sequence[tuple[Selected, str]],
) -> None:
    """Insert an export with its documents and files."""
    session.add(ExportRow(**asdict(export)))
    await session.flush()
    numbered = enumerate(documents.items())
    session.add_all(
        ExportDocumentRow(export_id=export.id, position=position, name=name, content=content)
        for position, (name, content) in numbered
    )
    everything = [*((dataset, "") for dataset in inside), *left_out]
    for start in range(0, len(everything), ROWS_AT_ONCE):
        values = [
            {
                "export_id": export.id,
                "position": position,
                "dataset_id": dataset.dataset_id,
                "generation": dataset.generation,
                "path": dataset.path,
                "size_bytes": dataset.size_bytes,
                "sha256": dataset.sha256 or "",
                "left_out": reason,
            }
            for position, (dataset, reason) in enumerate(everything[start : start + ROWS_AT_ONCE], start)
        ]
        await insert_rows(session, ExportFileRow, values)


async def count_exports(session: ReadSession, user_id: UUID) -> tuple[int, int]:
    """How many exports of a user have not expired, and how many files these have together."""
    statement = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(ExportRow.n_files), 0)).where(
        ExportRow.user_id == user_id, ExportRow.expires_at > sa.func.now()
    )
    n_exports, n_files = (await session.execute(statement)).one()
    return int(n_exports), int(n_files)


async def find_export(
    session: ReadSession, visibility: Visibility, narrowing: str, export_id: UUID
) -> StoredExport | None:
    """An export that the caller made, with a token of the same limits, and that has not expired."""
    columns = [getattr(ExportRow, field.name) for field in fields(StoredExport)]
    statement = sa.select(*columns).where(
        ExportRow.id == export_id,
        ExportRow.user_id == visibility.caller_id,
        ExportRow.narrowing == narrowing,
        ExportRow.expires_at > sa.func.now(),
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else StoredExport(*row)


async def list_left_out(
    session: ReadSession, visibility: Visibility, export_id: UUID
) -> tuple[int, list[LeftOutDataset]]:
    """How many visible datasets an export left out, and the first of them with the reason, by path."""
    sessions = table(SESSIONS)
    statement = (
        sa.select(
            ExportFileRow.dataset_id.label("dataset"),
            ExportFileRow.path,
            ExportFileRow.left_out.label("reason"),
            sa.func.count().over().label("total"),
        )
        .join(DatasetRow, DatasetRow.id == ExportFileRow.dataset_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(
            ExportFileRow.export_id == export_id,
            ExportFileRow.left_out != "",
            visible.is_dataset_visible(visibility),
        )
        .order_by(ExportFileRow.position)
        .limit(MOST_LEFT_OUT)
    )
    rows = (await session.execute(statement)).all()
    listed = [LeftOutDataset(dataset=row.dataset, path=row.path, reason=row.reason) for row in rows]
    return (rows[0].total if rows else 0), listed


async def fetch_documents(session: ReadSession, export_id: UUID) -> dict[str, bytes]:
    """The documents of an export, in the order of the zip."""
    statement = (
        sa.select(ExportDocumentRow.name, ExportDocumentRow.content)
        .where(ExportDocumentRow.export_id == export_id)
        .order_by(ExportDocumentRow.position)
    )
    return {row.name: row.content for row in await session.execute(statement)}


async def fetch_unavailable(
    session: ReadSession, visibility: Visibility, export_id: UUID, store: str
) -> Unavailable:
    """What of an export the caller can no longer see, left out or not, and what has no verified copy in the store."""
    sessions, files = table(SESSIONS), ExportFileRow
    is_visible = sa.and_(DatasetRow.id.is_not(None), visible.is_dataset_visible(visibility))
    state = (
        sa.select(
            files.position,
            files.path,
            sa.func.coalesce(is_visible, False).label("is_visible"),
            sa.or_(files.left_out != "", has_verified_copy(files.dataset_id, files.generation, store)).label(
                "is_sendable"
            ),
        )
        .join(DatasetRow, DatasetRow.id == files.dataset_id, isouter=True)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(files.export_id == export_id)
        .subquery()
    )
    is_hidden, is_lost = ~state.c.is_visible, sa.and_(state.c.is_visible, ~state.c.is_sendable)
    numbered = (
        sa.select(
            is_hidden.label("is_hidden"),
            state.c.path,
            sa.func.count().over(partition_by=is_hidden).label("total"),
            sa.func.row_number().over(partition_by=is_hidden, order_by=state.c.position).label("number"),
        )
        .where(sa.or_(is_hidden, is_lost))
        .subquery()
    )
    first = sa.select(numbered).where(numbered.c.number <= MOST_PATHS).order_by(numbered.c.number)
    rows = (await session.execute(first)).all()
    lost = [row.path for row in rows if not row.is_hidden]
    totals = {row.is_hidden: int(row.total) for row in rows}
    return Unavailable(totals.get(True, 0), totals.get(False, 0), lost)


async def copy_files(session: ReadSession, export_id: UUID) -> bytes:
    """The files of the zip in its order, as CSV: dataset, generation, path, size, SHA-256, CRC-32 if it is known."""
    files = ExportFileRow
    statement = (
        sa.select(
            files.dataset_id, files.generation, files.path, files.size_bytes, files.sha256, ChecksumRow.crc32
        )
        .join(ChecksumRow, ChecksumRow.sha256 == files.sha256, isouter=True)
        .where(files.export_id == export_id, files.left_out == "")
        .order_by(files.position)
    )
    return await copy_rows(session, statement)


async def find_checksum(session: ReadSession, sha256: str) -> int | None:
    """The CRC-32 of an object, if it was computed before."""
    crc32: int | None = await session.scalar(sa.select(ChecksumRow.crc32).where(ChecksumRow.sha256 == sha256))
    return crc32


async def delete_export(session: WriteSession, export_id: UUID) -> None:
    """Delete an export for good."""
    await _delete(session, [export_id])


async def delete_expired(session: WriteSession) -> None:
    """Delete the exports that expired first: a few, as each may have many rows."""
    expired = sa.select(ExportRow.id).where(ExportRow.expires_at <= sa.func.now())
    expired = expired.order_by(ExportRow.expires_at).limit(MOST_DELETED)
    await _delete(session, list(await session.scalars(expired.with_for_update(skip_locked=True))))


async def _delete(session: WriteSession, ids: Collection[UUID]) -> None:
    for column in (ExportFileRow.export_id, ExportDocumentRow.export_id, ExportRow.id):
        await execute_write(session, sa.delete(column.class_).where(is_any_of(column, ids)))


async def insert_checksums(session: WriteSession, crc32s: dict[str, int]) -> None:
    """Remember the CRC-32 of objects, by SHA-256."""
    rows = [{"sha256": sha256, "crc32": crc32} for sha256, crc32 in sorted(crc32s.items())]
    await execute_write(session, insert(ChecksumRow).values(rows).on_conflict_do_nothing())
