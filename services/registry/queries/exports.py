"""Exports: what is selected, what is stored of it, and whether it can be sent now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.schemas.files.exports import LeftOutDataset
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.domain.exports import Selected, StoredExport
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
from services.registry.queries.bulk_writes import execute_write, insert_rows
from services.registry.queries.columns import is_any_of, session_folder, size_of_dataset


@dataclass(frozen=True)
class FileToSend:
    """A file of an export, as far as the caller may have it now; `crc32` is None while it is not known."""

    dataset_id: UUID
    generation: int
    path: str
    size_bytes: int
    sha256: str
    is_visible: bool
    is_stored: bool
    is_left_out: bool
    crc32: int | None


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
    return [Selected(**row) for row in (await session.execute(statement)).mappings()]


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
        for position, (dataset, reason) in enumerate(everything)
    ]
    await insert_rows(session, ExportFileRow, values)


async def count_exports(session: ReadSession, user_id: UUID) -> int:
    """How many exports of a user have not expired."""
    statement = sa.select(sa.func.count()).where(
        ExportRow.user_id == user_id, ExportRow.expires_at > sa.func.now()
    )
    return (await session.execute(statement)).scalar_one()


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
) -> list[LeftOutDataset]:
    """Visible datasets that an export left out, with the reason, by path."""
    sessions = table(SESSIONS)
    statement = (
        sa.select(
            ExportFileRow.dataset_id.label("dataset"),
            ExportFileRow.path,
            ExportFileRow.left_out.label("reason"),
        )
        .join(DatasetRow, DatasetRow.id == ExportFileRow.dataset_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(
            ExportFileRow.export_id == export_id,
            ExportFileRow.left_out != "",
            visible.is_dataset_visible(visibility),
        )
        .order_by(ExportFileRow.position)
    )
    rows = (await session.execute(statement)).mappings()
    return [LeftOutDataset.model_validate(dict(row)) for row in rows]


async def fetch_documents(session: ReadSession, export_id: UUID) -> dict[str, bytes]:
    """The documents of an export, in the order of the zip."""
    statement = (
        sa.select(ExportDocumentRow.name, ExportDocumentRow.content)
        .where(ExportDocumentRow.export_id == export_id)
        .order_by(ExportDocumentRow.position)
    )
    return {row.name: row.content for row in await session.execute(statement)}


async def fetch_files_to_send(
    session: ReadSession, visibility: Visibility, export_id: UUID, store: str
) -> list[FileToSend]:
    """All files of an export in the order of the zip, with what the caller may see now; then those left out."""
    sessions, files = table(SESSIONS), ExportFileRow
    is_visible = sa.and_(DatasetRow.id.is_not(None), visible.is_dataset_visible(visibility))
    statement = (
        sa.select(
            files.dataset_id,
            files.generation,
            files.path,
            files.size_bytes,
            files.sha256,
            sa.func.coalesce(is_visible, False).label("is_visible"),
            has_verified_copy(files.dataset_id, files.generation, store).label("is_stored"),
            (files.left_out != "").label("is_left_out"),
            ChecksumRow.crc32,
        )
        .join(DatasetRow, DatasetRow.id == files.dataset_id, isouter=True)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .join(ChecksumRow, ChecksumRow.sha256 == files.sha256, isouter=True)
        .where(files.export_id == export_id)
        .order_by(files.position)
    )
    return [FileToSend(**row) for row in (await session.execute(statement)).mappings()]


async def delete_export(session: WriteSession, export_id: UUID) -> None:
    """Delete an export for good."""
    await _delete(session, ExportRow.id == export_id)


async def delete_expired(session: WriteSession) -> None:
    """Delete all exports that have expired."""
    await _delete(session, ExportRow.expires_at <= sa.func.now())


async def _delete(session: WriteSession, condition: Condition) -> None:
    ids = list(await session.scalars(sa.select(ExportRow.id).where(condition).with_for_update()))
    for column in (ExportFileRow.export_id, ExportDocumentRow.export_id, ExportRow.id):
        await execute_write(session, sa.delete(column.class_).where(is_any_of(column, ids)))


async def insert_checksums(session: WriteSession, crc32s: dict[str, int]) -> None:
    """Remember the CRC-32 of objects, by SHA-256."""
    rows = [{"sha256": sha256, "crc32": crc32} for sha256, crc32 in sorted(crc32s.items())]
    await execute_write(session, insert(ChecksumRow).values(rows).on_conflict_do_nothing())
