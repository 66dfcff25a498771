"""What sessions, surgeries and water restrictions have in common."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.permissions import Target
from libs.common.problem import NotFound
from libs.common.schemas.states import ActionKind
from libs.common.targets import fetch_object_target, fetch_session_target
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, FovLocationRow, InsertionRow, SubjectRow, TrajectoryRow
from services.metadata.queries import visible
from services.metadata.queries.session_merges import missing_session


async def lock_action(
    session: WriteSession, visibility: Visibility, kind: ActionKind, action_id: UUID
) -> ActionRow:
    """An action that the caller can see, locked. Raises NotFound."""
    is_visible = visible.is_session_visible if kind is ActionKind.SESSION else visible.is_subject_visible
    rows = await session.scalars(
        sa.select(ActionRow)
        .join(SubjectRow, SubjectRow.id == ActionRow.subject_id)
        .where(ActionRow.id == action_id, ActionRow.kind == kind, SubjectRow.deleted_at.is_(None))
        .where(is_visible(visibility), ActionRow.deleted_at.is_(None))
        .with_for_update(of=ActionRow)
    )
    row = rows.one_or_none()
    if row is None and kind is ActionKind.SESSION:
        raise await missing_session(session, visibility, action_id)
    if row is None:
        raise NotFound(f"There is no {kind} {action_id}.")
    return row


async def fetch_action_target(session: ReadSession, row: ActionRow) -> Target:
    """What an action belongs to: to the lab where it happens. Only sessions have projects of their own."""
    if row.kind == ActionKind.SESSION:
        return await fetch_session_target(session, row.id)
    subject = await fetch_object_target(session, "subject", row.subject_id)
    return Target(
        row.lab_id or subject.lab_id,
        subject.project_ids,
        subject.responsible_user_id,
        animal_lab_id=subject.lab_id,
    )


def touch(row: ActionRow | InsertionRow | TrajectoryRow | FovLocationRow) -> None:
    """Set the time of a row's last change to that of this transaction."""
    row.auto_datetime = sa.func.now()
