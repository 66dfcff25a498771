"""Datasets with their copies, as Alyx's contract shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from libs.common.published import RECORDINGS, SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.queries import visible

GONE = (CopyState.RETIRING, CopyState.RETIRED)


def rel_path() -> Any:
    """Path below the session's folder, without UUID."""
    return sa.func.concat(
        sa.case((DatasetRow.collection != "", DatasetRow.collection + "/")),
        sa.case((DatasetRow.revision != "", "#" + DatasetRow.revision + "#/")),
        DatasetRow.name,
    )


def folder() -> Any:
    """The session's folder of today (its animal may have been renamed); of an aggregate the one it was given."""
    session = table(SESSIONS)
    today = sa.func.concat(
        session.c.lab, "/Subjects/", session.c.subject, "/", session.c.date, "/",
        sa.func.lpad(sa.cast(sa.func.coalesce(session.c.number, 0), sa.Text), 3, "0"),
    )  # fmt: skip
    return sa.case((session.c.lab.is_not(None), today), else_=DatasetRow.lab_path)


def shown(copy: Any = CopyRow, repository: Any = RepositoryRow) -> Any:
    """Alyx's `exists`: verified, or a client's claim where nothing can be proved."""
    claimed = sa.and_(copy.state == CopyState.CLAIMED, repository.store.is_(None))
    return sa.or_(copy.state == CopyState.VERIFIED, claimed)


def held_by(*conditions: Any) -> Any:
    """A copy of the current version is shown in a repository that fulfils the conditions."""
    return sa.exists().where(
        CopyRow.dataset_id == DatasetRow.id,
        CopyRow.generation == DatasetRow.generation,
        RepositoryRow.id == CopyRow.repository_id,
        shown(),
        *conditions,
    )


def file_records() -> Any:
    """The copies of the current version as a JSON list, by repository."""
    one = sa.func.jsonb_build_object(
        "id", CopyRow.id, "data_repository", RepositoryRow.name, "data_repository_path", RepositoryRow.globus_path,
        "data_url", RepositoryRow.data_url, "exists", shown(),
    )  # fmt: skip
    return (
        sa.select(sa.func.coalesce(sa.func.jsonb_agg(one), sa.text("'[]'::jsonb")))
        .where(
            CopyRow.dataset_id == DatasetRow.id,
            CopyRow.generation == DatasetRow.generation,
            CopyRow.state.not_in(GONE),
            RepositoryRow.id == CopyRow.repository_id,
        )
        .correlate(DatasetRow)
        .scalar_subquery()
    )


def tag_names() -> Any:
    """Names of the tags, in order."""
    names = (
        sa.select(TagRow.name)
        .where(DatasetTagRow.dataset_id == DatasetRow.id, TagRow.id == DatasetTagRow.tag_id)
        .order_by(TagRow.name)
        .correlate(DatasetRow)
    )
    return sa.func.array(names.scalar_subquery(), type_=ARRAY(sa.Text))


def doubts() -> Any:
    """Why a version of a dataset is doubted: its own reasons, and those of the recording that it is or became.

    A recording whose dataset was deleted doubts nothing any more.
    """
    recording, packed = table(RECORDINGS), aliased(DatasetRow)
    is_there = sa.exists().where(packed.id == recording.c.dataset_id, packed.deleted_at.is_(None))
    of_recording = (
        sa.select(sa.func.unnest(recording.c.doubts))
        .where(
            recording.c.session_id == DatasetRow.session_id,
            is_there.correlate(recording),
            sa.or_(
                sa.and_(recording.c.dataset_id == DatasetRow.id, recording.c.sha256 == VersionRow.sha256),
                recording.c.raw_sha256 == VersionRow.sha256,
            ),
        )
        .distinct()
        .order_by(sa.literal_column("1"))
        .correlate(DatasetRow, VersionRow)
    )
    found = sa.func.array(of_recording.scalar_subquery(), type_=ARRAY(sa.Text))
    return sa.func.array_cat(DatasetRow.doubts, found, type_=ARRAY(sa.Text))


def datasets(seen: Visibility) -> sa.Select[Any]:
    """Datasets with all that their record shows, newest first."""
    session = table(SESSIONS)
    columns = [c for c in DatasetRow.__table__.columns if c.name not in {"deleted_at", "lab_path", "doubts"}]
    return (
        sa.select(
            *columns,
            doubts().label("doubts"),
            VersionRow.id.label("version_id"),
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
            DatasetTypeRow.name.label("dataset_type"),
            FormatRow.name.label("data_format"),
            session.c.subject,
            session.c.date,
            session.c.number,
            session.c.start_time,
            folder().label("folder"),
            rel_path().label("rel_path"),
            file_records().label("file_records"),
            tag_names().label("tags"),
            visible.tagged(TagRow.protected.is_(True)).label("protected"),
            visible.tagged(TagRow.public.is_(True)).label("public"),
        )
        .join(DatasetTypeRow, DatasetTypeRow.id == DatasetRow.dataset_type_id)
        .join(FormatRow, FormatRow.id == DatasetRow.format_id)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == DatasetRow.id, VersionRow.generation == DatasetRow.generation),
        )
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.datasets(seen))
        .order_by(DatasetRow.created_at.desc(), DatasetRow.id)
    )


async def datasets_in_order(
    read: AsyncSession, seen: Visibility, ids: Sequence[UUID]
) -> list[Mapping[str, Any]]:
    """The datasets of those ids, in their order; those the caller may not know of are left out."""
    wanted = DatasetRow.id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.UUID)))
    rows = await read.execute(datasets(seen).where(wanted))

    def in_order() -> list[Mapping[str, Any]]:
        found = {row["id"]: row for row in rows.mappings()}
        return [found[i] for i in ids if i in found]

    return await asyncio.to_thread(in_order)


def files(seen: Visibility) -> sa.Select[Any]:
    """File records: the copies of each dataset's current version, newest first."""
    session = table(SESSIONS)
    return (
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.json,
            RepositoryRow.name.label("data_repository"),
            shown().label("exists"),
            folder().label("folder"),
            rel_path().label("rel_path"),
        )
        .join(
            DatasetRow,
            sa.and_(DatasetRow.id == CopyRow.dataset_id, DatasetRow.generation == CopyRow.generation),
        )
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.datasets(seen), CopyRow.state.not_in(GONE))
        .order_by(CopyRow.created_at.desc(), CopyRow.id)
    )


def copies(seen: Visibility) -> sa.Select[Any]:
    """Copies of every version with what is proved of them, oldest first."""
    session = table(SESSIONS)
    return (
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            VersionRow.id.label("version_id"),
            CopyRow.generation,
            (CopyRow.generation == DatasetRow.generation).label("is_current"),
            DatasetRow.session_id,
            sa.func.split_part(DatasetRow.lab_path, "/", 1).label("lab"),
            RepositoryRow.name.label("repository"),
            RepositoryRow.store,
            CopyRow.state,
            sa.func.concat(DatasetRow.lab_path, "/", rel_path()).label("relative_path"),
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
            CopyRow.proved_at,
            CopyRow.proved_how,
            CopyRow.notice,
            CopyRow.order_proof,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == CopyRow.dataset_id, VersionRow.generation == CopyRow.generation),
        )
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(visible.datasets(seen))
        .order_by(CopyRow.created_at, CopyRow.id)
    )
