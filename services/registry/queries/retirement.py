"""What decides whether a copy may be given up: its version's copies, compressed forms of it, jobs that read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from libs.common.companions import companion
from libs.common.published import JOBS, RECORDINGS, SESSIONS, table
from libs.common.schemas.states import CopyState, JobState
from libs.common.visibility import Visibility
from services.registry.domain.copies import Place
from services.registry.domain.holdings import File, Holding, shelf_of
from services.registry.domain.retirement import Case, Form
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, TagRow, VersionRow
from services.registry.queries import datasets, registration, visible

_GOING = (JobState.STARTED, JobState.PUBLISHING)
Holdings = Mapping[tuple[UUID, int], tuple[Holding, ...]]


@dataclass(frozen=True)
class Subject:
    """A copy that the caller may know of, and what its dataset belongs to."""

    copy_id: UUID
    dataset_id: UUID
    generation: int
    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None


async def subject(read: AsyncSession, seen: Visibility, copy_id: UUID) -> Subject | None:
    """The copy of that id; None if there is none that the caller may know of."""
    session = table(SESSIONS)
    found = await read.execute(
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.generation,
            DatasetRow.session_id,
            DatasetRow.content_type,
            DatasetRow.object_id,
        )
        .join(DatasetRow, DatasetRow.id == CopyRow.dataset_id)
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(CopyRow.id == copy_id, visible.datasets(seen))
    )
    row = found.one_or_none()
    return Subject(*row) if row else None


async def lock(read: AsyncSession, of: Subject) -> frozenset[UUID]:
    """Be alone with the copy's dataset and its compressed forms; their ids.

    Always in one order: what is registered of the session, then datasets by id, then copies by id. So two that would
    count on each other follow each other, and the second sees what the first has done.
    """
    await registration.lock_files_of(read, of.session_id or of.object_id)
    forms = (await read.execute(_forms(of))).all()
    ids = {of.dataset_id, *(row.dataset_id for row in forms), *(row.ch_id for row in forms if row.ch_id)}
    for row, column in ((DatasetRow, DatasetRow.id), (CopyRow, CopyRow.dataset_id)):
        wanted = column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.UUID)))
        await read.execute(sa.select(row.id).where(wanted).order_by(row.id).with_for_update())
    return frozenset(ids)


async def case(read: AsyncSession, of: Subject, locked: Collection[UUID] | None = None) -> Case:
    """All that decides about the copy; if `locked` is given, without compressed forms that are not among them."""
    version = (
        await read.execute(
            sa.select(
                DatasetRow.name,
                DatasetRow.deleted_at,
                VersionRow.sha256,
                visible.tagged(TagRow.protected.is_(True)).label("is_protected"),
                datasets.doubts().label("doubts"),
            )
            .join(VersionRow, VersionRow.dataset_id == DatasetRow.id)
            .where(DatasetRow.id == of.dataset_id, VersionRow.generation == of.generation)
        )
    ).one()
    forms = [
        row
        for row in await read.execute(_forms(of))
        if locked is None or {row.dataset_id, row.ch_id or row.dataset_id} <= set(locked)
    ]
    ids = {of.dataset_id, *(row.dataset_id for row in forms), *(row.ch_id for row in forms if row.ch_id)}
    held = await _holdings(read, list(ids))
    return Case(
        copy_id=of.copy_id,
        file=File(
            of.dataset_id,
            version.name,
            version.sha256,
            held.get((of.dataset_id, of.generation), ()),
            is_deleted=version.deleted_at is not None,
        ),
        is_protected=version.is_protected,
        doubts=tuple(version.doubts),
        forms=tuple(_form(row, held) for row in forms),
        jobs=tuple(await _jobs(read, of)),
    )


def _forms(of: Subject) -> sa.Select[Any]:
    """Recordings of the copy's session that are, by their header or by proof, compressed from the copy's version."""
    told, original = table(RECORDINGS), aliased(VersionRow)
    packed, packed_now = aliased(DatasetRow), aliased(VersionRow)
    ch, ch_now = aliased(DatasetRow), aliased(VersionRow)
    a_ch, a_meta = aliased(DatasetRow), aliased(DatasetRow)
    found_ch = companion(packed, a_ch, ".ch", a_ch.deleted_at.is_(None))
    meta = companion(packed, a_meta, ".meta", a_meta.deleted_at.is_(None))
    is_ch = sa.and_(ch.id == found_ch.c.id, found_ch.c.is_clear)
    return (
        sa.select(
            told.c.dataset_id,
            told.c.raw_sha256,
            told.c.sha256,
            told.c.ch_sha256,
            told.c.proved_at.is_not(None).label("is_proved"),
            sa.not_(_unchecked_meta(told, meta)).label("is_checked"),
            packed.name,
            packed.generation,
            packed.deleted_at.is_not(None).label("is_deleted"),
            packed_now.sha256.label("sha256_now"),
            ch.id.label("ch_id"),
            ch.name.label("ch_name"),
            ch.generation.label("ch_generation"),
            ch_now.sha256.label("ch_sha256_now"),
        )
        .select_from(told)
        .join(original, original.sha256 == told.c.raw_sha256)
        .join(packed, packed.id == told.c.dataset_id)
        .join(packed_now, _current(packed, packed_now))
        .join(found_ch, packed.name.like("%.cbin"), isouter=True)
        .join(ch, is_ch, isouter=True)
        .join(ch_now, _current(ch, ch_now), isouter=True)
        .join(meta, sa.true(), isouter=True)
        .where(
            original.dataset_id == of.dataset_id,
            original.generation == of.generation,
            told.c.session_id == of.session_id,
            packed.session_id == of.session_id,
        )
        .order_by(packed.name, packed.id)
    )


def _unchecked_meta(told: Any, meta: LateralFromClause) -> sa.ColumnElement[bool]:
    """A .meta lies beside the form, and the form was not compared with its present version; or several could be it."""
    other, now = aliased(DatasetRow), aliased(VersionRow)
    is_compared = sa.exists().where(
        other.id == meta.c.id, _current(other, now), now.sha256 == told.c.meta_sha256
    )
    is_checked = sa.and_(meta.c.is_clear, is_compared.correlate(told, meta))
    return sa.and_(meta.c.id.is_not(None), sa.not_(is_checked))


def _current(dataset: type[DatasetRow], version: type[VersionRow]) -> sa.ColumnElement[bool]:
    return sa.and_(version.dataset_id == dataset.id, version.generation == dataset.generation)


def _form(row: Any, held: Holdings) -> Form:
    file = File(
        row.dataset_id,
        row.name,
        row.sha256_now,
        held.get((row.dataset_id, row.generation), ()),
        row.is_deleted,
    )
    ch = None
    if row.ch_id is not None:
        ch = File(row.ch_id, row.ch_name, row.ch_sha256_now, held.get((row.ch_id, row.ch_generation), ()))
    return Form(row.raw_sha256, row.sha256, row.is_proved, file, row.ch_sha256, ch, is_checked=row.is_checked)


async def _holdings(read: AsyncSession, dataset_ids: Sequence[UUID]) -> Holdings:
    """All copies of those datasets, by dataset and generation."""
    found = await read.execute(
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
        .where(CopyRow.dataset_id == sa.any_(sa.literal(list(dataset_ids), sa.ARRAY(sa.UUID))))
        .order_by(RepositoryRow.name)
    )
    held: dict[tuple[UUID, int], tuple[Holding, ...]] = {}
    for row in found:
        one = Holding(
            row.id,
            row.name,
            shelf_of(row.store, row.name, row.hostname),
            CopyState(row.state),
            row.proved_at,
            # Our own store serves everybody, whatever Globus calls its repository.
            is_personal=row.globus_is_personal and registration.place_of(row.store) is not Place.STORE,
            is_said=row.order_proof,
        )
        key = row.dataset_id, row.generation
        held[key] = (*held.get(key, ()), one)
    return held


async def _jobs(read: AsyncSession, of: Subject) -> list[str]:
    """Jobs of the session that are going and read the dataset, or do not say what they read."""
    if of.session_id is None:
        return []
    job = table(JOBS)
    reads = job.c.inputs.contains(sa.literal([{"dataset_id": str(of.dataset_id)}], JSONB))
    found = await read.execute(
        sa.select(job.c.task, job.c.id, reads.label("reads"))
        .where(
            job.c.session_id == of.session_id,
            job.c.state.in_(_GOING),
            sa.or_(job.c.inputs.is_(None), job.c.inputs == sa.literal([], JSONB), reads),
        )
        .order_by(job.c.task, job.c.id)
    )
    return [
        f"Job {row.task} ({row.id}) {'reads it now' if row.reads else 'is going and does not say what it reads'}"
        for row in found
    ]
