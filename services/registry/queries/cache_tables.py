"""What the ONE client's tables hold: visible sessions, and the datasets that a server holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.catalogue import Service
from libs.common.published import EVENTS, PROJECTS, RIGHTS_CHANGES, SESSION_PROJECTS, SESSIONS, table
from libs.common.visibility import Visibility
from libs.common.visible import project_row_visible
from services.registry.models import Base, DatasetRow, RepositoryRow, TagRow, VersionRow
from services.registry.queries import visible
from services.registry.queries.datasets import held_by, rel_path

LATE = 10_000  # numbers that other transactions take before one that began earlier commits


class Facts(NamedTuple):
    """The newest of each kind of fact, and how many of the last numbers are committed: either grows with any commit."""

    audit: tuple[int, int]
    events: tuple[int, int]
    rights: tuple[int, int]


async def newest_facts(read: AsyncSession) -> Facts:
    """Changes with every change in registry, with all that metadata says, and with whatever changes who sees what."""
    ours = await _newest(read, Base.metadata.tables["registry.audit"].c.id)
    theirs = await _newest(read, table(EVENTS[Service.METADATA]).c.seq)
    return Facts(ours, theirs, await _newest(read, table(RIGHTS_CHANGES).c.seq))


async def _newest(read: AsyncSession, number: sa.Column[Any]) -> tuple[int, int]:
    """A row with a smaller number may be committed later: the count of the last numbers tells.

    Of numbers, not of rows: the last so many rows would be as many again, an older one for the one that came late.
    """
    newest = sa.select(sa.func.max(number)).scalar_subquery()
    row = (
        await read.execute(sa.select(sa.func.max(number), sa.func.count()).where(number > newest - LATE))
    ).one()
    return int(row[0] or 0), int(row[1])


async def tag_exists(read: AsyncSession, tag: str) -> bool:
    """Whether there is such a tag."""
    return bool(await read.scalar(sa.select(sa.exists().where(TagRow.name == tag))))


async def sessions(read: AsyncSession, seen: Visibility, tag: str | None) -> Sequence[Any]:
    """Sessions whose folder is known whole, by id."""
    session = table(SESSIONS)
    statement = sa.select(
        sa.cast(session.c.id, sa.Text).label("id"),
        session.c.lab,
        session.c.subject,
        session.c.date,
        session.c.number,
        session.c.task_protocol,
        _projects(seen).label("projects"),
    ).where(
        session.c.lab.is_not(None),
        session.c.date.is_not(None),
        session.c.number.is_not(None),
        visible.sessions(seen),
    )
    if tag is not None:
        statement = statement.where(
            sa.exists().where(
                DatasetRow.session_id == session.c.id,
                DatasetRow.deleted_at.is_(None),
                visible.tagged(TagRow.name == tag),
            )
        )
    return (await read.execute(statement.order_by(sa.text("1")))).all()


def _projects(seen: Visibility) -> sa.ColumnElement[Any]:
    """Names of the session's projects that the caller may know of."""
    session = table(SESSIONS)
    if seen.everything:
        return session.c.projects
    link, project = table(SESSION_PROJECTS).alias(), table(PROJECTS).alias()
    names = (
        sa.select(project.c.name)
        .where(
            link.c.session_id == session.c.id,
            project.c.id == link.c.project_id,
            project_row_visible(seen, project.c.id, project.c.is_private),
        )
        .order_by(project.c.name)
        .correlate_except(link, project)
    )
    return sa.func.array(names.scalar_subquery(), type_=ARRAY(sa.Text()))


async def datasets(read: AsyncSession, seen: Visibility, tag: str | None) -> Sequence[Any]:
    """Datasets of those sessions that a server with an address holds, by session and id.

    One revision of each file is the default: the flagged one, else the newest of those listed.
    """
    session = table(SESSIONS)
    rank = sa.func.row_number().over(
        partition_by=(DatasetRow.session_id, DatasetRow.collection, DatasetRow.name),
        order_by=(DatasetRow.is_default.desc(), DatasetRow.revision.collate("C").desc()),
    )
    statement = (
        sa.select(
            sa.cast(DatasetRow.session_id, sa.Text).label("eid"),
            sa.cast(DatasetRow.id, sa.Text).label("id"),
            sa.func.coalesce(VersionRow.size_bytes, 0).label("file_size"),
            sa.func.coalesce(VersionRow.md5, "").label("hash"),
            (rank == 1).label("default_revision"),
            DatasetRow.qc,
            rel_path().label("rel_path"),
        )
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == DatasetRow.id, VersionRow.generation == DatasetRow.generation),
        )
        .join(session, session.c.id == DatasetRow.session_id)
        .where(
            session.c.lab.is_not(None),
            session.c.date.is_not(None),
            session.c.number.is_not(None),
            held_by(RepositoryRow.globus_is_personal.is_(False), RepositoryRow.data_url.is_not(None)),
            visible.datasets(seen),
        )
        .order_by(sa.text("1, 2"))
    )
    if tag is not None:
        statement = statement.where(visible.tagged(TagRow.name == tag))
    return (await read.execute(statement)).all()
