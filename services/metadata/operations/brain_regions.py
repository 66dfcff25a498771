"""Brain regions: only their descriptions can be changed."""

from __future__ import annotations

from typing import Final

from libs.common.db import Transaction
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.schemas.brain_regions import BrainRegion, BrainRegionIn
from services.metadata.models import BrainRegionRow
from services.metadata.queries import brain_regions as queries

_STORED: Final = StoredFields(BrainRegionIn, BrainRegionRow, handled=())


async def update_region(tx: Transaction, region_id: int, body: BrainRegionIn) -> BrainRegion:
    """Update the description of a brain region. Raises NotFound."""
    row = await queries.lock_region(tx.session, region_id)
    await update_row(tx, "brain-region", row, _STORED.values(body))
    return await queries.fetch_region(tx.session, region_id)
