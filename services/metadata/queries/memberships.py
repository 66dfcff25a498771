"""Memberships of users in labs."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.pages import fetch_page
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.schemas.memberships import Membership
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import LabRow, MembershipRow, UserRow
from services.metadata.queries.list_filters.memberships import MembershipFilters
from services.metadata.queries.single_rows import fetch_one


def _memberships(visibility: Visibility) -> sa.Select[Any]:
    """All memberships; of a narrowed token those of its labs, of a public reader none."""
    is_of_lab = sa.true() if visibility.labs is None else MembershipRow.lab_id.in_(visibility.labs)
    return (
        sa.select(*MembershipRow.__table__.columns, UserRow.username.label("user"), LabRow.name.label("lab"))
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .join(LabRow, LabRow.id == MembershipRow.lab_id)
        .where(MembershipRow.deleted_at.is_(None), is_of_lab, sa.literal(not visibility.public_only))
        .order_by(MembershipRow.start_date.desc(), MembershipRow.id)
    )


async def list_memberships(
    session: ReadSession, visibility: Visibility, filters: MembershipFilters, paging: PageRequest
) -> tuple[int, list[Membership]]:
    """The number of memberships, and one page of them, newest first."""
    statement = _memberships(visibility).where(*filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [Membership.model_validate(row) for row in rows]


async def fetch_membership(session: ReadSession, visibility: Visibility, membership_id: UUID) -> Membership:
    """A membership by id. Raises NotFound."""
    condition = MembershipRow.id == membership_id
    return await fetch_one(
        session, _memberships(visibility), condition, Membership, f"membership {membership_id}"
    )


async def find_and_lock_membership(
    session: WriteSession, user_id: UUID, lab_id: UUID, start_date: date
) -> MembershipRow | None:
    """The membership of a user in a lab that starts on a day, also a deleted one, locked for a change."""
    statement = sa.select(MembershipRow).where(
        MembershipRow.user_id == user_id,
        MembershipRow.lab_id == lab_id,
        MembershipRow.start_date == start_date,
    )
    return (await session.execute(statement.with_for_update())).scalar_one_or_none()
