"""Rows of the ONE client's tables: visible sessions, and the datasets that exist on a server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from cingulum.export.dataset_csv import CSV_COLUMNS
from cingulum.export.one_tables import TableSession
from libs.common.catalogue import Service
from libs.common.db import ReadSession
from libs.common.db.copied import copy_rows
from libs.common.published import EVENTS, PROJECTS, RIGHTS_CHANGES, SESSION_PROJECTS, SESSIONS, table
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility
from libs.common.visible import is_project_row_visible
from services.registry.models import Base, CopyRow, DatasetRow, ReleaseRow, RepositoryRow, TagRow, VersionRow
from services.registry.models.expressions import is_current_version, is_released
from services.registry.queries import visible
from services.registry.queries.columns import has_shown_copy, is_any_of, size_of_dataset

MOST_CHANGED: Final = 500  # objects; after more changes all rows are read
_REGISTERED: Final = f"files.registered:{ContentType.SESSION}"
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


async def find_changed_sessions(
    session: ReadSession, before: Freshness, now: Freshness
) -> tuple[set[UUID], set[UUID]] | None:
    """The datasets that changed between the two, and their sessions now; None if other rows may differ, too.

    That is so unless all that was written since is audited as registrations of files of sessions and as changes of
    datasets and of their copies, and nothing with a smaller number was committed later.
    """
    if (before.events, before.rights, before.public_releases) != (
        now.events,
        now.rights,
        now.public_releases,
    ):
        return None
    audit = Base.metadata.tables["registry.audit"].c
    newest, counted = before.audit
    earlier = sa.select(sa.func.count()).where(audit.id > newest - LATE, audit.id <= newest)
    if await session.scalar(earlier) != counted:
        return None
    kind = sa.case((audit.action == "files.registered", audit.action + ":"), else_="").concat(
        audit.object_type
    )
    changed = sa.select(kind.label("kind"), audit.object_id).where(audit.id > newest).distinct()
    objects = (await session.execute(changed.limit(MOST_CHANGED + 1))).all()
    if len(objects) > MOST_CHANGED or {row.kind for row in objects} - {
        _REGISTERED,
        "dataset",
        "copy",
        "file",
    }:
        return None
    registered = {UUID(row.object_id) for row in objects if row.kind == _REGISTERED}
    dataset_ids = {UUID(row.object_id) for row in objects if row.kind == "dataset"}
    copy_ids = {UUID(row.object_id) for row in objects if row.kind in {"copy", "file"}}
    of_copies = sa.select(CopyRow.id, CopyRow.dataset_id).where(is_any_of(CopyRow.id, copy_ids))
    copies = (await session.execute(of_copies)).all()
    if len(copies) < len(copy_ids):
        return None
    dataset_ids |= {row.dataset_id for row in copies}
    owners = sa.select(DatasetRow.session_id).where(
        is_any_of(DatasetRow.id, dataset_ids), DatasetRow.session_id.is_not(None)
    )
    return dataset_ids, registered | {row.session_id for row in await session.execute(owners)}


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


async def fetch_cached_datasets(
    session: ReadSession,
    visibility: Visibility,
    tag: str | None,
    session_ids: Collection[UUID] | None = None,
) -> bytes:
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
    if session_ids is not None:
        statement = statement.where(is_any_of(DatasetRow.session_id, session_ids))
    return await copy_rows(session, statement)
