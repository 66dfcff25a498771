"""Tasks: what legacy pipelines and runners do to jobs through Alyx's `/tasks`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.catalogue import Service
from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.removal import lock_taken, remove
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.states import JobState
from libs.common.schemas.tasks import Task, TaskIn
from libs.common.undo import Undoable, Undoables
from libs.common.visibility import Visibility
from services.scheduler.domain import steering
from services.scheduler.domain.retry import ALYX_RUN
from services.scheduler.domain.rights import check_may_steer_job_of_session, check_may_use_repository
from services.scheduler.domain.tasks import COMPARED, arguments_text, check_fixed_fields
from services.scheduler.models import DEPENDANTS, JobRow
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.operations.jobs import (
    check_may_steer,
    lock_job_to_change,
    lock_job_to_steer,
    save_change,
)
from services.scheduler.queries import attempts, jobs, ready, tasks
from services.scheduler.queries.locked_jobs import LockedJob
from services.scheduler.queries.repositories import fetch_lab_ids_of_repository, find_repository_id
from services.scheduler.queries.visible import exists_session

_STORED: Final = StoredFields(
    TaskIn, JobRow, handled={"session", "data_repository", "status", "name", "arguments"}
)


async def read_task(session: ReadSession, visibility: Visibility, task_id: UUID) -> Task:
    """One task. Raises NotFound."""
    task = await tasks.find_task(session, visibility, task_id)
    if task is None:
        raise _no_such_task(task_id)
    return task


def _no_such_task(task_id: UUID) -> NotFound:
    return NotFound(f"There is no task {task_id}.")


async def create_task(
    tx: Transaction, context: SchedulerContext, by: Principal, visibility: Visibility, body: TaskIn
) -> Task:
    """Create a task, as a legacy pipeline does."""
    if body.session is not None:
        await jobs.lock_graph(tx.session, body.session)  # a merge of the session waits for its new task
    if body.session is not None and not await exists_session(tx.session, visibility, body.session):
        raise UnknownReference("session", body.session, key="pk")
    await _check_parents(tx.session, visibility, body)
    repository_id = await _repository_id(tx.session, body.data_repository)
    owner_id = by.user_id if body.session is None else None
    await check_may_steer(tx.session, by, body.session, owner_id, repository_id)
    if body.session is None:
        check_may_use_repository(by, await fetch_lab_ids_of_repository(tx.session, repository_id))
    row = _new_row(body, owner_id, repository_id)
    await _check_unique(tx.session, row, row.task, row.arguments)
    status = _status(body.status) if body.status is not None else JobState.WAITING
    await jobs.insert_job(tx.session, row)
    if status is not JobState.WAITING:
        await _set_status(tx, context, by, row, status)
    tx.audit("task.created", "job", row.id, after={"name": row.task, "status": status.value})
    return await read_task(tx.session, visibility, row.id)


def _new_row(body: TaskIn, owner_id: UUID | None, repository_id: UUID | None) -> JobRow:
    return JobRow(
        id=uuid4(),
        task=body.name or "",
        session_id=body.session,
        owner_id=owner_id,
        probe="",
        arguments=arguments_text(body.arguments),
        state=JobState.WAITING.value,
        reason="",
        by_person=False,
        attempts=0,
        outputs=[],
        inputs=[],
        data_repository_id=repository_id,
        **_STORED.values(body),
    )


async def update_task(
    tx: Transaction,
    context: SchedulerContext,
    by: Principal,
    visibility: Visibility,
    task_id: UUID,
    body: TaskIn,
) -> Task:
    """Update a task; absent fields keep their value. A legacy runner sets its status."""
    job = await lock_job_to_change(tx, by, visibility, task_id)
    await _check_parents(tx.session, visibility, body, known=job.parents)
    if not COMPARED.isdisjoint(body.model_fields_set):
        shown = await read_task(tx.session, visibility, task_id)
        check_fixed_fields(shown, body, is_derived=job.is_derived)
    fields = await _changed_fields(tx.session, by, job, body)
    updated = await tasks.update_task(tx.session, visibility, task_id, fields)
    if updated is None:
        raise _no_such_task(task_id)
    task, target = updated
    if target is not None:
        check_may_steer_job_of_session(by, target)
    if not {"priority", "level"}.isdisjoint(body.model_fields_set):
        await ready.update_order(tx.session, task_id, task.priority, task.level)
    status = None if body.status is None else _status(body.status)
    is_set = status is not None and (
        status.alyx_name != JobState(job.state).alyx_name or status is JobState.STARTED
    )
    if status is not None and is_set:
        row = await jobs.lock_job(tx.session, task_id)
        await _set_status(tx, context, by, row, status)
        if "log" in fields and not fields["log"]:
            await jobs.update_fields(tx.session, row, {"log": ""})
    tx.audit("task.changed", "job", task_id, after={"fields": sorted(body.model_fields_set)})
    # Without a session, it may be visible no longer by the repository that it has now.
    return task if target is not None and not is_set else await read_task(tx.session, visibility, task_id)


async def _changed_fields(
    session: ReadSession, by: Principal, job: LockedJob, body: TaskIn
) -> dict[str, Any]:
    """The columns that a body sets, but for the state. Raises UnknownReference, Forbidden, Conflict."""
    fields = _STORED.values(body)
    if "data_repository" in body.model_fields_set:
        repository_id = fields["data_repository_id"] = await _repository_id(session, body.data_repository)
        if job.session_id is None:
            check_may_use_repository(by, await fetch_lab_ids_of_repository(session, repository_id))
    if "arguments" in body.model_fields_set and not job.is_derived:
        fields["arguments"] = arguments_text(body.arguments)
    if "name" in body.model_fields_set and not job.is_derived:
        fields["task"] = body.name or ""
    if not {"task", "arguments"}.isdisjoint(fields):
        name, arguments = fields.get("task", job.task), fields.get("arguments", job.arguments)
        await _check_unique(session, job, name, arguments)
    if "log" in fields and not fields["log"]:
        # Cleared: null is a log that was never written, in place of which the reason is shown.
        fields["log"] = ""
    return fields


async def delete_task(
    tx: Transaction, by: Principal, visibility: Visibility, task_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete a task that is not running; a derived one is created again when its session is next reconciled."""
    row = await lock_job_to_steer(tx, by, visibility, task_id)
    steering.check_deletable(JobState(row.state))
    taken = await lock_taken(tx.session, DEPENDANTS, row)
    hidden = {"note": await tasks.count_notes(tx.session, task_id)}
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    before = {"name": row.task, "state": row.state}
    return await remove(tx, Service.SCHEDULER, "task", row, taken, hidden=hidden, before=before)


