"""Files of a session with what decides whether they load, and the session's jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.loading import LoadCopy, LoadFile
from libs.common.db import ReadSession
from libs.common.published import DATASETS, JOBS, SESSIONS, alias, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.domain.why_not import DeletedFile, EmbargoedFile, MakingJob
from services.registry.models import (
    CopyRow,
    DataNoticeDatasetRow,
    DataNoticeRow,
    DatasetRow,
    ReleaseDatasetRow,
    ReleaseRow,
    RepositoryRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version, path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import is_any_of, is_current_copy
from services.registry.queries.datasets import doubts
from services.registry.queries.releases import is_readable

_ON_THE_WAY = (CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED)


async def is_session_known(session: ReadSession, visibility: Visibility, session_id: UUID) -> bool:
    """Whether the caller can see the session."""
    sessions = table(SESSIONS)
    known = sa.select(sessions.c.id).where(
        sessions.c.id == session_id, visible.is_session_visible(visibility)
    )
    return await session.scalar(known) is not None


async def fetch_files_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> list[LoadFile]:
    """All files of a session that the caller can see, with the copies of their current versions."""
    sessions, published = table(SESSIONS), alias(DATASETS, "published")
    is_served = sa.exists().where(published.c.id == DatasetRow.id, published.c.data_server.is_not(None))
    rows = await session.execute(
        sa.select(
            DatasetRow.id,
            DatasetRow.collection,
            DatasetRow.name,
            DatasetRow.revision,
            DatasetRow.is_default,
            path_in_folder().label("path"),
            DatasetRow.qc,
            doubts().label("doubts"),
            _notices().label("notices"),
            is_served.correlate_except(published).label("is_served"),
        )
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id)
        .where(DatasetRow.session_id == session_id, visible.is_dataset_visible(visibility))
        .order_by(DatasetRow.collection, DatasetRow.name, DatasetRow.revision)
    )
    files = rows.mappings().all()
    copies = await _fetch_copies(session, [row["id"] for row in files if not row["is_served"]])
    return [_file(row, copies.get(row["id"], ())) for row in files]


def _file(row: Any, copies: Sequence[LoadCopy]) -> LoadFile:
    values = {name: value for name, value in row.items() if name != "id"}
    lists = {name: tuple(row[name]) for name in ("doubts", "notices")}
    return LoadFile(**{**values, **lists, "copies": tuple(copies)})


def _notices() -> sa.ColumnElement[Any]:
    """Names of the notices about a dataset."""
    names = (
        sa.select(DataNoticeRow.name)
        .where(
            DataNoticeDatasetRow.dataset_id == DatasetRow.id,
            DataNoticeRow.id == DataNoticeDatasetRow.data_notice_id,
            DataNoticeRow.deleted_at.is_(None),
        )
        .order_by(DataNoticeRow.importance.desc(), DataNoticeRow.name)
        .correlate(DatasetRow)
    )
    return sa.func.array(names.scalar_subquery(), type_=sa.ARRAY(sa.Text))


async def _fetch_copies(session: ReadSession, dataset_ids: Sequence[UUID]) -> dict[UUID, list[LoadCopy]]:
    if not dataset_ids:
        return {}
    rows = await session.execute(
        sa.select(
            CopyRow.dataset_id,
            RepositoryRow.name,
            CopyRow.state,
            CopyRow.created_at,
            CopyRow.notice,
            CopyRow.order_proof,
        )
        .join(DatasetRow, is_current_copy())
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .where(is_any_of(CopyRow.dataset_id, dataset_ids))
        .order_by(RepositoryRow.name)
    )
    copies: dict[UUID, list[LoadCopy]] = {}
    for row in rows:
        since = row.created_at.isoformat() if row.state in _ON_THE_WAY else ""
        copy = LoadCopy(row.name, row.state, since, row.notice, row.order_proof)
        copies.setdefault(row.dataset_id, []).append(copy)
    return copies


async def list_jobs_of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> list[MakingJob]:
    """The jobs of a session that the caller can see; public readers never see any."""
    if visibility.public_only:
        return []
    job, sessions = table(JOBS), table(SESSIONS)
    rows = await session.execute(
        sa.select(job.c.id, job.c.task, job.c.probe, job.c.state, job.c.reason)
        .join(sessions, sessions.c.id == job.c.session_id)
        .where(job.c.session_id == session_id, visible.is_session_visible(visibility))
        .order_by(job.c.task, job.c.probe, job.c.id)
    )
    return [MakingJob(row.id, row.task, row.probe or "", row.state, row.reason or "") for row in rows]


async def list_embargoed_files(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> list[EmbargoedFile]:
    """The datasets of a session in releases under embargo, of both those that the caller can see."""
    link, sessions = ReleaseDatasetRow, table(SESSIONS)
    rows = await session.execute(
        sa.select(
            DatasetRow.collection,
            DatasetRow.name,
            path_in_folder().label("path"),
            ReleaseRow.name.label("release"),
            ReleaseRow.public_from.label("until"),
        )
        .join(link, link.dataset_id == DatasetRow.id)
        .join(ReleaseRow, ReleaseRow.id == link.release_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id)
        .where(
            DatasetRow.session_id == session_id,
            link.pulled_at.is_(None),
            ReleaseRow.state == "published",
            ReleaseRow.public_from > sa.func.statement_timestamp(),
            visible.is_dataset_visible(visibility),
            is_readable(visibility),
        )
        .order_by(sa.text("path"), ReleaseRow.public_from, ReleaseRow.name)
    )
    return [EmbargoedFile(**row) for row in rows.mappings()]


async def list_deleted_files(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> list[DeletedFile]:
    """The deleted datasets of a session that the caller can see; public readers never see any."""
    if visibility.public_only:
        return []
    sessions = table(SESSIONS)
    rows = await session.execute(
        sa.select(
            DatasetRow.collection, DatasetRow.name, path_in_folder().label("path"), DatasetRow.deleted_at
        )
        .join(sessions, sessions.c.id == DatasetRow.session_id)
        .where(DatasetRow.session_id == session_id, DatasetRow.deleted_at.is_not(None))
        .where(visible.is_session_visible(visibility))
    )
    return [DeletedFile(row.collection, row.name, row.path, row.deleted_at) for row in rows]
