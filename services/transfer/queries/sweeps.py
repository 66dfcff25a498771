"""Uploads that may be swept, and swept ones whose bytes are still to be removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.sessions import ReadSession
from libs.common.published import ATTEMPTS, table
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, UploadState
from services.transfer.domain import IDLE, AnnouncedUpload
from services.transfer.models import UploadRow
from services.transfer.queries.uploads import upload_of

BATCH = 500
_OPEN = (UploadState.ANNOUNCED, UploadState.ARRIVING)


@dataclass(frozen=True)
class SweepCandidate:
    """An upload that may be swept, with the state of its attempt and the uploads that attempt's completion names."""

    upload: AnnouncedUpload
    attempt: AttemptState | None
    outputs: frozenset[UUID]


@dataclass(frozen=True)
class SweptUpload:
    """A swept upload whose parts, or object, may still exist."""

    id: UUID
    sha256: str | None


async def list_sweep_candidates(
    session: ReadSession, after: UUID | None, now: datetime
) -> list[SweepCandidate]:
    """Uploads of attempts that have ended, and idle ones, by id, with ids above `after`."""
    attempt = table(ATTEMPTS)
    ended = [str(state) for state in AttemptState if state.has_ended]
    is_idle = sa.and_(UploadRow.state.in_(_OPEN), UploadRow.touched_at <= now - IDLE)
    statement = (
        sa.select(UploadRow, attempt.c.state, sa.type_coerce(attempt.c.outputs, sa.JSON))
        .outerjoin(attempt, attempt.c.token == UploadRow.token)
        .where(UploadRow.state != UploadState.SWEPT, sa.or_(attempt.c.state.in_(ended), is_idle))
        .where(sa.not_(_is_registered_output(attempt)))
        .order_by(UploadRow.id)
        .limit(BATCH)
    )
    if after is not None:
        statement = statement.where(UploadRow.id > after)
    return [
        SweepCandidate(
            upload_of(row, {}),
            None if state is None else AttemptState(state),
            frozenset(JobOutput.model_validate(output).upload_id for output in outputs or ()),
        )
        for row, state, outputs in (await session.execute(statement)).all()
    ]


def _is_registered_output(attempt: sa.FromClause) -> sa.ColumnElement[bool]:
    """The completion of a registered attempt names the upload: such uploads stay, and are many."""
    output = sa.func.jsonb_build_object("upload_id", sa.cast(UploadRow.id, sa.Text))
    is_named = attempt.c.outputs.op("@>")(sa.func.jsonb_build_array(output))
    is_registered = attempt.c.state == str(AttemptState.REGISTERED)
    return sa.and_(is_registered, sa.func.coalesce(is_named, sa.false()))


async def list_swept_uploads(session: ReadSession) -> list[SweptUpload]:
    """Swept uploads not removed yet, in random order: some may fail each time, and must not stop the others."""
    statement = (
        sa.select(UploadRow.id, UploadRow.sha256)
        .where(UploadRow.state == UploadState.SWEPT, UploadRow.removed_at.is_(None))
        .order_by(sa.func.random())
        .limit(BATCH)
    )
    return [SweptUpload(row.id, row.sha256) for row in await session.execute(statement)]


async def fetch_stray_ids(session: ReadSession, upload_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are not an upload in progress."""
    statement = sa.select(UploadRow.id).where(UploadRow.id.in_(upload_ids), UploadRow.state.in_(_OPEN))
    return set(upload_ids) - set(await session.scalars(statement))
