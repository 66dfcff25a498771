"""Giving copies up, and keeping them after all. Registry decides; whoever moves bytes removes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.db import Transaction
from libs.common.events import ProofOrdered
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import Conflict, Forbidden, NotFound
from libs.common.schemas.states import CopyState
from libs.common.scopes import Permission
from libs.common.targets import dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.copies import CopyFact, after
from services.registry.domain.holdings import Policy
from services.registry.domain.retirement import Case, Decision, decide
from services.registry.models import CopyRow
from services.registry.queries import retirement as queries
from services.registry.queries.retirement import Subject


async def decision(
    read: AsyncSession, seen: Visibility, copy_id: UUID, policy: Policy
) -> tuple[Case, Decision]:
    """Whether a copy may be given up now, and why not. Raises NotFound."""
    case = await queries.case(read, await _subject(read, seen, copy_id))
    return case, decide(case, policy, datetime.now(UTC))


async def decision_alone(tx: Transaction, of: Subject, policy: Policy) -> tuple[Case, Decision]:
    """The same, while nobody else changes what it rests on until the end of the transaction."""
    locked = await queries.lock(tx.session, of)
    case = await queries.case(tx.session, of, locked)
    return case, decide(case, policy, datetime.now(UTC))


async def retire(
    tx: Transaction, by: Principal, seen: Visibility, copy_id: UUID, reason: str, policy: Policy
) -> None:
    """Give a copy up: from now on nobody counts on it. Raises NotFound, Forbidden, MayNotRetire."""
    of = await _mine(tx, by, seen, copy_id)
    case, found = await decision_alone(tx, of, policy)
    found.check()
    await give_up(tx, case, found, reason)


async def give_up(tx: Transaction, case: Case, found: Decision, reason: str) -> None:
    """Write down that a copy is to be removed, why, and which copies that rests on."""
    connection = await tx.session.connection()
    retiring = after(case.copy.state, CopyFact.RETIRE)
    await connection.execute(
        sa.update(CopyRow).where(CopyRow.id == case.copy_id).values(state=str(retiring), order_proof=False)
    )
    counted = found.rests_on.counted if found.rests_on else ()
    tx.audit(
        "copy.retiring",
        "copy",
        case.copy_id,
        before={"state": str(case.copy.state)},
        after={"state": str(retiring), "reason": reason, "rests_on": [str(one.id) for one in counted]},
    )


async def keep(tx: Transaction, by: Principal, seen: Visibility, copy_id: UUID) -> None:
    """Keep a copy that was to be removed. Its removal may have begun, so it counts once it was read again.

    Raises NotFound, Forbidden, Conflict.
    """
    await _mine(tx, by, seen, copy_id)
    kept = after(CopyState.RETIRING, CopyFact.KEPT)
    connection = await tx.session.connection()
    found = await connection.execute(
        sa.update(CopyRow)
        .where(CopyRow.id == copy_id, CopyRow.state == CopyState.RETIRING)
        .values(state=str(kept), order_proof=True)
        .returning(CopyRow.id)
    )
    if found.first() is None:
        raise Conflict("Only a copy that is to be removed, and was not removed yet, can be kept.")
    tx.audit(
        "copy.kept", "copy", copy_id, before={"state": str(CopyState.RETIRING)}, after={"state": str(kept)}
    )
    tx.publish(ProofOrdered(copy_ids=[copy_id]))


async def _subject(read: AsyncSession, seen: Visibility, copy_id: UUID) -> Subject:
    found = await queries.subject(read, seen, copy_id)
    if found is None:
        raise NotFound(f"There is no copy {copy_id}.")
    return found


async def _mine(tx: Transaction, by: Principal, seen: Visibility, copy_id: UUID) -> Subject:
    """A copy of the caller's labs; nobody's copies are for administrators. Raises NotFound, Forbidden."""
    found = await _subject(tx.session, seen, copy_id)
    await check_may_give_up(tx, by, found)
    return found


async def check_may_give_up(tx: Transaction, by: Principal, found: Subject) -> None:
    """Raise Forbidden unless the caller may give up a managed copy."""
    target = await dataset_target(tx.session, found.session_id, found.content_type, found.object_id)
    if not may_give_up(by, target):
        raise Forbidden


def may_give_up(by: Principal, target: Target) -> bool:
    """Giving up a managed copy needs TRANSFER in its lab; a copy of no lab is for administrators."""
    needed = Permission.ADMIN if target.lab_id is None else Permission.TRANSFER
    return may_on(by, needed, replace(target, responsible_user_id=None))
