"""Workers, as of their last request."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.schemas.claims import ClaimIn
from libs.common.schemas.workers import Worker
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.scheduler.models import AttemptRow, JobRow, WorkerRow


async def upsert_worker(session: WriteSession, user_id: UUID | None, body: ClaimIn) -> None:
    """Store a worker with the time of its request."""
    values = {"user_id": user_id, "site": body.site, "tasks": body.tasks, "version": body.version}
    statement = insert(WorkerRow).values(name=body.worker, seen_at=sa.func.now(), **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkerRow.name], set_={**values, "seen_at": sa.func.now()}
        )
    )


async def update_worker_heartbeat(session: WriteSession, name: str) -> None:
    """Store the time of a heartbeat of a known worker."""
    await session.execute(
        sa.update(WorkerRow)
        .where(WorkerRow.name == name)
        .values(seen_at=sa.func.now())
        .execution_options(synchronize_session=False)
    )


async def find_last_heartbeat(session: ReadSession) -> datetime | None:
    """The time of the latest request of any worker."""
    at: datetime | None = await session.scalar(sa.select(sa.func.max(WorkerRow.seen_at)))
    return at


async def list_workers(session: ReadSession, visibility: Visibility) -> list[Worker]:
    """Workers, latest request first; for a narrowed token the caller's own and those that had jobs of its sessions."""
    statement = sa.select(WorkerRow).order_by(WorkerRow.seen_at.desc(), WorkerRow.name)
    if visibility.public_only:
        return []
    if visibility.labs is not None:
        worked = sa.exists().where(
            AttemptRow.worker == WorkerRow.name,
            JobRow.id == AttemptRow.job_id,
            is_session_visible(visibility, JobRow.session_id),
        )
        own = WorkerRow.user_id == visibility.caller_id
        statement = statement.where(sa.or_(own, worked.correlate_except(AttemptRow, JobRow)))
    return [Worker.model_validate(row) for row in (await session.execute(statement)).scalars()]
