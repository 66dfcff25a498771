"""The order in which rows that belong to each other are locked: a change locks first what a deletion locks first."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import WriteSession
from libs.common.db.conditions import any_of
from services.metadata.models import (
    ActionRow,
    ChannelRow,
    FieldOfViewRow,
    FovLocationRow,
    InsertionRow,
    NoteRow,
    SubjectRow,
    TrajectoryRow,
)


async def lock_with_parents(
    session: WriteSession,
    *,
    actions: Collection[UUID | None] = (),
    insertions: Collection[UUID | None] = (),
    trajectories: Collection[UUID | None] = (),
    channels: Collection[UUID] = (),
    fields_of_view: Collection[UUID] = (),
) -> None:
    """Lock rows with the sessions, insertions and trajectories that they belong to: parents first, each kind by id.

    Transactions that lock in this order wait for each other, but never in a circle. Ids that no row has, and None, are
    ignored: what a caller may see and change is checked on the locked rows.
    """
    of_channels = sa.select(ChannelRow.trajectory_id).where(ChannelRow.id == any_of(channels))
    lines = await session.execute(
        sa.select(TrajectoryRow.id, TrajectoryRow.insertion_id, TrajectoryRow.chronic_insertion_id).where(
            sa.or_(TrajectoryRow.id == any_of(_ids(trajectories)), TrajectoryRow.id.in_(of_channels))
        )
    )
    action_ids, insertion_ids, trajectory_ids = {*actions}, {*insertions}, set[UUID | None]()
    for line in lines:
        trajectory_ids.add(line.id)
        insertion_ids.add(line.insertion_id)
        action_ids.add(line.chronic_insertion_id)
    probes = await session.execute(
        sa.select(InsertionRow.session_id, InsertionRow.chronic_insertion_id).where(
            InsertionRow.id == any_of(_ids(insertion_ids))
        )
    )
    for probe in probes:
        action_ids |= {probe.session_id, probe.chronic_insertion_id}
    of_sessions = sa.select(FieldOfViewRow.session_id).where(FieldOfViewRow.id == any_of(fields_of_view))
    if fields_of_view:
        action_ids |= {*await session.scalars(of_sessions)}
    await _lock(session, ActionRow, action_ids)
    await _lock(session, InsertionRow, insertion_ids)
    await _lock(session, TrajectoryRow, trajectory_ids)
    await _lock(session, ChannelRow, channels)
    await _lock(session, FieldOfViewRow, fields_of_view)


async def lock_owner_of_fov_location(session: WriteSession, location_id: UUID) -> None:
    """Lock the field of view of a location and its session, before the location itself."""
    of_location = sa.select(FovLocationRow.field_of_view_id).where(FovLocationRow.id == location_id)
    await lock_with_parents(session, fields_of_view=[*await session.scalars(of_location)])


async def lock_notes(session: WriteSession, note_ids: Collection[UUID]) -> None:
    """Lock notes, those on other notes last; ids that no note has are ignored."""
    statement = sa.select(NoteRow.id).where(NoteRow.id == any_of(note_ids))
    await session.execute(statement.order_by(NoteRow.content_type == "note", NoteRow.id).with_for_update())


async def lock_subject_of_action(session: WriteSession, action_id: UUID) -> None:
    """Lock the subject of an action, before the action itself; records can still be added to it."""
    subject_id = sa.select(ActionRow.subject_id).where(ActionRow.id == action_id).scalar_subquery()
    await session.execute(
        sa.select(SubjectRow.id).where(SubjectRow.id == subject_id).with_for_update(key_share=True)
    )


async def lock_against_deletion(session: WriteSession, subject_id: UUID) -> bool:
    """Keep a subject from being deleted until the end of the transaction; False if it is deleted already."""
    statement = sa.select(SubjectRow.id).where(SubjectRow.id == subject_id, SubjectRow.deleted_at.is_(None))
    return await session.scalar(statement.with_for_update(read=True, key_share=True)) is not None


async def _lock(
    session: WriteSession,
    model: type[ActionRow | InsertionRow | TrajectoryRow | ChannelRow | FieldOfViewRow],
    ids: Collection[UUID | None],
) -> None:
    if present := _ids(ids):
        statement = sa.select(model.id).where(model.id == any_of(present)).order_by(model.id)
        await session.execute(statement.with_for_update())


def _ids(ids: Collection[UUID | None]) -> list[UUID]:
    return [row_id for row_id in ids if row_id is not None]
