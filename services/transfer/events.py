"""Handlers of the events that transfer receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import ProofOrdered
from services.transfer.operations import orders


def handlers_with(kind: str) -> EventHandlers:
    """The handlers; `kind` is the `store` of the repositories whose bytes are ours."""
    handlers = EventHandlers()

    @handlers.on(ProofOrdered)
    async def proof_ordered(tx: Transaction, event: ProofOrdered) -> None:
        """Files are said to lie in the central store."""
        await orders.keep(tx, kind, event)

    return handlers
