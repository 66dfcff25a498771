"""What people and legacy runners do to jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound
from libs.common.published import REPOSITORIES, table
from libs.common.schemas.jobs import TaskIn
from libs.common.schemas.states import JobState
from libs.common.scopes import Permission
from libs.common.targets import session_target
from libs.common.visibility import Visibility
from libs.common.visible import session_visible
from services.scheduler import queries
from services.scheduler.domain import steering
from services.scheduler.domain.retry import ALYX_RUN
from services.scheduler.models import JobRow
from services.scheduler.operations.running import write
from services.scheduler.queries import ready

BY_CODE = {state.alyx_code: state for state in JobState if state is not JobState.PUBLISHING}
BY_NAME = {state.value.lower(): state for state in JobState if state is not JobState.PUBLISHING}


def status_of(said: str | int) -> JobState:
    """A status by Alyx's name or number. Raises BadRequest.

    >>> status_of("waiting"), status_of(60)
    (<JobState.WAITING: 'Waiting'>, <JobState.COMPLETE: 'Complete'>)
    """
    text = str(said).strip().lower()
    found = (
        BY_CODE.get(int(text)) if text.isascii() and text.isdigit() and len(text) < 4 else BY_NAME.get(text)
    )
    if found is None:
        names = ", ".join(state.value for state in BY_CODE.values())
        raise BadRequest(fields={"status": [f"'{said}' is none of {names}."]})
    return found


async def _mine(tx: Transaction, by: Principal, who: Visibility, job_id: UUID) -> JobRow:
    """A job that the caller may steer, locked. Raises NotFound or Forbidden."""
    if await queries.one(tx.session, queries.jobs(who), JobRow.id == job_id) is None:
        raise NotFound(f"There is no job {job_id}.")
    row = await queries.locked(tx.session, job_id)
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    await _may_steer(tx, by, row.session_id, row.owner_id, row.data_repository_id)
    return row


async def _may_steer(
    tx: Transaction,
    by: Principal,
    session_id: UUID | None,
    owner_id: UUID | None,
    repository_id: UUID | None,
) -> None:
    """A job of a session is its lab's; another one its maker's and that of the lab whose repository it names."""
    if session_id is None:
        labs: list[UUID | None] = [*await queries.labs_of_repository(tx.session, repository_id)]
        targets = [Target(lab_id, responsible_user_id=owner_id) for lab_id in labs or [None]]
        if not any(may_on(by, Permission.WRITE, target) for target in targets):
            raise Forbidden("The job is another person's, or of another lab.")
        return
    if not may_on(by, Permission.WRITE, await session_target(tx.session, session_id)):
        raise Forbidden("The job is of another lab, or beyond the token in use.")


async def _may_use(tx: Transaction, by: Principal, repository_id: UUID | None) -> None:
    """Nobody puts a task of no session before the people of another lab."""
    labs = await queries.labs_of_repository(tx.session, repository_id)
    if labs and not any(may_on(by, Permission.WRITE, Target(lab_id)) for lab_id in labs):
        raise Forbidden("The repository is of another lab.")


async def steer(
    tx: Transaction, by: Principal, who: Visibility, job_id: UUID, what: str, reason: str = ""
) -> None:
    """Hold, release or abandon a job."""
    row = await _mine(tx, by, who, job_id)
    job = queries.value(row)
    text = f"{reason} ({by.username})" if reason else ""
    change = {
        "hold": lambda: steering.hold(job, text),
        "abandon": lambda: steering.abandon(job, text),
        "release": lambda: steering.release(job),
    }[what]()
    tx.audit(
        f"job.{what}",
        "job",
        job_id,
        before={"state": job.state},
        after={"state": change.job.state, "reason": reason},
    )
    await write(tx, row, change)


_PLAIN = (
    "priority",
    "io_charge",
    "level",
    "gpu",
    "cpu",
    "ram",
    "time_out_secs",
    "time_elapsed_secs",
    "executable",
    "graph",
    "log",
    "version",
)


def _fields(body: TaskIn) -> dict[str, Any]:
    fields = {name: getattr(body, name) for name in _PLAIN if name in body.model_fields_set}
    nullable = {"time_out_secs", "time_elapsed_secs", "log", "version"}
    fields = {name: value for name, value in fields.items() if value is not None or name in nullable}
    if body.parents is not None:
        fields["parents"] = body.parents
    return fields


async def _repository(tx: Transaction, name: str | None) -> UUID | None:
    if name is None:
        return None
    theirs = table(REPOSITORIES)
    found = await tx.session.scalar(sa.select(theirs.c.id).where(theirs.c.name == name))
    if found is None:
        raise BadRequest(fields={"data_repository": [f"Object with name={name} does not exist."]})
    return UUID(str(found))


async def create_task(tx: Transaction, by: Principal, who: Visibility, body: TaskIn) -> UUID:
    """Write a task down, as a legacy pipeline does."""
    if body.session is not None and not await tx.session.scalar(
        sa.select(session_visible(who, body.session))
    ):
        raise BadRequest(fields={"session": [f"Object with pk={body.session} does not exist."]})
    repository_id = await _repository(tx, body.data_repository)
    owner_id = by.user_id if body.session is None else None
    await _may_steer(tx, by, body.session, owner_id, repository_id)
    if body.session is None:
        await _may_use(tx, by, repository_id)
    arguments = queries.arguments_text(body.arguments)
    twin = sa.exists().where(
        JobRow.session_id.is_not_distinct_from(body.session),
        JobRow.task == (body.name or ""),
        JobRow.probe == "",
        JobRow.arguments == arguments,
        JobRow.owner_id.is_not_distinct_from(owner_id),
    )
    if await tx.session.scalar(sa.select(twin)):
        raise Conflict(
            fields={"non_field_errors": ["The fields name, session, arguments must make a unique set."]}
        )
    status = status_of(body.status) if body.status is not None else JobState.WAITING
    row = JobRow(
        id=uuid4(),
        task=body.name or "",
        session_id=body.session,
        owner_id=owner_id,
        probe="",
        arguments=arguments,
        state=JobState.WAITING.value,
        reason="",
        by_person=False,
        attempts=0,
        outputs=[],
        inputs=[],
        data_repository_id=repository_id,
        **_fields(body),
    )
    tx.session.add(row)
    await tx.session.flush()
    if status is not JobState.WAITING:
        await _set_status(tx, by, row, status)
    tx.audit("task.created", "job", row.id, after={"name": row.task, "status": status.value})
    return row.id


async def update_task(tx: Transaction, by: Principal, who: Visibility, job_id: UUID, body: TaskIn) -> None:
    """JobChange a task; absent fields keep their value. A status is a legacy runner's word."""
    row = await _mine(tx, by, who, job_id)
    for name, value in _fields(body).items():
        setattr(row, name, value)
    if "data_repository" in body.model_fields_set:
        row.data_repository_id = await _repository(tx, body.data_repository)
        if row.session_id is None:
            await _may_use(tx, by, row.data_repository_id)
    if "arguments" in body.model_fields_set and not row.is_derived:
        row.arguments = queries.arguments_text(body.arguments)
    if body.name is not None and not row.is_derived:
        row.task = body.name
    await tx.session.flush()
    if not {"priority", "level"}.isdisjoint(body.model_fields_set):
        await ready.reorder(tx.session, row)
    if body.status is not None:
        status = status_of(body.status)
        if status.alyx_name != JobState(row.state).alyx_name or status is JobState.STARTED:
            await _set_status(tx, by, row, status)
    tx.audit("task.changed", "job", row.id, after={"fields": sorted(body.model_fields_set)})


def runner_of(by: Principal) -> str:
    """Who speaks through `/tasks`: two clients with one token on one machine are one."""
    return f"{by.token_id or by.user_id} {by.address}"


async def _set_status(tx: Transaction, by: Principal, row: JobRow, status: JobState) -> None:
    now = await queries.clock(tx.session)
    run = timedelta(seconds=row.time_out_secs) if row.time_out_secs else ALYX_RUN
    token = await queries.next_token(tx.session)
    change = steering.set_by_alyx(queries.value(row), status, token, now, run, runner_of(by))
    await write(tx, row, change)


async def delete_task(tx: Transaction, by: Principal, who: Visibility, job_id: UUID) -> None:
    """Remove a task that is not running; one that the graph wants comes back at its next look."""
    row = await _mine(tx, by, who, job_id)
    if JobState(row.state).is_running:
        raise Conflict("The job runs: hold or abandon it first.")
    tx.audit("task.deleted", "job", row.id, before={"name": row.task, "state": row.state})
    await tx.session.delete(row)
