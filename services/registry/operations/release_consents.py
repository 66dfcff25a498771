"""People agree to the release of their sessions, and can withdraw that until it is public."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from libs.common.db import Transaction
from libs.common.db.rows import update_row
from libs.common.permissions import Principal, in_scope
from libs.common.problem import Conflict, Forbidden
from libs.common.schemas.releases import Readiness, ReleaseState
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.registry.domain.releases import check_state
from services.registry.models import ReleaseRow
from services.registry.operations.releases import NOUN, assess_release, fetch_targets
from services.registry.queries import releases as queries
from services.registry.queries.release_consents import upsert_consent
from services.registry.queries.release_readiness import fetch_candidates

# Under embargo too: a user who was added to a session then is needed once the end of the embargo is moved.
_NOT_PUBLIC: Final = frozenset({ReleaseState.DRAFT, ReleaseState.CHECKED, ReleaseState.EMBARGOED})


async def consent(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, copies: int
) -> Readiness:
    """The caller agrees that the caller's sessions are released. Raises NotFound, Forbidden, Conflict."""
    row = await _lock(tx, by, visibility, name, _NOT_PUBLIC)
    await upsert_consent(tx.session, row.id, by.user_id)
    tx.audit("release.consented", NOUN, row.id, after={"user": by.username})
    return await assess_release(tx.session, row.id, row.accepted, copies)


async def withdraw_consent(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, copies: int
) -> Readiness:
    """The caller no longer agrees; an embargo ends without publication. Raises NotFound, Forbidden, Conflict."""
    row = await _lock(tx, by, visibility, name, _NOT_PUBLIC)
    if not any(by.user_id in candidate.users for candidate in await fetch_candidates(tx.session, row.id)):
        raise Conflict("No session of this release needs your consent.")
    await upsert_consent(tx.session, row.id, by.user_id, is_withdrawn=True)
    tx.audit("release.consent-withdrawn", NOUN, row.id, after={"user": by.username})
    if row.state == "published":
        unpublished = ("signature", "key_id", "public_from", "published_at")
        await update_row(tx, NOUN, row, {"state": "checked"} | dict.fromkeys(unpublished))
    return await assess_release(tx.session, row.id, row.accepted, copies)


async def _lock(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, states: Collection[ReleaseState]
) -> ReleaseRow:
    """A release to which the caller may say something, locked."""
    row, state = await queries.lock_release(tx.session, visibility, name)
    if not all(in_scope(by, Permission.WRITE, target) for target in await fetch_targets(tx.session, row.id)):
        raise Forbidden("This token may not write in all that the release contains.")
    check_state(state, states)
    return row
