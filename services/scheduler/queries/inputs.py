"""What registry says of the files that jobs read and make, and which sessions have news of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import COPIES, DATASETS, table
from libs.common.schemas.states import AttemptState, CopyState, JobState
from services.scheduler.domain.graph import DatasetFact
from services.scheduler.domain.sites import POOL
from services.scheduler.models import AttemptRow, JobRow, ReadyRow

Where = sa.ColumnElement[bool]
CENTRAL: Final = ("local", "s3")  # stores that answer over HTTPS
AGENT: Final = "agent"  # files on a lab's machine, read where they lie
_ON_THE_WAY: Final = (CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED)


async def name_of_dataset(session: AsyncSession, dataset_id: UUID) -> tuple[str, str] | None:
    """Collection and file name of a dataset."""
    theirs = table(DATASETS)
    row = (
        await session.execute(sa.select(theirs.c.collection, theirs.c.name).where(theirs.c.id == dataset_id))
    ).first()
    return (row.collection, row.name) if row else None


async def dataset_facts(session: AsyncSession, session_id: UUID) -> list[tuple[UUID, DatasetFact]]:
    """The datasets of a session that are the default of their name, with their ids."""
    theirs = table(DATASETS)
    made = sa.exists().where(
        AttemptRow.job_id == JobRow.id,
        JobRow.session_id == session_id,
        AttemptRow.state == AttemptState.REGISTERED,
        AttemptRow.outputs.contains(
            sa.func.jsonb_build_array(
                sa.func.jsonb_build_object("name", theirs.c.rel_path, "sha256", theirs.c.sha256)
            )
        ),
    )
    rows = await session.execute(
        sa.select(
            theirs.c.id,
            theirs.c.collection,
            theirs.c.name,
            theirs.c.sha256,
            _places(theirs).label("places"),
            _is_coming(theirs).label("is_coming"),
            made.label("made_by_job"),
        ).where(theirs.c.session_id == session_id, theirs.c.default_revision)
    )
    return [(row.id, _fact(row)) for row in rows]


def _fact(row: Any) -> DatasetFact:
    places = frozenset(row.places or ())
    return DatasetFact(
        row.collection,
        row.name,
        row.sha256,
        readable=bool(places),
        made_by_job=row.made_by_job,
        places=places,
        is_coming=row.is_coming,
    )


def site_of(copies: sa.FromClause) -> sa.ColumnElement[str]:
    """The site of a copy in a store that workers can read."""
    return sa.case((copies.c.store.in_(CENTRAL), POOL), else_=sa.cast(copies.c.repository_id, sa.Text))


def _places(datasets: sa.Table) -> sa.ScalarSelect[Any]:
    copies = table(COPIES)
    site = site_of(copies)
    return (
        sa.select(sa.func.array_agg(aggregate_order_by(site, site)))
        .where(
            copies.c.version_id == datasets.c.version_id,
            copies.c.state == CopyState.VERIFIED,
            copies.c.store.in_((*CENTRAL, AGENT)),
        )
        .correlate(datasets)
        .scalar_subquery()
    )


def _is_coming(datasets: sa.Table) -> Where:
    copies = table(COPIES).alias()
    return sa.exists().where(
        copies.c.version_id == datasets.c.version_id,
        copies.c.state.in_(_ON_THE_WAY),
        copies.c.store.in_(CENTRAL),
    )


def unreadable(site: sa.SQLColumnExpression[str]) -> Where:
    """One of the inputs of the job's key is not current, or no verified copy of it can be read at this site."""
    wanted = (
        sa.func.jsonb_to_recordset(JobRow.inputs)
        .table_valued(sa.column("dataset_id", sa.UUID), sa.column("sha256", sa.Text), name="wanted")
        .render_derived(with_types=True)
    )
    datasets, copies = table(DATASETS), table(COPIES)
    current = sa.exists().where(
        datasets.c.id == wanted.c.dataset_id,
        datasets.c.sha256 == wanted.c.sha256,
    )
    # By itself, and not joined to the datasets: two small plans take a fifth of the time that a large one does.
    readable = sa.exists().where(
        copies.c.dataset_id == wanted.c.dataset_id,
        copies.c.sha256 == wanted.c.sha256,
        copies.c.state == CopyState.VERIFIED,
        sa.or_(copies.c.store.in_(CENTRAL), sa.cast(copies.c.repository_id, sa.Text) == site),
    )
    return sa.exists(sa.select(sa.literal(1)).select_from(wanted).where(~sa.and_(current, readable)))


async def sessions_to_look_at(session: AsyncSession, since: datetime) -> list[UUID]:
    """Sessions with datasets or copies that changed since then."""
    theirs, copies = table(DATASETS), table(COPIES)
    changed = sa.union(
        sa.select(theirs.c.session_id).where(theirs.c.created_at > since, theirs.c.session_id.is_not(None)),
        sa.select(copies.c.session_id).where(copies.c.proved_at > since, copies.c.session_id.is_not(None)),
    ).subquery()
    return list((await session.execute(sa.select(changed.c.session_id))).scalars())


async def sessions_without_sites(session: AsyncSession) -> list[UUID]:
    """Sessions with jobs that wait and are ready nowhere: written before sites were known, or their inputs apart."""
    found = (
        sa.select(JobRow.session_id)
        .distinct()
        .where(
            JobRow.state == JobState.WAITING,
            JobRow.is_derived,
            ~sa.exists().where(ReadyRow.job_id == JobRow.id),
        )
    )
    return [found for found in (await session.execute(found)).scalars() if found is not None]


async def stale_sites(session: AsyncSession, after: UUID, n: int) -> tuple[list[UUID], UUID | None]:
    """Sessions whose jobs are no longer ready where they are listed, among the next `n` rows; the last of these.

    A copy that is doubted or lost is no event here, and each claim would pass such rows over again.
    """
    part = (
        sa.select(ReadyRow.job_id, ReadyRow.site)
        .where(ReadyRow.job_id > after)
        .order_by(ReadyRow.job_id)
        .limit(n)
        .cte("part")
    )
    last: UUID | None = await session.scalar(sa.select(part.c.job_id).order_by(part.c.job_id.desc()).limit(1))
    stale = (
        sa.select(JobRow.session_id)
        .distinct()
        .join(part, part.c.job_id == JobRow.id)
        .where(JobRow.state == JobState.WAITING, unreadable(part.c.site))
    )
    sessions: Sequence[UUID | None] = (await session.execute(stale)).scalars().all()
    return [one for one in sessions if one is not None], last
