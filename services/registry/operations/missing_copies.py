"""Transfers of files that server repositories lack, in the place of Alyx's Globus transfers."""

from __future__ import annotations

from collections import Counter

from libs.common.db import Transaction
from libs.common.events import ProofOrdered
from libs.common.permissions import Principal, Target
from libs.common.targets import fetch_object_target, fetch_session_targets
from libs.common.visibility import Visibility
from services.registry.domain.rights import may_retire
from services.registry.queries import missing_copies as queries
from services.registry.queries.missing_copies import MissingCopy


async def order_transfers(tx: Transaction, by: Principal, visibility: Visibility) -> list[str]:
    """Expect the files that managed server repositories lack; their paths, those that were lost or suspect first.

    The agent of a lab that holds a file sends what is expected; what the central store has by another upload is read
    there. Files of labs where the caller may not transfer are left out.
    """
    ordered = await _fetch_allowed(tx, by, visibility)
    if ordered:
        ids = [copy.id for copy in ordered]
        await queries.update_missing_copies(tx.session, ids)
        tx.publish(ProofOrdered(copy_ids=ids))
    for repository, count in Counter(copy.repository for copy in ordered).items():
        tx.audit("transfers.ordered", "repository", repository, after={"count": count})
    return [copy.relative_path for copy in ordered]


async def _fetch_allowed(tx: Transaction, by: Principal, visibility: Visibility) -> list[MissingCopy]:
    """The first missing copies that the caller may transfer, however many others come before them."""
    allowed: list[MissingCopy] = []
    page = await queries.list_missing_copies(tx.session, visibility)
    while page and len(allowed) < queries.MOST:
        targets = await _fetch_targets(tx, page)
        allowed += [copy for copy, target in zip(page, targets, strict=True) if may_retire(by, target)]
        page = await queries.list_missing_copies(tx.session, visibility, page[-1].position)
    return allowed[: queries.MOST]


async def _fetch_targets(tx: Transaction, copies: list[MissingCopy]) -> list[Target]:
    session_ids = {copy.session_id for copy in copies if copy.session_id}
    of_sessions = await fetch_session_targets(tx.session, session_ids)
    objects = {(copy.content_type, copy.object_id) for copy in copies if copy.session_id is None}
    of_objects = {key: await fetch_object_target(tx.session, *key) for key in objects}
    return [
        of_sessions.get(copy.session_id, Target())
        if copy.session_id
        else of_objects[copy.content_type, copy.object_id]
        for copy in copies
    ]
