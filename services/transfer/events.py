"""Handlers of the events that transfer receives."""

from __future__ import annotations

from cingulum.stores import StoreKind
from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import ProofOrdered
from services.transfer.operations.proof_orders import add_proof_orders


def handlers_with(store_kind: StoreKind) -> EventHandlers:
    """The handlers; `store_kind` is the `store` of the repositories whose bytes are ours."""
    handlers = EventHandlers()

    @handlers.on(ProofOrdered)
    async def proof_ordered(tx: Transaction, event: ProofOrdered) -> None:
        """Store the orders for copies of the central store."""
        await add_proof_orders(tx, store_kind, event)

    return handlers
