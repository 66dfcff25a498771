"""Litters."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, refuse_duplicate
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.litters import Litter, LitterIn
from libs.common.visibility import Visibility
from services.metadata.domain.rights import check_may_create_litter
from services.metadata.models import LineRow, LitterRow
from services.metadata.queries import references
from services.metadata.queries.lines import find_lab_of_line
from services.metadata.queries.litters import fetch_litter

_STORED: Final = StoredFields(LitterIn, LitterRow, handled={"line"})


async def create_litter(tx: Transaction, by: Principal, visibility: Visibility, body: LitterIn) -> Litter:
    """Create a litter; that of a lab's line is created by the members of the lab."""
    await refuse_duplicate(tx.session, LitterRow.name, body.name)
    line_id = await references.fetch_id(tx.session, LineRow, body.line, "line")
    lab_id = await find_lab_of_line(tx.session, line_id)
    check_may_create_litter(by, lab_id, body.line)
    row = LitterRow(id=uuid4(), **_STORED.values(body), line_id=line_id)
    await create_row(tx, "litter", row, {"name": body.name})
    return await fetch_litter(tx.session, visibility, body.name)
