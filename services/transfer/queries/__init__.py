"""What transfer looks up: its own rows, and the neighbours' views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from cingulum.digests import Digests
from libs.common.permissions import Principal, reach_of
from libs.common.published import ATTEMPTS, COPIES, DATASETS, JOBS, table
from libs.common.schemas.states import AttemptState, CopyState, UploadState
from libs.common.scopes import Permission
from libs.common.targets import object_in_reach, session_in_reach
from libs.common.visibility import Visibility, visibility
from libs.common.visible import dataset_row_visible, dataset_visible
from services.transfer.domain import IDLE, Part, Upload
from services.transfer.models import PartRow, UploadRow

_HASHES = 0x63696E67  # the first key of our advisory locks; the second is the first byte of a hash
BATCH = 500
_OPEN = (UploadState.ANNOUNCED, UploadState.ARRIVING)


async def clock(session: AsyncSession) -> datetime:
    """Now, by the database: one clock for all processes."""
    now: datetime = (await session.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def lock_hashes(session: AsyncSession, hashes: Iterable[str]) -> None:
    """Be alone with the objects of these hashes until the end of the transaction.

    One lock a first byte: a bundle's thousands of hashes would not fit into the server's table of locks.
    """
    buckets = sorted(
        {int(sha256[:2], 16) for sha256 in hashes}
    )  # one order for all: nobody waits in a circle
    one = sa.func.unnest(sa.literal(buckets, ARRAY(sa.Integer))).column_valued("bucket")
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_HASHES, one)))


def owned(by: Principal) -> sa.ColumnElement[bool]:
    """A caller's own uploads, as far as the token in use reaches; administrators who signed in see all.

    One for a dataset that the caller may not know of (any more) is not there: its bytes are not to land either.
    """
    if by.is_superuser and by.scopes is None:
        return sa.true()
    mine = sa.and_(UploadRow.owner_id == by.user_id, ~_for_hidden(visibility(by)))
    reach = reach_of(by, Permission.TRANSFER)
    if reach is None:
        return mine
    copy, dataset, job = table(COPIES).alias(), table(DATASETS).alias(), table(JOBS).alias()
    of_object = object_in_reach(reach, dataset.c.content_type, dataset.c.object_id)
    of_copy = sa.exists().where(
        copy.c.id == UploadRow.copy_id,
        dataset.c.id == copy.c.dataset_id,
        sa.or_(session_in_reach(reach, dataset.c.session_id), of_object),
    )
    of_job = sa.exists().where(job.c.id == UploadRow.job_id, session_in_reach(reach, job.c.session_id))
    return sa.and_(mine, sa.or_(of_copy.correlate_except(copy, dataset), of_job.correlate_except(job)))


def _for_hidden(seen: Visibility) -> sa.ColumnElement[bool]:
    copy = table(COPIES).alias()
    hidden = sa.exists().where(copy.c.id == UploadRow.copy_id, ~dataset_visible(seen, copy.c.dataset_id))
    return hidden.correlate_except(copy)


def listed(by: Principal, states: Sequence[str], copy_id: UUID | None) -> sa.Select[Any]:
    """The caller's uploads, newest first."""
    statement = sa.select(UploadRow.__table__).where(owned(by))
    if states:
        statement = statement.where(UploadRow.state.in_(states))
    if copy_id:
        statement = statement.where(UploadRow.copy_id == copy_id)
    return statement.order_by(UploadRow.created_at.desc(), UploadRow.id)


async def find(session: AsyncSession, upload_id: UUID, by: Principal | None) -> UploadRow | None:
    """An upload of the caller (None: of anybody)."""
    mine = sa.true() if by is None else owned(by)
    return await session.scalar(sa.select(UploadRow).where(UploadRow.id == upload_id, mine))


async def lock(session: AsyncSession, upload_id: UUID) -> UploadRow:
    """The row, as it is now, until the end of the transaction."""
    statement = sa.select(UploadRow).where(UploadRow.id == upload_id).with_for_update()
    return (await session.scalars(statement, execution_options={"populate_existing": True})).one()


