"""How an attempt ends, and its log."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from libs.common.auth import Sees, Working
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import Forbidden, LateToken, NotFound, problems
from libs.common.schemas.attempts import CompleteIn, FailIn, LogIn, LogPiece
from libs.common.schemas.jobs import JobDetail
from services.scheduler.domain.facts import OutputProblem, OutputUndeclared
from services.scheduler.operations import attempts as operations
from services.scheduler.routes.context import Context

router = APIRouter(route_class=IdempotentRoute, tags=["jobs"])
LATE = problems(NotFound, Forbidden, LateToken)


@router.post("/jobs/{job_id}/complete", responses=LATE | problems(LateToken, OutputProblem, OutputUndeclared))
async def complete(job_id: UUID, body: CompleteIn, by: Working, tx: Tx, context: Context) -> JobDetail:
    """Complete an attempt; its outputs are then registered. Idempotent."""
    return await operations.complete_attempt(tx, context, by, job_id, body)


@router.post("/jobs/{job_id}/fail", responses=LATE)
async def fail(job_id: UUID, body: FailIn, by: Working, tx: Tx, context: Context) -> JobDetail:
    """Report a failed run; the job is retried if the failure may be temporary."""
    return await operations.fail_attempt(tx, context, by, job_id, body)


@router.post("/jobs/{job_id}/log", status_code=204, responses=problems(NotFound, Forbidden))
async def add_log(job_id: UUID, body: LogIn, by: Working, tx: Tx) -> Response:
    """Add a piece of an attempt's log. Idempotent."""
    await operations.add_log(tx, by, job_id, body)
    return Response(status_code=204)


@router.get("/jobs/{job_id}/log", responses=problems(NotFound))
async def read_log(job_id: UUID, visibility: Sees, session: Reading, after: int = 0) -> list[LogPiece]:
    """Read a job's log; `after` is the id of the last piece already read."""
    return await operations.read_log(session, visibility, job_id, after)
