"""Rows of the ONE client's tables: visible sessions, and the datasets that exist on a server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from cingulum.export.dataset_csv import CSV_COLUMNS
from cingulum.export.one_tables import TableSession
from libs.common.catalogue import Service
from libs.common.db import ReadSession
from libs.common.db.copied import copy_rows
from libs.common.published import EVENTS, PROJECTS, RIGHTS_CHANGES, SESSION_PROJECTS, SESSIONS, table
from libs.common.visibility import Visibility
from libs.common.visible import is_project_row_visible
from services.registry.models import Base, DatasetRow, ReleaseRow, RepositoryRow, TagRow, VersionRow
from services.registry.models.expressions import is_current_version, is_released
from services.registry.queries import visible
from services.registry.queries.columns import has_shown_copy, is_any_of, size_of_dataset

LATE = 10_000  # numbers that other transactions may take before one that began earlier commits


@dataclass(frozen=True)
class Freshness:
    """The newest number of each log, and how many of the last numbers are committed: every commit increases one."""

    audit: tuple[int, int]
    events: tuple[int, int]
    rights: tuple[int, int]
    public_releases: int  # an embargo ends without a change


async def fetch_freshness(session: ReadSession) -> Freshness:
    """Differs after every change in registry, every event of metadata, and every change of rights."""
    return Freshness(
        audit=await _newest(session, Base.metadata.tables["registry.audit"].c.id),
        events=await _newest(session, table(EVENTS[Service.METADATA]).c.seq),
        rights=await _newest(session, table(RIGHTS_CHANGES).c.seq),
        public_releases=int(
            await session.scalar(sa.select(sa.func.count(ReleaseRow.id)).where(is_released())) or 0
        ),
    )


async def _newest(session: ReadSession, number: sa.Column[Any]) -> tuple[int, int]:
    """The newest number, and the count of the last ones: a row with a smaller number may be committed later.

    The range is one of numbers, not of rows: a late row would only replace an older one among the last rows.
    """
    newest = sa.select(sa.func.max(number)).scalar_subquery()
    row = (
        await session.execute(sa.select(sa.func.max(number), sa.func.count()).where(number > newest - LATE))
    ).one()
    return int(row[0] or 0), int(row[1])


async def fetch_cached_sessions(
    session: ReadSession,
    visibility: Visibility,
    tag: str | None,
    session_ids: Collection[UUID] | None = None,
) -> Sequence[TableSession]:
    """Sessions whose folder is fully known, by id; of these ids only, or (None) all."""
    sessions = table(SESSIONS)
    statement = sa.select(
        sa.cast(sessions.c.id, sa.Text).label("id"),
        sessions.c.lab,
        sessions.c.subject,
        sessions.c.date,
        sessions.c.number,
        sessions.c.task_protocol,
        project_names(visibility).label("projects"),
    ).where(
        sessions.c.lab.is_not(None),
        sessions.c.date.is_not(None),
        sessions.c.number.is_not(None),
        visible.is_session_visible(visibility),
    )
    if tag is not None:
        statement = statement.where(
            sa.exists().where(
                DatasetRow.session_id == sessions.c.id,
                DatasetRow.deleted_at.is_(None),
                visible.has_tag(TagRow.name == tag),
            )
        )
    if session_ids is not None:
        statement = statement.where(is_any_of(sessions.c.id, session_ids))
    rows = await session.execute(statement.order_by(sa.text("1")))
    return [TableSession._make(row) for row in rows]


def project_names(visibility: Visibility) -> sa.ColumnElement[Any]:
    """Names of the session's projects that the caller can see."""
    sessions = table(SESSIONS)
    if visibility.everything:
        return sessions.c.projects
    link, project = table(SESSION_PROJECTS).alias(), table(PROJECTS).alias()
    names = (
        sa.select(project.c.name)
        .where(
            link.c.session_id == sessions.c.id,
            project.c.id == link.c.project_id,
            is_project_row_visible(visibility, project.c.id, project.c.is_private),
        )
        .order_by(project.c.name)
        .correlate_except(link, project)
    )
    return sa.func.array(names.scalar_subquery(), type_=ARRAY(sa.Text()))


async def fetch_cached_datasets(session: ReadSession, visibility: Visibility, tag: str | None) -> bytes:
    """Datasets of those sessions that exist on a server with a URL: CSV of `CSV_COLUMNS`, in no order."""
    sessions = table(SESSIONS)
    columns = {
        "eid": DatasetRow.session_id,
        "id": DatasetRow.id,
        "file_size": sa.func.coalesce(size_of_dataset(), 0),
        "hash": sa.func.coalesce(VersionRow.md5, ""),
        "is_flagged": DatasetRow.is_default,
        "qc": DatasetRow.qc,
        "collection": DatasetRow.collection,
        "revision": DatasetRow.revision,
        "name": DatasetRow.name,
    }
    statement = (
        sa.select(*(columns[name] for name in CSV_COLUMNS))
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id)
        .where(
            sessions.c.lab.is_not(None),
            sessions.c.date.is_not(None),
            sessions.c.number.is_not(None),
            has_shown_copy(RepositoryRow.globus_is_personal.is_(False), RepositoryRow.data_url.is_not(None)),
            visible.is_dataset_visible(visibility),
        )
    )
    if tag is not None:
        statement = statement.where(visible.has_tag(TagRow.name == tag))
    return await copy_rows(session, statement)
