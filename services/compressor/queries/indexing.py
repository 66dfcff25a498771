"""Recordings to be indexed and proved, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.selectable import LateralFromClause

from cingulum.stores import CENTRAL
from libs.common.companions import companion, is_beside
from libs.common.db.conditions import Condition, any_of
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.published import COPIES, DATASETS, table
from libs.common.schemas.states import CopyState
from services.compressor.domain.recordings import (
    AMBIGUOUS,
    PACKED,
    IndexedRecording,
    RecordingState,
    StoredRecording,
    recordings_of,
)
from services.compressor.models import RecordingRow
from services.compressor.queries.recordings import recording_of

BATCH = 100
DATASET = table(DATASETS)
_CH, _META = (DATASET.alias(name) for name in ("ch", "meta"))


async def insert_pending_of(session: WriteSession, dataset_ids: Sequence[UUID]) -> None:
    """Insert as wanted the recordings that these files are, or are companions of; of others only the name is read."""
    owner = (DATASET.c.session_id, DATASET.c.content_type, DATASET.c.object_id)
    files = sa.select(DATASET.c.id, *owner, DATASET.c.collection, DATASET.c.revision, DATASET.c.name)
    packed: set[UUID] = set()
    for file in (await session.execute(files.where(DATASET.c.id.in_(dataset_ids)))).all():
        if file.name.endswith(PACKED):
            packed.add(file.id)
        elif suffixes := recordings_of(file.name):
            packed.update(
                await session.scalars(sa.select(DATASET.c.id).where(is_beside(file, DATASET.c, suffixes)))
            )
    if packed:
        await session.execute(_insert_pending(_verified_recordings(DATASET.c.id.in_(sorted(packed)))))


async def update_sessions_of_recordings(session: WriteSession, dataset_ids: Sequence[UUID]) -> None:
    """Set the sessions of recordings to those of their datasets."""
    await session.execute(_set_sessions(RecordingRow.dataset_id == any_of(dataset_ids)))


async def update_all_sessions(session: WriteSession) -> None:
    """The same of all recordings: of those that were written, or whose datasets were deleted, while these moved."""
    await session.execute(_set_sessions())


def _set_sessions(*conditions: Condition) -> sa.Update:
    return (
        sa.update(RecordingRow)
        .where(
            DATASET.c.id == RecordingRow.dataset_id,
            RecordingRow.session_id.is_distinct_from(DATASET.c.session_id),
            *conditions,
        )
        .values(session_id=DATASET.c.session_id)
        .execution_options(synchronize_session=False)
    )


async def insert_all_pending(session: WriteSession) -> None:
    """Insert as wanted every verified .cgl, and .cbin with its .ch, whose files are not those of its row."""
    verified = _verified_recordings().subquery("verified")
    is_known = sa.exists().where(
        RecordingRow.dataset_id == verified.c.dataset_id,
        RecordingRow.sha256 == verified.c.sha256,
        RecordingRow.ch_sha256.is_not_distinct_from(verified.c.ch_sha256),
        RecordingRow.meta_sha256.is_not_distinct_from(verified.c.meta_sha256),
        _known_ambiguity() == verified.c.problem,
    )
    await session.execute(_insert_pending(sa.select(verified).where(~is_known)))


def _insert_pending(recordings: sa.Select[Any]) -> Insert:
    columns = ["dataset_id", "session_id", "state", "problem", "sha256", "ch_sha256", "meta_sha256"]
    inserting = insert(RecordingRow).from_select(columns, recordings)
    new = inserting.excluded
    return inserting.on_conflict_do_update(
        index_elements=["dataset_id"],
        set_={name: new[name] for name in columns[1:]} | {"proved_at": None, "proof_problem": ""},
        where=sa.or_(
            RecordingRow.sha256 != new.sha256,
            RecordingRow.ch_sha256.is_distinct_from(new.ch_sha256),
            RecordingRow.meta_sha256.is_distinct_from(new.meta_sha256),
            _known_ambiguity() != new.problem,
        ),
    )


def _packed(*conditions: Condition) -> sa.CTE:
    """The verified recordings, which are few among all datasets: companions of other files are not looked up."""
    columns = ("id", "session_id", "content_type", "object_id", "collection", "revision", "name", "sha256")
    is_packed = sa.or_(*(DATASET.c.name.like(f"%{suffix}") for suffix in PACKED))
    statement = sa.select(*(DATASET.c[name] for name in columns))
    return (
        statement.where(is_packed, _is_verified(DATASET), *conditions)
        .cte("packed")
        .prefix_with("MATERIALIZED")
    )


def _verified_recordings(*conditions: Condition) -> sa.Select[Any]:
    """Verified recordings that fulfil the conditions, and their companions' hashes.

    A recording of which several files could be the .ch or the .meta is unreadable, as it is on a local disk.
    """
    packed = _packed(*conditions)
    ch, meta = (companion(packed.c, DATASET.alias().c, suffix) for suffix in (".ch", ".meta"))
    problem = sa.case(
        (sa.not_(ch.c.is_clear), AMBIGUOUS + ".ch: " + ch.c.names),
        (sa.not_(meta.c.is_clear), AMBIGUOUS + ".meta: " + meta.c.names),
        else_="",
    )
    state = sa.case((problem != "", RecordingState.UNREADABLE.value), else_=RecordingState.PENDING.value)
    is_cbin = packed.c.name.like("%.cbin")
    return (
        sa.select(
            packed.c.id.label("dataset_id"),
            packed.c.session_id,
            state.label("state"),
            problem.label("problem"),
            packed.c.sha256,
            _CH.c.sha256.label("ch_sha256"),
            _META.c.sha256.label("meta_sha256"),
        )
        .select_from(packed)
        .join(ch, is_cbin, isouter=True)
        .join(meta, sa.true(), isouter=True)
        .join(_CH, _is_companion(ch, _CH), isouter=True)
        .join(_META, _is_companion(meta, _META), isouter=True)
        .where(sa.or_(sa.not_(is_cbin), _CH.c.id.is_not(None), sa.not_(ch.c.is_clear)))
    )


def _is_companion(matched: LateralFromClause, file: sa.FromClause) -> Condition:
    """`file` is the companion that was matched, and can be read."""
    return sa.and_(matched.c.is_clear, file.c.id == matched.c.id, _is_verified(file))


def _is_verified(dataset: sa.FromClause) -> Condition:
    """It has a verified copy in the central store; a lab's own disk is not readable here."""
    copy = table(COPIES).alias()
    return sa.exists().where(
        copy.c.dataset_id == dataset.c.id,
        copy.c.version_id == dataset.c.version_id,
        copy.c.state == CopyState.VERIFIED,
        copy.c.store.in_(CENTRAL),
    )


