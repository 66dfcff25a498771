"""Jobs, as workers and people meet them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.auth import Editor, Sees, Working
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged, uuid_of
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.jobs import (
    Attempt,
    Claim,
    ClaimIn,
    CompleteIn,
    FailIn,
    Heartbeat,
    HeartbeatIn,
    Job,
    JobDetail,
    LogIn,
    LogPiece,
    NoWork,
    ReasonIn,
    Worker,
)
from libs.common.schemas.pages import Paging
from libs.common.schemas.states import JobState
from libs.common.visibility import Visibility, system_visibility
from services.scheduler import queries
from services.scheduler.domain.facts import JobValue, LateToken, OutputProblem, OutputUndeclared
from services.scheduler.domain.steering import InputLocations, why
from services.scheduler.models import JobRow
from services.scheduler.operations import running, steering
from services.scheduler.operations.claim_queue import ClaimQueue
from services.scheduler.operations.pipeline import pipeline_of
from services.scheduler.queries import claims

router = APIRouter(route_class=IdempotentRoute, tags=["jobs"])
Filter = Annotated[str | None, Query()]
LATE = problems(NotFound, Forbidden, LateToken)


def _job(row: Mapping[str, Any], now: datetime) -> Job:
    """A job as it is told, and why it does not run now."""
    value = JobValue(
        id=row["id"],
        state=JobState(row["state"]),
        key=row["key"],
        not_before=row["not_before"],
        attempts=row["attempts"],
        reason=row["reason"],
        is_legacy=not row["is_derived"],
    )
    inputs = InputLocations(
        only_at=tuple(sorted(row["outside_names"] or ())),
        are_coming=row["are_coming"],
        rests_until=row["rests_until"],
    )
    folder = None
    if row["date"] is not None and row["lab"] is not None:
        folder = f"{row['lab']}/Subjects/{row['subject']}/{row['date']}/{row['number'] or 0:03d}"
    return Job.model_validate(
        {
            **{name: row[name] for name in Job.model_fields if name in row},
            "session_path": folder,
            "why": why(value, now, inputs),
        }
    )


@router.get("/jobs")
async def list_jobs(
    request: Request,
    who: Sees,
    read: Reading,
    wanted: Paging,
    state: Filter = None,
    session: Filter = None,
    task: Filter = None,
    lab: Filter = None,
) -> Page[Job]:
    """Jobs, by level, priority, latest session."""
    statement = queries.jobs(who)
    if state:
        if state not in {known.value for known in JobState}:
            raise BadRequest(fields={"state": [f"'{state}' is none of {', '.join(JobState)}."]})
        statement = statement.where(JobRow.state == state)
    if session:
        statement = statement.where(JobRow.session_id == uuid_of("session", session))
    if task:
        statement = statement.where(JobRow.task == task)
    if lab:
        statement = statement.where(queries.SESSION.c.lab == lab)
    count, rows = await paged(read, statement, wanted)
    now = await queries.clock(read)
    return page(request, wanted, count, [_job(row, now) for row in rows])


@router.get("/workers")
async def list_workers(who: Sees, read: Reading) -> list[Worker]:
    """Workers, last heard of first; a public reader sees none."""
    return [Worker.model_validate(row) for row in await claims.workers(read, who)]


@router.post("/jobs/claim", response_model=Claim | NoWork)
async def claim(request: Request, asked: ClaimIn, by: Working) -> Claim | NoWork:
    """Ask for work and wait for it. Nothing is given to a caller that has hung up."""
    queue: ClaimQueue = request.app.state.claim_queue

    async def look() -> Claim | None:
        async with request.app.state.writer.begin(by) as tx:
            got = await running.claim(tx, by, asked)
            if got is None:
                return None
            row, token = got
            await tx.session.flush()
            found = await queries.one(tx.session, queries.jobs(system_visibility()), JobRow.id == row.id)
            if found is None:
                raise NotFound
            declared = pipeline_of(tx).tasks.get(row.task)
            return Claim(
                job=_job(found, await queries.clock(tx.session)),
                token=token,
                lease_s=running.FIRST_LEASE_S,
                parameters=dict(declared.parameters) if declared else {},
            )

    return await queue.wait_for(look, asked.wait_s, request.is_disconnected) or NoWork()


@router.post("/jobs/heartbeat")
async def heartbeat(beats: HeartbeatIn, by: Working, tx: Tx) -> Heartbeat:
    """The worker lives and works on these; the answer names those it has lost."""
    return Heartbeat(lost=await running.heartbeat(tx, by, beats))


@router.get("/jobs/{job_id}", responses=problems(NotFound))
async def read_job(job_id: UUID, who: Sees, read: Reading) -> JobDetail:
    """One job, with its attempts."""
    return await _detail(read, who, job_id)


async def _detail(read: AsyncSession, who: Visibility, job_id: UUID) -> JobDetail:
    row = await queries.one(read, queries.jobs(who), JobRow.id == job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    history = [Attempt.model_validate(found) for found in await queries.attempts_of(read, job_id)]
    return JobDetail(history=history, **dict(_job(row, await queries.clock(read))))


@router.post("/jobs/{job_id}/complete", responses=LATE | problems(LateToken, OutputProblem, OutputUndeclared))
async def complete(job_id: UUID, said: CompleteIn, by: Working, tx: Tx) -> JobDetail:
    """The run is over; its outputs are registered next. A repeat changes nothing."""
    await running.complete(tx, by, job_id, said)
    return await _detail(tx.session, system_visibility(), job_id)


@router.post("/jobs/{job_id}/fail", responses=LATE)
async def fail(job_id: UUID, said: FailIn, by: Working, tx: Tx) -> JobDetail:
    """The run failed; it is tried again where that can help."""
    await running.fail(tx, by, job_id, said)
    return await _detail(tx.session, system_visibility(), job_id)


@router.post("/jobs/{job_id}/log", status_code=204, responses=problems(NotFound, Forbidden))
async def add_log(job_id: UUID, piece: LogIn, by: Working, tx: Tx) -> Response:
    """Keep a piece of the log; a repeat is kept once."""
    await running.log(tx, by, job_id, piece)
    return Response(status_code=204)


@router.get("/jobs/{job_id}/log", responses=problems(NotFound))
async def read_log(job_id: UUID, who: Sees, read: Reading, after: int = 0) -> list[LogPiece]:
    """The log behind a piece (`after`: its id), so that a page can follow it."""
    if await queries.one(read, queries.jobs(who), JobRow.id == job_id) is None:
        raise NotFound(f"There is no job {job_id}.")
    return [LogPiece.model_validate(row) for row in await queries.log_after(read, job_id, after)]


async def _steered(
    tx: Any, by: Principal, who: Visibility, job_id: UUID, what: str, reason: str = ""
) -> JobDetail:
    await steering.steer(tx, by, who, job_id, what, reason)
    return await _detail(tx.session, who, job_id)


STEERED = problems(NotFound, Forbidden, Conflict)


@router.post("/jobs/{job_id}/hold", responses=STEERED)
async def hold(job_id: UUID, said: ReasonIn, by: Editor, who: Sees, tx: Tx) -> JobDetail:
    """Keep a job from running until it is released."""
    return await _steered(tx, by, who, job_id, "hold", said.reason)


@router.post("/jobs/{job_id}/release", responses=STEERED)
async def release(job_id: UUID, by: Editor, who: Sees, tx: Tx) -> JobDetail:
    """Let a job run, also again."""
    return await _steered(tx, by, who, job_id, "release")


@router.post("/jobs/{job_id}/abandon", responses=STEERED)
async def abandon(job_id: UUID, said: ReasonIn, by: Editor, who: Sees, tx: Tx) -> JobDetail:
    """Give a job up."""
    return await _steered(tx, by, who, job_id, "abandon", said.reason)
