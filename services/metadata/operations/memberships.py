"""Memberships: create or update."""

from __future__ import annotations

from uuid import UUID, uuid4

from libs.common.db import Transaction, rows
from libs.common.schemas.memberships import MembershipIn
from services.metadata.domain.memberships import check_period
from services.metadata.models import LabRow, MembershipRow, UserRow
from services.metadata.queries import memberships as queries
from services.metadata.queries import references


async def save_membership(tx: Transaction, body: MembershipIn) -> UUID:
    """Create a membership, or update the role and end of the one with the same user, lab and start; returns its id."""
    [user_id] = await references.fetch_ids(tx.session, UserRow, [body.user], "user")
    [lab_id] = await references.fetch_ids(tx.session, LabRow, [body.lab], "lab")
    check_period(body.start_date, body.end_date)
    membership = await queries.find_and_lock_membership(tx.session, user_id, lab_id, body.start_date)
    changes = {"role": body.role, "end_date": body.end_date, "deleted_at": None}
    if membership is None:
        membership = MembershipRow(
            id=uuid4(), user_id=user_id, lab_id=lab_id, start_date=body.start_date, **changes
        )
        await rows.create_row(tx, "membership", membership, {"user": body.user, "lab": body.lab, **changes})
    else:
        await rows.update_row(tx, "membership", membership, changes)
    return membership.id
