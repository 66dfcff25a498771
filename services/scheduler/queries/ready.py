"""Which jobs are ready at which sites: the rows that claims select from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import WriteSession
from libs.common.published import REPOSITORIES, table
from services.scheduler.models import JobRow, ReadyRow


async def update_sites(session: WriteSession, jobs: Mapping[UUID, Collection[str]]) -> None:
    """Make these jobs ready at these sites and at no others; a pause at a site that remains continues."""
    await session.flush()  # the ready rows copy what changed in the jobs' own rows
    if not jobs:
        return
    ready = {(job_id, site) for job_id, sites in jobs.items() for site in sites}
    rows = await session.execute(sa.select(ReadyRow.job_id, ReadyRow.site).where(ReadyRow.job_id.in_(jobs)))
    known = {(row.job_id, row.site) for row in rows}
    if gone := known - ready:
        pair = sa.tuple_(ReadyRow.job_id, ReadyRow.site)
        await session.execute(sa.delete(ReadyRow).where(pair.in_(sorted(gone))))
    if new := sorted(ready - known):
        job, columns = JobRow, ("job_id", "site", "task", "priority", "level", "created_at")
        pairs = sa.values(sa.column("job_id", sa.UUID), sa.column("site", sa.Text), name="new").data(new)
        chosen = sa.select(
            pairs.c.job_id, pairs.c.site, job.task, job.priority, job.level, job.created_at
        ).join(job, job.id == pairs.c.job_id)
        await session.execute(insert(ReadyRow).from_select(columns, chosen).on_conflict_do_nothing())


async def delete_ready_rows(session: WriteSession, job_id: UUID, *, keep_pauses: bool) -> None:
    """The job no longer waits; with `keep_pauses` those of its pauses stay that are not over, as it may wait again."""
    rows = sa.delete(ReadyRow).where(ReadyRow.job_id == job_id)
    if keep_pauses:
        rows = rows.where(sa.or_(ReadyRow.not_before.is_(None), ReadyRow.not_before <= sa.func.now()))
    await session.execute(rows)


async def update_order(session: WriteSession, job_id: UUID, priority: int, level: int) -> None:
    """Copy a job's priority and level."""
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id == job_id)
        .values(priority=priority, level=level)
        .execution_options(synchronize_session=False)
    )


async def update_pause(session: WriteSession, job_id: UUID, site: str, until: datetime) -> None:
    """Give the job to no worker of this site until then: one of them could not read an input."""
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id == job_id, ReadyRow.site == site)
        .values(not_before=until)
        .execution_options(synchronize_session=False)
    )


async def delete_pauses(session: WriteSession, session_id: UUID) -> None:
    """End all pauses of a session's jobs: a copy arrived, so the inputs may be readable now."""
    jobs = sa.select(JobRow.id).where(JobRow.session_id == session_id)
    await session.execute(
        sa.update(ReadyRow)
        .where(ReadyRow.job_id.in_(jobs), ReadyRow.not_before.is_not(None))
        .values(not_before=None)
        .execution_options(synchronize_session=False)
    )


def location_columns() -> tuple[sa.ColumnElement[Any], ...]:
    """Columns of a job: the names of repositories outside the pool that hold its inputs, and when its pauses end."""
    repositories = table(REPOSITORIES)
    names = sa.select(sa.func.array_agg(repositories.c.name)).where(
        repositories.c.id == sa.any_(JobRow.outside_pool)
    )
    all_rest = sa.func.bool_and(sa.func.coalesce(ReadyRow.not_before > sa.func.now(), sa.false()))
    rests = sa.select(sa.case((all_rest, sa.func.min(ReadyRow.not_before)))).where(
        ReadyRow.job_id == JobRow.id
    )
    return (
        names.correlate(JobRow).scalar_subquery().label("outside_names"),
        rests.correlate(JobRow).scalar_subquery().label("rests_until"),
    )