async def part(session: AsyncSession, upload_id: UUID, number: int) -> dict[int, Part]:
    """One part if it is here: all that the arrival of that part needs to know of ten thousand."""
    row = await session.get(PartRow, (upload_id, number), populate_existing=True)
    return {} if row is None else {number: Part(row.size_bytes, row.sha256)}


async def parts(session: AsyncSession, upload_ids: Sequence[UUID]) -> dict[UUID, dict[int, Part]]:
    """The parts that are here, of each upload."""
    found: dict[UUID, dict[int, Part]] = {which: {} for which in upload_ids}
    columns = (PartRow.upload_id, PartRow.number, PartRow.size_bytes, PartRow.sha256)
    for row in await session.execute(sa.select(*columns).where(PartRow.upload_id.in_(upload_ids))):
        found[row.upload_id][row.number] = Part(row.size_bytes, row.sha256)
    return found


async def keep_part(session: AsyncSession, upload_id: UUID, number: int, new: Part) -> None:
    """Write a part down; the same again is nothing new."""
    values = {"upload_id": upload_id, "number": number, "size_bytes": new.size_bytes, "sha256": new.sha256}
    await session.execute(insert(PartRow).values(values).on_conflict_do_nothing())


async def drop_parts(session: AsyncSession, upload_id: UUID) -> None:
    """Forget all parts of an upload."""
    await session.execute(sa.delete(PartRow).where(PartRow.upload_id == upload_id))


def value(row: UploadRow, held: dict[int, Part]) -> Upload:
    """The row as the rules know it."""
    state = UploadState(row.state)
    landed = state is UploadState.LANDED and row.sha256 is not None and row.md5 is not None
    return Upload(
        id=row.id,
        size_bytes=row.size_bytes,
        part_bytes=row.part_bytes,
        sha256=row.sha256,
        state=state,
        parts=held,
        found=Digests(size_bytes=row.size_bytes, sha256=str(row.sha256), md5=str(row.md5))
        if landed
        else None,
        job_id=row.job_id,
        token=row.token,
        copy_id=row.copy_id,
        touched_at=row.touched_at,
    )


async def known(session: AsyncSession, store: str, sha256: str, by: Principal) -> Digests | None:
    """What a full read once found of an object that a landed upload uses; ask under the lock of the hash.

    Knowing a hash is not owning the bytes: they are known only where the caller may know of a dataset that our store
    has read them for, or has sent all of them before. None also where registry doubts these bytes in this store: then
    they are wanted again, and mend the object.
    """
    copies = table(COPIES)
    unproved = copies.c.state.in_([str(CopyState.EXPECTED), str(CopyState.ARRIVING), str(CopyState.LOST)])
    doubted = sa.exists().where(
        copies.c.sha256 == sha256,
        copies.c.store == store,
        sa.or_(copies.c.state == str(CopyState.SUSPECT), sa.and_(copies.c.proved_at.is_not(None), unproved)),
    )
    statement = (
        sa.select(UploadRow.size_bytes, UploadRow.md5)
        .where(UploadRow.sha256 == sha256, UploadRow.state == UploadState.LANDED, UploadRow.store == store)
        .where(~doubted, sa.or_(_may_be_read(visibility(by), store, sha256), _was_sent(by)))
        .limit(1)
    )
    row = (await session.execute(statement)).first()
    return None if row is None else Digests(size_bytes=row.size_bytes, sha256=sha256, md5=row.md5)


def _was_sent(by: Principal) -> sa.ColumnElement[bool]:
    """The caller has sent the upload's bytes: an upload that landed without has no parts."""
    sent = sa.exists().where(PartRow.upload_id == UploadRow.id).correlate_except(PartRow)
    return sa.and_(UploadRow.owner_id == by.user_id, owned(by), sent)


