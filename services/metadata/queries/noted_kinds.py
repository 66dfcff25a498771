"""The kinds of records that notes can be about, by what decides who sees one and what it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common import visible as shared
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.permissions import SHARED, Target
from libs.common.published import JOBS, View, alias
from libs.common.schemas.states import ActionKind, ContentType
from libs.common.scopes import Permission
from libs.common.targets import fetch_object_target, fetch_session_target
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    ChannelRow,
    FieldOfViewRow,
    FovLocationRow,
    ImagingStackRow,
    InsertionRow,
    TrajectoryRow,
    VocabularyRow,
)
from services.metadata.queries import visible
from services.metadata.queries.actions import fetch_action_target
from services.metadata.queries.references import Vocabulary

IsVisible = Callable[[Visibility, Any], Condition]
FetchTarget = Callable[[ReadSession, UUID], Awaitable[Target]]
Rights = list[tuple[Permission, Target]]
FetchRights = Callable[[ReadSession, UUID], Awaitable[Rights]]


@dataclass(frozen=True)
class RecordKind:
    """A kind of record: which of an id's records a caller sees, what one belongs to, and what changing it needs.

    `rights_of` has all that changing it needs, where this is more than the permission on its target.
    """

    is_visible: IsVisible
    fetch_target: FetchTarget
    permission: Permission = Permission.WRITE
    rights_of: FetchRights | None = None

    async def fetch_rights(self, session: ReadSession, record_id: UUID) -> Rights:
        """The permissions that changing a record needs, with what it needs them on."""
        if self.rights_of is not None:
            return await self.rights_of(session, record_id)
        return [(self.permission, await self.fetch_target(session, record_id))]


def _is_record(row: Any, record_id: Any, *conditions: Condition) -> Condition:
    """A record of this id that is not deleted."""
    columns = row.c if isinstance(row, sa.FromClause) else row
    deleted_at = getattr(columns, "deleted_at", None)
    here = [] if deleted_at is None else [deleted_at.is_(None)]
    return sa.exists().where(columns.id == record_id, *here, *conditions).correlate_except(row)


def of_object(content_type: ContentType, is_visible: IsVisible) -> RecordKind:
    """Sessions and subjects, whose rule and target are those of libs/common."""

    async def target(session: ReadSession, record_id: UUID) -> Target:
        return await fetch_object_target(session, content_type, record_id)

    return RecordKind(is_visible, target)


def of_subject(row: Any) -> RecordKind:
    """Rows with `subject_id`: as visible as their subject."""
    own = aliased(row)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        subject_id = await session.scalar(sa.select(row.subject_id).where(row.id == record_id))
        return await fetch_object_target(session, ContentType.SUBJECT, subject_id)

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, shared.is_subject_visible(visibility, own.subject_id)
        ),
        target,
    )


def of_action(kind: ActionKind) -> RecordKind:
    """Surgeries and water restrictions: as visible as their subject."""
    own = aliased(ActionRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(sa.select(ActionRow).where(ActionRow.id == record_id))
        return await fetch_action_target(session, rows.one())

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, own.kind == kind, shared.is_subject_visible(visibility, own.subject_id)
        ),
        target,
    )


def of_session(row: Any) -> RecordKind:
    """Rows with `session_id`: as visible as their session."""
    own = aliased(row)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        session_id = await session.scalar(sa.select(row.session_id).where(row.id == record_id))
        return await fetch_session_target(session, session_id)

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, shared.is_session_visible(visibility, own.session_id)
        ),
        target,
    )


async def shared_target(_session: ReadSession, _record_id: UUID) -> Target:
    """What belongs to all labs."""
    return SHARED


def for_administrators(
    row: Any, is_shown: Callable[[Visibility, Any], Condition] | None = None
) -> RecordKind:
    """Records that administrators write."""
    own = alias(row, "noted") if isinstance(row, View) else aliased(row)

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        return _is_record(own, record_id, *([is_shown(visibility, own)] if is_shown else []))

    return RecordKind(condition, shared_target, Permission.ADMIN)


def of_lab(row: Any) -> RecordKind:
    """Records of a lab, or of none."""
    return for_administrators(row, lambda visibility, own: visible.is_lab_visible(visibility, own.lab_id))


def of_vocabulary(vocabulary: Vocabulary) -> RecordKind:
    return for_administrators(VocabularyRow, lambda _, own: own.kind == vocabulary)


def of_trajectories() -> RecordKind:
    """As visible as the session of the insertion, or as the subject of the chronic one."""
    own, probe = aliased(TrajectoryRow), aliased(InsertionRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        row = (await session.scalars(sa.select(TrajectoryRow).where(TrajectoryRow.id == record_id))).one()
        if row.insertion_id is not None:
            return await fetch_object_target(session, ContentType.PROBEINSERTION, row.insertion_id)
        actions = await session.scalars(sa.select(ActionRow).where(ActionRow.id == row.chronic_insertion_id))
        return await fetch_action_target(session, actions.one())

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        of_probe = _is_record(
            probe, own.insertion_id, shared.is_session_visible(visibility, probe.session_id)
        )
        of_chronic = visible.is_action_visible(visibility, own.chronic_insertion_id)
        return _is_record(
            own, record_id, sa.case((own.insertion_id.is_not(None), of_probe), else_=of_chronic)
        )

    return RecordKind(condition, target)


def of_channels() -> RecordKind:
    """As visible as their trajectory."""
    trajectories, own = of_trajectories(), aliased(ChannelRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(sa.select(ChannelRow.trajectory_id).where(ChannelRow.id == record_id))
        return await trajectories.fetch_target(session, rows.one())

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, trajectories.is_visible(visibility, own.trajectory_id)
        ),
        target,
    )


def of_fov_locations() -> RecordKind:
    """As visible as the session of their field of view."""
    fields_of_view, own = of_session(FieldOfViewRow), aliased(FovLocationRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(
            sa.select(FovLocationRow.field_of_view_id).where(FovLocationRow.id == record_id)
        )
        return await fields_of_view.fetch_target(session, rows.one())

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, fields_of_view.is_visible(visibility, own.field_of_view_id)
        ),
        target,
    )


def of_imaging_stacks() -> RecordKind:
    """As visible as the session of their slices; one without slices is its creator's."""
    own = aliased(ImagingStackRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        slices = sa.select(FieldOfViewRow.session_id).where(
            FieldOfViewRow.stack_id == record_id, FieldOfViewRow.deleted_at.is_(None)
        )
        session_id = await session.scalar(slices.limit(1))
        if session_id is not None:
            return await fetch_session_target(session, session_id)
        creator = sa.select(ImagingStackRow.created_by_id).where(ImagingStackRow.id == record_id)
        return Target(responsible_user_id=await session.scalar(creator))

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, visible.is_imaging_stack_visible(visibility, own)
        ),
        target,
    )


def of_jobs() -> RecordKind:
    """Jobs of sessions; public readers see no job, and scheduler alone knows who sees one without a session."""
    own = alias(JOBS, "noted")

    async def target(session: ReadSession, record_id: UUID) -> Target:
        session_id = await session.scalar(sa.select(own.c.session_id).where(own.c.id == record_id))
        return await fetch_session_target(session, session_id)

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        if visibility.public_only and not visibility.everything:
            return sa.false()
        return _is_record(own, record_id, shared.is_session_visible(visibility, own.c.session_id))

    return RecordKind(condition, target)
