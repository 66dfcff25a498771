"""Attempts of jobs whose outputs are to be registered, and the answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.published import ATTEMPTS, JOBS, table
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState
from services.registry.models import PublicationRow


@dataclass(frozen=True)
class PublishingAttempt:
    """One attempt of a job with the outputs of its worker."""

    job_id: UUID
    session_id: UUID | None
    state: AttemptState
    outputs: tuple[JobOutput, ...]


@dataclass(frozen=True)
class Publication:
    """The answer to an attempt: the datasets of its outputs, or why they were refused."""

    job_id: UUID
    token: int
    dataset_ids: tuple[UUID, ...] = ()
    refused: str | None = None


async def lock_token(session: WriteSession, token: int) -> None:
    """Lock an attempt until the end of the transaction."""
    key = f"token:{token}"
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


async def find_publication(session: ReadSession, token: int) -> Publication | None:
    """The earlier answer to an attempt."""
    row = await session.get(PublicationRow, token)
    return None if row is None else Publication(row.job_id, token, tuple(row.dataset_ids), row.refused)


async def insert_publication(session: WriteSession, publication: Publication) -> None:
    """Store the answer to an attempt."""
    session.add(
        PublicationRow(
            token=publication.token,
            job_id=publication.job_id,
            dataset_ids=list(publication.dataset_ids),
            refused=publication.refused,
        )
    )


async def find_attempt(session: ReadSession, token: int) -> PublishingAttempt | None:
    """An attempt as scheduler publishes it."""
    attempts, jobs = table(ATTEMPTS), table(JOBS)
    rows = await session.execute(
        sa.select(attempts, jobs.c.session_id)
        .join(jobs, jobs.c.id == attempts.c.job_id)
        .where(attempts.c.token == token)
    )
    row = rows.one_or_none()
    if row is None:
        return None
    return PublishingAttempt(row.job_id, row.session_id, AttemptState(row.state), _outputs(row.outputs))


def _outputs(values: Sequence[object] | None) -> tuple[JobOutput, ...]:
    return tuple(JobOutput.model_validate(value) for value in values or ())