def _may_be_read(seen: Visibility, store: str, sha256: str) -> sa.ColumnElement[bool]:
    """A dataset that the caller may know of has these bytes in this store, proved by its own read."""
    copy, dataset = table(COPIES).alias(), table(DATASETS).alias()
    return (
        sa.exists()
        .where(
            copy.c.sha256 == sha256,
            copy.c.store == store,
            copy.c.state == str(CopyState.VERIFIED),
            dataset.c.id == copy.c.dataset_id,
            dataset_row_visible(seen, dataset.c, dataset.c.public),
        )
        .correlate_except(copy, dataset)
    )


async def in_use(session: AsyncSession, store: str, sha256: str) -> list[Upload]:
    """Landed uploads of these bytes (one is enough to keep them)."""
    statement = sa.select(UploadRow).where(
        UploadRow.sha256 == sha256, UploadRow.state == UploadState.LANDED, UploadRow.store == store
    )
    return [value(row, {}) for row in await session.scalars(statement.limit(1))]


async def is_counted_on(session: AsyncSession, store: str, sha256: str) -> bool:
    """Whether registry counts on these bytes in this store, through whatever upload they came."""
    copies = table(COPIES)
    here = (CopyState.VERIFIED, CopyState.LANDED, CopyState.SUSPECT)
    found = sa.exists().where(
        copies.c.sha256 == sha256, copies.c.store == store, copies.c.state.in_([str(state) for state in here])
    )
    return bool(await session.scalar(sa.select(found)))


@dataclass(frozen=True)
class Candidate:
    """An upload that may be given up, with scheduler's word on its attempt."""

    upload: Upload
    attempt: AttemptState | None
    kept: frozenset[UUID]


async def may_be_over(session: AsyncSession, after: UUID | None, now: datetime) -> list[Candidate]:
    """Uploads of attempts that have ended, and idle ones; by id, from behind `after`."""
    seen = table(ATTEMPTS)
    ended = [str(state) for state in AttemptState if state.has_ended]
    idle = sa.and_(UploadRow.state.in_(_OPEN), UploadRow.touched_at <= now - IDLE)
    named = sa.type_coerce(seen.c.outputs, sa.JSON)
    statement = (
        sa.select(UploadRow, seen.c.state, named)
        .outerjoin(seen, seen.c.token == UploadRow.token)
        .where(UploadRow.state != UploadState.SWEPT, sa.or_(seen.c.state.in_(ended), idle))
        .where(sa.not_(_is_output(seen)))
        .order_by(UploadRow.id)
        .limit(BATCH)
    )
    if after is not None:
        statement = statement.where(UploadRow.id > after)
    return [
        Candidate(
            value(row, {}),
            None if state is None else AttemptState(state),
            frozenset(UUID(str(output["upload_id"])) for output in outputs or ()),
        )
        for row, state, outputs in (await session.execute(statement)).all()
    ]


def _is_output(seen: sa.FromClause) -> sa.ColumnElement[bool]:
    """It is named by the completion of an attempt that was registered: such uploads stay, and are many."""
    about = sa.func.jsonb_build_array(sa.func.jsonb_build_object("upload_id", sa.cast(UploadRow.id, sa.Text)))
    named = seen.c.outputs.op("@>")(about)
    return sa.and_(seen.c.state == str(AttemptState.REGISTERED), sa.func.coalesce(named, sa.false()))


async def leaving(session: AsyncSession) -> list[UploadRow]:
    """Swept uploads whose parts or object may still be there, in any order: some may fail each time."""
    statement = (
        sa.select(UploadRow)
        .where(UploadRow.state == UploadState.SWEPT, UploadRow.removed_at.is_(None))
        .order_by(sa.func.random())
        .limit(BATCH)
    )
    return list(await session.scalars(statement))


async def unknown(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are no upload in progress."""
    statement = sa.select(UploadRow.id).where(UploadRow.id.in_(ids), UploadRow.state.in_(_OPEN))
    return set(ids) - set(await session.scalars(statement))
