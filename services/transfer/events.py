"""What transfer hears."""

from __future__ import annotations

from libs.common.bus import Hears
from libs.common.db import Transaction
from libs.common.events import ProofOrdered
from services.transfer.operations import orders


def hears_with(kind: str) -> Hears:
    """The handlers; `kind` is the `store` of the repositories whose bytes are ours."""
    hears = Hears()

    @hears.on(ProofOrdered)
    async def proof_ordered(tx: Transaction, event: ProofOrdered) -> None:
        """Files are said to lie in the central store."""
        await orders.keep(tx, kind, event)

    return hears
