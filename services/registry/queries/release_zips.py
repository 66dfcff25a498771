"""Zips of releases: what they consist of, and what is stored of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.paths import find_session
from cingulum.export.one_tables import TableSession
from libs.common.db import ReadSession, WriteSession
from libs.common.published import SESSIONS, table
from libs.common.schemas.releases import ReleaseState
from libs.common.visibility import Visibility, anonymous_visibility
from services.registry.domain.exports import Selected, StoredExport
from services.registry.models import DatasetRow, ExportRow, ReleaseDatasetRow, ReleaseRow, VersionRow
from services.registry.queries.cache_tables import project_names
from services.registry.queries.columns import is_any_of
from services.registry.queries.exports import has_verified_copy, in_batches
from services.registry.queries.releases import is_readable, missing_release, shown_state


@dataclass(frozen=True)
class ZippableRelease:
    """A release, with all that its zip says of it but the manifest, which `root` and `checked_at` decide."""

    id: UUID
    name: str
    state: ReleaseState
    title: str
    description: str
    authors: list[dict[str, Any]]
    license: str
    doi: str | None
    root: str | None
    checked_at: datetime
    public_from: datetime | None
    signature: str | None
    n_pulled: int


async def fetch_release(session: ReadSession, visibility: Visibility, name: str) -> ZippableRelease:
    """The release of that name; a draft without `checked_at` counts from its creation. Raises NotFound."""
    link = ReleaseDatasetRow
    is_pulled = link.release_id == ReleaseRow.id, link.pulled_at.is_not(None)
    n_pulled = sa.select(sa.func.count()).select_from(link).where(*is_pulled).correlate(ReleaseRow)
    computed: dict[str, sa.ColumnElement[Any]] = {
        "n_pulled": n_pulled.scalar_subquery(),
        "state": shown_state(),
        "checked_at": sa.func.coalesce(ReleaseRow.checked_at, ReleaseRow.created_at),
    }
    columns = [
        (computed[field.name] if field.name in computed else getattr(ReleaseRow, field.name)).label(
            field.name
        )
        for field in fields(ZippableRelease)
    ]
    statement = sa.select(*columns).where(ReleaseRow.name == name, is_readable(visibility))
    row = (await session.execute(statement)).mappings().one_or_none()
    if row is None:
        raise missing_release(name)
    return ZippableRelease(**{**row, "state": ReleaseState(row["state"])})


async def lock_release(session: WriteSession, name: str) -> None:
    """Until the end of the transaction the release of that name, if there is one, does not change."""
    await session.execute(sa.select(ReleaseRow.id).where(ReleaseRow.name == name).with_for_update())


async def fetch_manifest(session: ReadSession, release_id: UUID) -> str:
    """The exact text of the manifest of a checked release."""
    text = await session.scalar(sa.select(ReleaseRow.manifest).where(ReleaseRow.id == release_id))
    return text or ""


async def find_zip(session: ReadSession, release_id: UUID) -> StoredExport | None:
    """The stored zip of a release; its documents may be older than the release."""
    columns = [getattr(ExportRow, field.name) for field in fields(StoredExport)]
    row = (await session.execute(sa.select(*columns).where(ExportRow.release_id == release_id))).one_or_none()
    return None if row is None else StoredExport(*row)


async def find_visible_zip(
    session: ReadSession, visibility: Visibility, export_id: UUID
) -> StoredExport | None:
    """The stored zip of that id, if it is of a release that the caller sees and that is not withdrawn."""
    columns = [getattr(ExportRow, field.name) for field in fields(StoredExport)]
    statement = (
        sa.select(*columns)
        .join(ReleaseRow, ReleaseRow.id == ExportRow.release_id)
        .where(ExportRow.id == export_id, ReleaseRow.state != "withdrawn", is_readable(visibility))
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else StoredExport(*row)


async def select_files(session: ReadSession, release_id: UUID, store: str, limit: int) -> list[Selected]:
    """At most `limit` files of a checked release as its manifest has them, by path, without pulled ones."""
    link = ReleaseDatasetRow
    statement = (
        sa.select(
            link.dataset_id,
            DatasetRow.session_id,
            link.generation,
            link.path,
            DatasetRow.collection,
            DatasetRow.name,
            DatasetRow.revision,
            DatasetRow.is_default,
            DatasetRow.qc,
            VersionRow.size_bytes,
            sa.func.coalesce(VersionRow.md5, "").label("md5"),
            VersionRow.sha256,
            has_verified_copy(link.dataset_id, link.generation, store).label("is_stored"),
        )
        .join(DatasetRow, DatasetRow.id == link.dataset_id)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == link.dataset_id, VersionRow.generation == link.generation),
        )
        .where(link.release_id == release_id, link.pulled_at.is_(None))
        .limit(limit)
    )
    rows = (await session.execute(statement)).mappings()
    selected = [file async for file in in_batches(rows, _selected)]
    return sorted(selected, key=lambda file: file.path)


def _selected(row: Mapping[str, Any]) -> Selected:
    values = dict(row)
    path = values.pop("path")
    in_session = find_session(path)
    folder, _, inside = path.rpartition("/")
    if in_session is not None:
        inside = in_session[2]
        folder = path.removesuffix(f"/{inside}")
    return Selected(folder=folder, relative_path=inside, **values)


async def fetch_sessions(session: ReadSession, folders: dict[UUID, str]) -> list[TableSession]:
    """Rows of the table of sessions, by id: the folders are those of the release, whatever they are called now."""
    details = await _fetch_details(session, folders.keys())
    rows = []
    for session_id, folder in folders.items():
        parts = find_session(f"{folder}/")
        if parts is not None:
            path = parts[1]
            protocol, projects = details.get(session_id, (None, None))
            rows.append(
                TableSession(
                    str(session_id), path.lab, path.subject, path.date, path.number, protocol, projects
                )
            )
    return sorted(rows)


async def _fetch_details(
    session: ReadSession, session_ids: Collection[UUID]
) -> dict[UUID, tuple[str | None, list[str] | None]]:
    """Task protocol and public projects of sessions."""
    sessions = table(SESSIONS)
    statement = sa.select(
        sessions.c.id, sessions.c.task_protocol, project_names(anonymous_visibility())
    ).where(is_any_of(sessions.c.id, session_ids))
    return {row[0]: (row[1], row[2]) for row in await session.execute(statement)}
