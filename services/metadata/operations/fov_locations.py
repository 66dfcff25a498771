"""Locations of fields of view: changed by users who may change the session of their field of view."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.fov_locations import FovLocation, FovLocationIn
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.fields_of_view import USUAL_COORDINATE_SYSTEM, check_provenance_free
from services.metadata.models import FovLocationRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.fields_of_view import lock_field_of_view_to_edit
from services.metadata.queries import fov_locations as queries
from services.metadata.queries import references
from services.metadata.queries.actions import touch
from services.metadata.queries.channels import check_regions
from services.metadata.queries.lock_order import lock_with_parents
from services.metadata.queries.references import Vocabulary

_STORED: Final = StoredFields(
    FovLocationIn, FovLocationRow, handled={"field_of_view", "coordinate_system", "brain_region"}
)


async def create_fov_location(
    tx: Transaction, by: Principal, visibility: Visibility, body: FovLocationIn
) -> FovLocation:
    """Create a location; a field of view has one of each provenance, and one that is the default."""
    fov_id = required(body.field_of_view, "field_of_view")
    for field in ("provenance", "x", "y", "z", "n_xyz"):
        required(getattr(body, field), field)
    await _lock_field_of_view(tx, by, visibility, fov_id)
    row = FovLocationRow(id=uuid4(), field_of_view_id=fov_id, default_provenance=False, brain_region_ids=[])
    body = body if "coordinate_system" in body.model_fields_set else _in_usual_system(body)
    values = await _values(tx, body, row, fov_id)
    for column, value in values.items():
        setattr(row, column, value)
    await create_row(tx, "fov-location", row, values)
    return await queries.fetch_fov_location(tx.session, visibility, row.id)


def _in_usual_system(body: FovLocationIn) -> FovLocationIn:
    return body.model_copy(update={"coordinate_system": USUAL_COORDINATE_SYSTEM})


async def update_fov_location(
    tx: Transaction, by: Principal, visibility: Visibility, location_id: UUID, body: FovLocationIn
) -> FovLocation:
    """Update a location; absent fields keep their value."""
    if body.field_of_view is not None:
        location = await queries.fetch_fov_location(tx.session, visibility, location_id)
        await lock_with_parents(tx.session, fields_of_view=[location.field_of_view, body.field_of_view])
    row = await lock_fov_location_to_edit(tx, by, visibility, location_id)
    fov_id = body.field_of_view or row.field_of_view_id
    if fov_id != row.field_of_view_id:
        await _lock_field_of_view(tx, by, visibility, fov_id)
    values = await _values(tx, body, row, fov_id)
    touch(row)
    await update_row(tx, "fov-location", row, values)
    return await queries.fetch_fov_location(tx.session, visibility, row.id)


async def _values(tx: Transaction, body: FovLocationIn, row: FovLocationRow, fov_id: UUID) -> dict[str, Any]:
    """The columns that a body sets. Raises BadRequest, also for a provenance that the field of view has already.

    Another location that was the default one no longer is, if this one is now.
    """
    values = _STORED.values(body) | {"field_of_view_id": fov_id}
    if "coordinate_system" in body.model_fields_set:
        values["coordinate_system_id"] = await references.fetch_term_id(
            tx.session, Vocabulary.COORDINATE_SYSTEM, body.coordinate_system, "coordinate_system"
        )
    if "brain_region" in body.model_fields_set:
        values["brain_region_ids"] = [*dict.fromkeys(body.brain_region or [])]
        await check_regions(tx.session, values["brain_region_ids"])
    provenance = values.get("provenance", row.provenance)
    is_taken = await queries.exists_fov_location(tx.session, fov_id, provenance, other_than=row.id)
    check_provenance_free(is_taken=is_taken)
    if values.get("default_provenance", row.default_provenance):
        other = await queries.find_and_lock_default(tx.session, fov_id, other_than=row.id)
        if other is not None:
            touch(other)
            await update_row(tx, "fov-location", other, {"default_provenance": False})
    return values


async def _lock_field_of_view(tx: Transaction, by: Principal, visibility: Visibility, fov_id: UUID) -> None:
    """Lock the field of view that a body names. Raises UnknownReference and Forbidden."""
    try:
        await lock_field_of_view_to_edit(tx, by, visibility, fov_id)
    except NotFound:
        raise UnknownReference("field_of_view", fov_id, key="pk") from None


async def lock_fov_location_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, location_id: UUID
) -> FovLocationRow:
    """A location that the caller may change, locked with its field of view. Raises NotFound and Forbidden."""
    location = await queries.fetch_fov_location(tx.session, visibility, location_id)
    await lock_field_of_view_to_edit(tx, by, visibility, location.field_of_view)
    return await queries.lock_fov_location(tx.session, location_id, location.field_of_view)


async def delete_fov_location(
    tx: Transaction, by: Principal, visibility: Visibility, location_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a location."""
    row = await lock_fov_location_to_edit(tx, by, visibility, location_id)
    return await delete_row(tx, by, visibility, "fov-location", row, dry_run=dry_run)
