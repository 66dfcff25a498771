"""Retiring copies, and keeping retiring ones. Registry decides; another part of the system removes the bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from libs.common.events import ProofOrdered
from libs.common.permissions import Principal
from libs.common.problem import Conflict, Forbidden, NotFound
from libs.common.schemas.states import CopyState
from libs.common.targets import fetch_dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.copies import CopyFact, after
from services.registry.domain.holdings import Policy
from services.registry.domain.retirement import RetirementCase, RetirementDecision, decide
from services.registry.domain.rights import may_retire
from services.registry.queries import retirement as queries
from services.registry.queries.copies import update_copy, update_retiring_copy
from services.registry.queries.retirement import CopyToRetire


async def fetch_decision(
    session: ReadSession, visibility: Visibility, copy_id: UUID, policy: Policy
) -> tuple[RetirementCase, RetirementDecision]:
    """Whether a copy may be retired now, and why not. Raises NotFound."""
    copy = await _fetch_copy(session, visibility, copy_id)
    case = await queries.fetch_retirement_case(session, copy)
    return case, decide(case, policy, datetime.now(UTC))


async def lock_decision(
    tx: Transaction, copy: CopyToRetire, policy: Policy
) -> tuple[RetirementCase, RetirementDecision]:
    """The same, with everything that it is based on locked until the end of the transaction."""
    locked = await queries.lock_copy_to_retire(tx.session, copy)
    case = await queries.fetch_retirement_case(tx.session, copy, locked)
    return case, decide(case, policy, datetime.now(UTC))


async def retire_copy(
    tx: Transaction, by: Principal, visibility: Visibility, copy_id: UUID, reason: str, policy: Policy
) -> None:
    """Retire a copy: it no longer counts. Raises NotFound, Forbidden, MayNotRetire."""
    copy = await _fetch_own_copy(tx, by, visibility, copy_id)
    case, decision = await lock_decision(tx, copy, policy)
    decision.check()
    await write_retirement(tx, case, decision, reason)


async def write_retirement(
    tx: Transaction, case: RetirementCase, decision: RetirementDecision, reason: str
) -> None:
    """Store that a copy is retiring, why, and which copies the decision is based on."""
    retiring = after(case.copy.state, CopyFact.RETIRE)
    await update_copy(tx.session, case.copy_id, state=str(retiring), order_proof=False)
    counted = decision.rests_on.counted if decision.rests_on else ()
    tx.audit(
        "copy.retiring",
        "copy",
        case.copy_id,
        before={"state": str(case.copy.state)},
        after={"state": str(retiring), "reason": reason, "rests_on": [str(copy.id) for copy in counted]},
    )


async def keep_copy(tx: Transaction, by: Principal, visibility: Visibility, copy_id: UUID) -> None:
    """Keep a retiring copy. Its removal may have begun, so it counts once it was read again.

    Raises NotFound, Forbidden, Conflict.
    """
    await _fetch_own_copy(tx, by, visibility, copy_id)
    before, state = CopyState.RETIRING, after(CopyState.RETIRING, CopyFact.KEPT)
    if not await update_retiring_copy(tx.session, copy_id, state):
        raise Conflict("Only a retiring copy that has not been removed yet can be kept.")
    tx.audit("copy.kept", "copy", copy_id, before={"state": str(before)}, after={"state": str(state)})
    tx.publish(ProofOrdered(copy_ids=[copy_id]))


async def _fetch_copy(session: ReadSession, visibility: Visibility, copy_id: UUID) -> CopyToRetire:
    copy = await queries.find_copy_to_retire(session, visibility, copy_id)
    if copy is None:
        raise NotFound(f"There is no copy {copy_id}.")
    return copy


async def _fetch_own_copy(
    tx: Transaction, by: Principal, visibility: Visibility, copy_id: UUID
) -> CopyToRetire:
    """A copy that the caller may retire. Raises NotFound, Forbidden."""
    copy = await _fetch_copy(tx.session, visibility, copy_id)
    await check_may_retire(tx, by, copy)
    return copy


async def check_may_retire(tx: Transaction, by: Principal, copy: CopyToRetire) -> None:
    """Raise Forbidden unless the caller may retire a managed copy."""
    target = await fetch_dataset_target(tx.session, copy.session_id, copy.content_type, copy.object_id)
    if not may_retire(by, target):
        raise Forbidden
