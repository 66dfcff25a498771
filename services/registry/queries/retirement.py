"""What decides whether a copy may be retired: its version's copies, its compressed forms, jobs that read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from libs.common.companions import companion
from libs.common.db import ReadSession, WriteSession
from libs.common.published import JOBS, RECORDINGS, SESSIONS, table
from libs.common.schemas.states import CopyState, JobState
from libs.common.visibility import Visibility
from services.registry.domain.copies import Place
from services.registry.domain.holdings import File, Holding, location_of
from services.registry.domain.retirement import CompressedForm, RetirementCase
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import is_current_version
from services.registry.queries import visible
from services.registry.queries.columns import is_any_of
from services.registry.queries.datasets import doubts
from services.registry.queries.registration_locks import lock_registrations_beside
from services.registry.queries.repositories import place_of

_RUNNING = (JobState.STARTED, JobState.PUBLISHING)
Holdings = Mapping[tuple[UUID, int], tuple[Holding, ...]]


@dataclass(frozen=True)
class CopyToRetire:
    """A copy, and what its dataset belongs to."""

    copy_id: UUID
    dataset_id: UUID
    generation: int
    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None


async def find_copy_to_retire(
    session: ReadSession, visibility: Visibility, copy_id: UUID
) -> CopyToRetire | None:
    """The copy of that id, if the caller can see it."""
    sessions = table(SESSIONS)
    rows = await session.execute(
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.generation,
            DatasetRow.session_id,
            DatasetRow.content_type,
            DatasetRow.object_id,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(CopyRow.id == copy_id, visible.is_dataset_visible(visibility))
    )
    row = rows.one_or_none()
    return CopyToRetire(*row) if row else None


async def lock_copy_to_retire(session: WriteSession, copy: CopyToRetire) -> frozenset[UUID]:
    """Lock the copy's dataset and its compressed forms; their ids.

    Always in one order: what is registered of the session, then datasets by id, then copies by id. So two requests
    that would count on each other are serialized, and the second reads what the first has done.
    """
    await lock_registrations_beside(session, copy.dataset_id, copy.session_id or copy.object_id)
    ids = _dataset_ids(copy, (await session.execute(_forms(copy))).all())
    for row, column in ((DatasetRow, DatasetRow.id), (CopyRow, CopyRow.dataset_id)):
        locked = sa.select(row.id).where(is_any_of(column, ids)).order_by(row.id).with_for_update()
        await session.execute(locked)
    return frozenset(ids)


def _dataset_ids(copy: CopyToRetire, forms: Sequence[Any]) -> set[UUID]:
    return {copy.dataset_id, *(row.dataset_id for row in forms), *(row.ch_id for row in forms if row.ch_id)}


async def fetch_retirement_case(
    session: ReadSession, copy: CopyToRetire, locked: Collection[UUID] | None = None
) -> RetirementCase:
    """Everything that decides about the copy; with `locked`, compressed forms that are not among them are left out."""
    version = (
        await session.execute(
            sa.select(
                DatasetRow.name,
                DatasetRow.deleted_at,
                VersionRow.sha256,
                visible.is_protected().label("is_protected"),
                doubts().label("doubts"),
            )
            .join(VersionRow, VersionRow.dataset_id == DatasetRow.id)
            .where(DatasetRow.id == copy.dataset_id, VersionRow.generation == copy.generation)
        )
    ).one()
    forms = [
        row
        for row in await session.execute(_forms(copy))
        if locked is None or {row.dataset_id, row.ch_id or row.dataset_id} <= set(locked)
    ]
    holdings = await _fetch_holdings(session, _dataset_ids(copy, forms))
    return RetirementCase(
        copy_id=copy.copy_id,
        file=File(
            copy.dataset_id,
            version.name,
            version.sha256,
            holdings.get((copy.dataset_id, copy.generation), ()),
            is_deleted=version.deleted_at is not None,
        ),
        is_protected=version.is_protected,
        doubts=tuple(version.doubts),
        forms=tuple(_form(row, holdings) for row in forms),
        jobs=tuple(await _fetch_jobs(session, copy)),
    )


def _forms(copy: CopyToRetire) -> sa.Select[Any]:
    """Recordings of the copy's session that, by their header or by proof, are compressed from the copy's version."""
    recording, original = table(RECORDINGS), aliased(VersionRow)
    packed, packed_now = aliased(DatasetRow), aliased(VersionRow)
    ch, ch_now = aliased(DatasetRow), aliased(VersionRow)
    a_ch, a_meta = aliased(DatasetRow), aliased(DatasetRow)
    ch_companion = companion(packed, a_ch, ".ch", a_ch.deleted_at.is_(None))
    meta = companion(packed, a_meta, ".meta", a_meta.deleted_at.is_(None))
    is_ch = sa.and_(ch.id == ch_companion.c.id, ch_companion.c.is_clear)
    return (
        sa.select(
            recording.c.dataset_id,
            recording.c.raw_sha256,
            recording.c.sha256,
            recording.c.ch_sha256,
            recording.c.proved_at.is_not(None).label("is_proved"),
            sa.not_(_has_unchecked_meta(recording, meta)).label("is_checked"),
            packed.name,
            packed.generation,
            packed.deleted_at.is_not(None).label("is_deleted"),
            packed_now.sha256.label("sha256_now"),
            ch.id.label("ch_id"),
            ch.name.label("ch_name"),
            ch.generation.label("ch_generation"),
            ch_now.sha256.label("ch_sha256_now"),
        )
        .select_from(recording)
        .join(original, original.sha256 == recording.c.raw_sha256)
        .join(packed, packed.id == recording.c.dataset_id)
        .join(packed_now, is_current_version(packed, packed_now))
        .join(ch_companion, packed.name.like("%.cbin"), isouter=True)
        .join(ch, is_ch, isouter=True)
        .join(ch_now, is_current_version(ch, ch_now), isouter=True)
        .join(meta, sa.true(), isouter=True)
        .where(
            original.dataset_id == copy.dataset_id,
            original.generation == copy.generation,
            recording.c.session_id == copy.session_id,
            packed.session_id == copy.session_id,
        )
        .order_by(packed.name, packed.id)
    )


def _has_unchecked_meta(recording: Any, meta: LateralFromClause) -> sa.ColumnElement[bool]:
    """There is a .meta beside the form that it was not compared with, or there are several candidates."""
    other, now = aliased(DatasetRow), aliased(VersionRow)
    is_compared = sa.exists().where(
        other.id == meta.c.id, is_current_version(other, now), now.sha256 == recording.c.meta_sha256
    )
    is_checked = sa.and_(meta.c.is_clear, is_compared.correlate(recording, meta))
    return sa.and_(meta.c.id.is_not(None), sa.not_(is_checked))


def _form(row: Any, holdings: Holdings) -> CompressedForm:
    file = File(
        row.dataset_id,
        row.name,
        row.sha256_now,
        holdings.get((row.dataset_id, row.generation), ()),
        row.is_deleted,
    )
    ch = None
    if row.ch_id is not None:
        ch = File(row.ch_id, row.ch_name, row.ch_sha256_now, holdings.get((row.ch_id, row.ch_generation), ()))
    return CompressedForm(
        row.raw_sha256, row.sha256, row.is_proved, file, row.ch_sha256, ch, is_checked=row.is_checked
    )


async def _fetch_holdings(session: ReadSession, dataset_ids: Collection[UUID]) -> Holdings:
    """All copies of those datasets, by dataset and generation."""
    rows = await session.execute(
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.generation,
            CopyRow.state,
            CopyRow.proved_at,
            CopyRow.order_proof,
            RepositoryRow.name,
            RepositoryRow.store,
            RepositoryRow.hostname,
            RepositoryRow.globus_is_personal,
        )
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .where(is_any_of(CopyRow.dataset_id, dataset_ids))
        .order_by(RepositoryRow.name)
    )
    holdings: dict[tuple[UUID, int], tuple[Holding, ...]] = {}
    for row in rows:
        holding = Holding(
            row.id,
            row.name,
            location_of(row.store, row.name, row.hostname),
            CopyState(row.state),
            row.proved_at,
            # Our own store serves all users, whatever its repository's Globus flag.
            is_personal=row.globus_is_personal is not False and place_of(row.store) is not Place.STORE,
            is_claimed=row.order_proof,
        )
        key = row.dataset_id, row.generation
        holdings[key] = (*holdings.get(key, ()), holding)
    return holdings


async def _fetch_jobs(session: ReadSession, copy: CopyToRetire) -> list[str]:
    """Running jobs of the session that read the dataset, or do not declare what they read."""
    if copy.session_id is None:
        return []
    job = table(JOBS)
    reads = job.c.inputs.contains(sa.literal([{"dataset_id": str(copy.dataset_id)}], JSONB))
    rows = await session.execute(
        sa.select(job.c.task, job.c.id, reads.label("reads"))
        .where(
            job.c.session_id == copy.session_id,
            job.c.state.in_(_RUNNING),
            sa.or_(job.c.inputs.is_(None), job.c.inputs == sa.literal([], JSONB), reads),
        )
        .order_by(job.c.task, job.c.id)
    )
    return [
        f"Job {row.task} ({row.id}) {'reads it now' if row.reads else 'is running and does not declare what it reads'}"
        for row in rows
    ]