def _known_ambiguity() -> sa.ColumnElement[str]:
    """The problem of a known recording, if it is that several files could be a companion; else ''."""
    return sa.case((RecordingRow.problem.startswith(AMBIGUOUS), RecordingRow.problem), else_="")


async def exists_indexed_recording(session: ReadSession) -> bool:
    """Whether any recording is indexed."""
    return (
        await session.scalar(sa.select(sa.exists().where(RecordingRow.state == RecordingState.INDEXED)))
        is True
    )


async def find_unproved_recording(
    session: ReadSession, exclude: Collection[UUID] = ()
) -> StoredRecording | None:
    """An indexed recording whose original's hash is known, and that was not decoded here yet."""
    has_hash = sa.or_(RecordingRow.raw_sha256.is_not(None), RecordingRow.raw_sha1.is_not(None))
    statement = (
        sa.select(RecordingRow)
        .where(
            RecordingRow.state == RecordingState.INDEXED,
            RecordingRow.proved_at.is_(None),
            RecordingRow.proof_problem == "",
            RecordingRow.dataset_id.not_in(exclude),
            has_hash,
        )
        .order_by(RecordingRow.indexed_at, RecordingRow.dataset_id)
        .limit(1)
    )
    row = await session.scalar(statement)
    return None if row is None else recording_of(row)


async def list_pending_recordings(
    session: ReadSession, exclude: Collection[UUID] = ()
) -> list[StoredRecording]:
    """Recordings to be indexed, of datasets that are not deleted."""
    statement = (
        sa.select(RecordingRow)
        .where(
            RecordingRow.state == RecordingState.PENDING,
            RecordingRow.dataset_id.not_in(exclude),
            sa.exists().where(DATASET.c.id == RecordingRow.dataset_id),
        )
        .order_by(RecordingRow.dataset_id)
        .limit(BATCH)
    )
    return [recording_of(row) for row in await session.scalars(statement)]


async def update_indexed(
    session: WriteSession, recording: StoredRecording, indexed: IndexedRecording
) -> bool:
    """Make a wanted recording indexed; False if its files have changed meanwhile."""
    values = {
        **asdict(indexed.index),
        "chunk_bounds": list(indexed.index.chunk_bounds),
        "chunk_offsets": list(indexed.index.chunk_offsets),
        "compressed_bytes": indexed.compressed_bytes,
        "ratio": indexed.index.raw_bytes / indexed.compressed_bytes,
        "uv_per_bit": indexed.uv_per_bit,
        "doubts": indexed.doubts,
        "indexed_at": sa.func.now(),
    }
    return await _update(
        session, recording, RecordingState.PENDING, {**values, "state": RecordingState.INDEXED}
    )


async def update_unreadable(session: WriteSession, recording: StoredRecording, problem: str) -> bool:
    """Make a wanted recording unreadable; False if its files have changed meanwhile."""
    return await _update(
        session, recording, RecordingState.PENDING, {"state": RecordingState.UNREADABLE, "problem": problem}
    )


async def update_proved(session: WriteSession, recording: StoredRecording, raw_sha256: str) -> bool:
    """Set the proof of an indexed recording; False if its files have changed meanwhile."""
    values = {"proved_at": sa.func.now(), "raw_sha256": raw_sha256}
    return await _update(session, recording, RecordingState.INDEXED, values)


async def update_proof_problem(
    session: WriteSession, recording: StoredRecording, problem: str, *, doubts: Sequence[str]
) -> bool:
    """Set why an indexed recording is not proved; False if its files have changed meanwhile."""
    values = {"proof_problem": problem, "doubts": list(doubts)}
    return await _update(session, recording, RecordingState.INDEXED, values)


async def _update(
    session: WriteSession, recording: StoredRecording, state: RecordingState, values: dict[str, Any]
) -> bool:
    updating = (
        sa.update(RecordingRow)
        .where(
            RecordingRow.dataset_id == recording.dataset_id,
            RecordingRow.sha256 == recording.sha256,
            RecordingRow.ch_sha256.is_not_distinct_from(recording.ch_sha256),
            RecordingRow.meta_sha256.is_not_distinct_from(recording.meta_sha256),
            RecordingRow.state == state,
        )
        .values(**values)
        .returning(RecordingRow.dataset_id)
    )
    return (await session.execute(updating)).first() is not None
