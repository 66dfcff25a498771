"""Jobs, and what people do to them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.jobs import Job, JobDetail, ReasonIn
from libs.common.schemas.pages import Paging
from services.scheduler.operations import jobs as operations
from services.scheduler.queries import jobs as queries
from services.scheduler.queries.list_filters import JobFilters
from services.scheduler.routes.context import Context

router = APIRouter(route_class=IdempotentRoute, tags=["jobs"])
STEERED = problems(NotFound, Forbidden, Conflict)


@router.get("/jobs")
async def list_jobs(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[JobFilters, Query()],
) -> Page[Job]:
    """List jobs by level, priority and latest session."""
    count, jobs = await queries.list_jobs(session, filters, visibility, paging)
    return page(request, paging, count, jobs)


@router.get("/jobs/{job_id}", responses=problems(NotFound))
async def read_job(job_id: UUID, visibility: Sees, session: Reading) -> JobDetail:
    """Read a job with its attempts."""
    return await operations.read_job(session, visibility, job_id)


@router.post("/jobs/{job_id}/hold", responses=STEERED)
async def hold(
    job_id: UUID, body: ReasonIn, by: Editor, visibility: Sees, tx: Tx, context: Context
) -> JobDetail:
    """Hold a job: it does not run until it is released."""
    return await operations.hold_job(tx, context, by, visibility, job_id, body.reason)


@router.post("/jobs/{job_id}/release", responses=STEERED)
async def release(job_id: UUID, by: Editor, visibility: Sees, tx: Tx, context: Context) -> JobDetail:
    """Release a job that is not running, so that it runs, or runs again."""
    return await operations.release_job(tx, context, by, visibility, job_id)


@router.post("/jobs/{job_id}/abandon", responses=STEERED)
async def abandon(
    job_id: UUID, body: ReasonIn, by: Editor, visibility: Sees, tx: Tx, context: Context
) -> JobDetail:
    """Abandon a job, also for future inputs."""
    return await operations.abandon_job(tx, context, by, visibility, job_id, body.reason)
