"""Jobs and attempts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.schemas.job_files import JobInput, JobOutput
from libs.common.schemas.states import AttemptState, JobState
from services.scheduler.models import AttemptRow, JobRow
from tests.support.makers.database import owner
from tests.support.system import Cingulum


async def make_job(
    system: Cingulum,
    task: str = "t",
    *,
    session_id: UUID | None = None,
    state: JobState = JobState.STARTED,
    token: int | None = None,
    inputs: Sequence[JobInput] = (),
    outputs: Sequence[JobOutput] = (),
) -> UUID:
    """A job; a token is that of its running attempt, and tells apart several jobs of one session."""
    job_id = uuid4()
    async with owner(system) as session:
        session.add(
            JobRow(
                id=job_id,
                task=task,
                session_id=session_id,
                state=state,
                token=token,
                inputs=list(inputs),
                outputs=list(outputs),
                probe=str(token or ""),
                arguments="" if session_id else str(job_id),
            )
        )
    return job_id


async def make_attempt(
    system: Cingulum,
    token: int,
    *,
    job_id: UUID | None = None,
    state: AttemptState = AttemptState.RUNNING,
    outputs: Sequence[JobOutput] = (),
) -> UUID:
    """An attempt of a job, by default of a new one; the job."""
    job_id = job_id or await make_job(system, token=token)
    async with owner(system) as session:
        session.add(AttemptRow(token=token, job_id=job_id, state=state, outputs=list(outputs)))
    return job_id


async def end_attempt(
    system: Cingulum, token: int, state: AttemptState, outputs: Sequence[JobOutput] = ()
) -> None:
    """An attempt ends with these outputs."""
    values = {"state": state, "outputs": list(outputs)}
    async with owner(system) as session:
        await session.execute(sa.update(AttemptRow).where(AttemptRow.token == token).values(values))


async def set_publishing(system: Cingulum, job_id: UUID, token: int) -> None:
    """A job waits for the registration of its attempt's outputs."""
    values = {"state": JobState.PUBLISHING, "token": token}
    async with owner(system) as session:
        await session.execute(sa.update(JobRow).where(JobRow.id == job_id).values(values))


async def delete_job(system: Cingulum, job_id: UUID) -> None:
    """Delete a job."""
    async with owner(system) as session:
        await session.execute(sa.delete(JobRow).where(JobRow.id == job_id))