async def _check_unique(session: ReadSession, row: JobRow | LockedJob, name: str, arguments: str) -> None:
    """Raises Conflict where another task of the same session or owner has this name and arguments."""
    if await tasks.exists_equal_task(
        session,
        session_id=row.session_id,
        name=name,
        arguments=arguments,
        owner_id=row.owner_id,
        except_id=row.id,
    ):
        raise Conflict(
            fields={"non_field_errors": ["The fields name, session, arguments must make a unique set."]}
        )


UNDOABLES: Final = Undoables(DEPENDANTS, {"task": Undoable(JobRow, lock_job_to_steer, changes=False)})


def _status(text: str | int) -> JobState:
    try:
        return steering.parse_status(text)
    except ValueError as error:
        raise BadRequest(fields={"status": [str(error)]}) from None


async def _check_parents(
    session: ReadSession, visibility: Visibility, body: TaskIn, known: Collection[UUID] = ()
) -> None:
    """Raises UnknownReference for the first parent that is no task which the caller can see; `known` ones stay."""
    new = [parent_id for parent_id in body.parents or [] if parent_id not in known]
    visible = await tasks.fetch_known_ids(session, visibility, new)
    for parent_id in new:
        if parent_id not in visible:
            raise UnknownReference("parents", parent_id, key="pk")


async def _repository_id(session: ReadSession, name: str | None) -> UUID | None:
    if name is None:
        return None
    repository_id = await find_repository_id(session, name)
    if repository_id is None:
        raise UnknownReference("data_repository", name)
    return repository_id


async def _set_status(
    tx: Transaction, context: SchedulerContext, by: Principal, row: JobRow, status: JobState
) -> None:
    now = await fetch_now(tx.session)
    run = timedelta(seconds=row.time_out_secs) if row.time_out_secs else ALYX_RUN
    token = await attempts.fetch_next_token(tx.session)
    change = steering.set_by_alyx(jobs.job_value(row), status, token, now, run, runner_of(by))
    await save_change(tx, context, row, change)


def runner_of(by: Principal) -> str:
    """The identity of a runner that uses `/tasks`: two clients with one token on one machine are the same."""
    return f"{by.token_id or by.user_id} {by.address}"
