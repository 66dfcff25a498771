"""Locations: create, update."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from libs.common.db import Transaction, rows
from libs.common.db.stored_fields import StoredFields, check_not_cleared
from libs.common.permissions import Principal
from libs.common.schemas.locations import LocationIn
from libs.common.schemas.names import check_new_plain_name
from services.metadata.domain.bodies import required
from services.metadata.domain.locations import check_location_writable
from services.metadata.models import LabRow, LocationRow
from services.metadata.queries import references

_STORED: Final = StoredFields(LocationIn, LocationRow, handled={"lab"})


async def create_location(tx: Transaction, body: LocationIn) -> str:
    """Create a location; returns its name."""
    values = await _values(tx, body)
    name = required(body.name, "name")
    check_new_plain_name("name", name)
    await rows.refuse_duplicate(tx.session, LocationRow.name, name)
    location = LocationRow(id=uuid4(), **values)
    await rows.create_row(tx, "location", location, values)
    return name


async def update_location(tx: Transaction, by: Principal, name: str, body: LocationIn) -> str:
    """Update a location; returns its id as text. Raises NotFound, Forbidden."""
    values = await _values(tx, body)
    location = await rows.lock_by_name(tx.session, LocationRow, name)
    check_not_cleared(body, {"lab": location.lab_id})
    if body.name is not None and body.name != location.name:
        check_new_plain_name("name", body.name, location.name)
        await rows.refuse_duplicate(tx.session, LocationRow.name, body.name, except_id=location.id)
    check_location_writable(by, name, [location.lab_id, values.get("lab_id", location.lab_id)])
    await rows.update_row(tx, "location", location, values)
    return str(location.id)


async def _values(tx: Transaction, body: LocationIn) -> dict[str, Any]:
    values = _STORED.values(body)
    if body.lab:
        values["lab_id"] = await references.fetch_id(tx.session, LabRow, body.lab, "lab")
    return values
