"""Which jobs are ready at which sites: the rows that claims look through."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.published import LAB_REPOSITORIES, LABS, REPOSITORIES, table
from libs.common.schemas.states import AttemptState
from services.scheduler.domain.sites import POOL
from services.scheduler.models import AttemptRow, JobRow, ReadyRow
from services.scheduler.queries.inputs import AGENT


async def set_sites(session: AsyncSession, jobs: Mapping[UUID, Collection[str]]) -> None:
    """Let these jobs be ready at these sites and at no others; a rest at a site that stays goes on."""
    if not jobs:
        return
    wanted = {(job_id, site) for job_id, sites in jobs.items() for site in sites}
    rows = await session.execute(sa.select(ReadyRow.job_id, ReadyRow.site).where(ReadyRow.job_id.in_(jobs)))
    known = {(row.job_id, row.site) for row in rows}
    if gone := known - wanted:
        pair = sa.tuple_(ReadyRow.job_id, ReadyRow.site)
        await session.execute(sa.delete(ReadyRow).where(pair.in_(sorted(gone))))
    if new := sorted(wanted - known):
        job, ready = JobRow, ("job_id", "site", "task", "priority", "level", "created_at")
        pairs = sa.values(sa.column("job_id", sa.UUID), sa.column("site", sa.Text), name="new").data(new)
        chosen = sa.select(
            pairs.c.job_id, pairs.c.site, job.task, job.priority, job.level, job.created_at
        ).join(job, job.id == pairs.c.job_id)
        await session.execute(insert(ReadyRow).from_select(ready, chosen).on_conflict_do_nothing())


async def clear(session: AsyncSession, job_id: UUID, *, keep_rests: bool) -> None:
    """The job does not wait any more; with `keep_rests`, it may wait again, and still rest at a site."""
    rows = sa.delete(ReadyRow).where(ReadyRow.job_id == job_id)
    if keep_rests:
        rows = rows.where(sa.or_(ReadyRow.not_before.is_(None), ReadyRow.not_before <= sa.func.now()))
    await session.execute(rows)


async def reorder(session: AsyncSession, row: JobRow) -> None:
    """The job's priority or level changed."""
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id == row.id)
        .values(priority=row.priority, level=row.level)
        .execution_options(synchronize_session=False)
    )


async def rest(session: AsyncSession, job_id: UUID, site: str, until: datetime) -> None:
    """Give the job to no worker of this site before then: one of them could not read an input."""
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id == job_id, ReadyRow.site == site)
        .values(not_before=until)
        .execution_options(synchronize_session=False)
    )


async def end_rests(session: AsyncSession, session_id: UUID) -> None:
    """A copy arrived: what could not be read may be there now."""
    jobs = sa.select(JobRow.id).where(JobRow.session_id == session_id)
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id.in_(jobs), ReadyRow.not_before.is_not(None))
        .values(not_before=None)
        .execution_options(synchronize_session=False)
    )


async def returned(session: AsyncSession, job_id: UUID, token: int) -> tuple[str, int]:
    """The site of an attempt that was given back, and how often the job came back from there within a day."""
    site = await session.scalar(sa.select(AttemptRow.site).where(AttemptRow.token == token))
    times = await session.scalar(
        sa.select(sa.func.count()).where(
            AttemptRow.job_id == job_id,
            AttemptRow.site == site,
            AttemptRow.state == AttemptState.RETURNED,
            AttemptRow.ended_at > sa.func.now() - sa.text("interval '1 day'"),
        )
    )
    return site or POOL, times or 1


async def sites_of(session: AsyncSession, site: str) -> list[str]:
    """Where a worker that stands at `site` can read: the pool, and the agent repositories that this names.

    `site` is the name of an agent repository, of its host, or of the lab whose repository it is.
    """
    if not site:
        return [POOL]
    theirs, links, labs = table(REPOSITORIES), table(LAB_REPOSITORIES), table(LABS)
    of_lab = sa.exists().where(
        links.c.repository_id == theirs.c.id, labs.c.id == links.c.lab_id, labs.c.name == site
    )
    found = sa.select(sa.cast(theirs.c.id, sa.Text)).where(
        theirs.c.store == AGENT, sa.or_(theirs.c.name == site, theirs.c.hostname == site, of_lab)
    )
    return [POOL, *(await session.execute(found)).scalars()]


def whereabouts() -> tuple[sa.ColumnElement[Any], ...]:
    """Columns of a job: the names of repositories outside the pool that hold its inputs, and when its rests end."""
    theirs = table(REPOSITORIES)
    names = sa.select(sa.func.array_agg(theirs.c.name)).where(theirs.c.id == sa.any_(JobRow.outside_pool))
    all_rest = sa.func.bool_and(sa.func.coalesce(ReadyRow.not_before > sa.func.now(), sa.false()))
    rests = sa.select(sa.case((all_rest, sa.func.min(ReadyRow.not_before)))).where(
        ReadyRow.job_id == JobRow.id
    )
    return (
        names.correlate(JobRow).scalar_subquery().label("outside_names"),
        rests.correlate(JobRow).scalar_subquery().label("rests_until"),
    )
