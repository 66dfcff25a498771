"""What the ONE client's tables hold: visible sessions, and the datasets that a server holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.catalogue import Service
from libs.common.permissions import Visibility
from libs.common.published import EVENTS, SESSIONS, table
from services.registry.models import Base, DatasetRow, RepositoryRow, TagRow, VersionRow
from services.registry.queries import visible
from services.registry.queries.datasets import held_by, rel_path


async def newest_facts(read: AsyncSession) -> tuple[int, int]:
    """Grows with every change in registry, and with all that metadata says."""
    audit = Base.metadata.tables["registry.audit"]
    ours = await read.scalar(sa.select(sa.func.max(audit.c.id)))
    theirs = await read.scalar(sa.select(sa.func.max(table(EVENTS[Service.METADATA]).c.seq)))
    return int(ours or 0), int(theirs or 0)


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
        session.c.projects,
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
