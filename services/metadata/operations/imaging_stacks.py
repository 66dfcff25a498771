"""Imaging stacks: created before their fields of view, which name them."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.imaging_stacks import ImagingStack, ImagingStackIn
from services.metadata.domain.bodies import required
from services.metadata.models import ImagingStackRow

_STORED: Final = StoredFields(ImagingStackIn, ImagingStackRow, handled=())


async def create_imaging_stack(tx: Transaction, by: Principal, body: ImagingStackIn) -> ImagingStack:
    """Create an imaging stack; it is the caller's until a field of view is in it."""
    required(body.name, "name")
    values = _STORED.values(body) | {"created_by_id": by.user_id}
    row = ImagingStackRow(id=uuid4(), **values)
    await create_row(tx, "imaging-stack", row, values)
    return ImagingStack(id=row.id, name=row.name, json_=row.json, slices=[])
