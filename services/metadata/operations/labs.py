"""Labs: create, update, delete."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from libs.common.db import Transaction, rows
from libs.common.db.links import set_links
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.labs import LabIn
from libs.common.schemas.names import check_new_name
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.models import LabRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.relations import REPOSITORIES_OF_LAB
from services.metadata.queries import references

_STORED: Final = StoredFields(LabIn, LabRow, handled={"repositories"})


async def create_lab(tx: Transaction, body: LabIn) -> str:
    """Create a lab; returns its name."""
    values = _STORED.values(body)
    name = required(body.name, "name")
    check_new_name("name", name)
    await rows.refuse_duplicate(tx.session, LabRow.name, name)
    lab = LabRow(id=uuid4(), **values)
    await rows.create_row(tx, "lab", lab, values)
    await _set_repositories(tx, lab.id, body)
    return name


async def update_lab(tx: Transaction, name: str, body: LabIn) -> str:
    """Update a lab; returns its id as text. Raises NotFound."""
    values = _STORED.values(body)
    lab = await rows.lock_by_name(tx.session, LabRow, name)
    if body.name is not None and body.name != lab.name:
        check_new_name("name", body.name, lab.name)
        await rows.refuse_duplicate(tx.session, LabRow.name, body.name, except_id=lab.id)
    await rows.update_row(tx, "lab", lab, values)
    await _set_repositories(tx, lab.id, body)
    return str(lab.id)


async def _set_repositories(tx: Transaction, lab_id: UUID, body: LabIn) -> None:
    if body.repositories is not None:
        ids = await references.fetch_repository_ids(tx.session, body.repositories, "repositories")
        await set_links(tx, REPOSITORIES_OF_LAB, "lab", lab_id, ids)


async def delete_lab(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a lab with its memberships and locations. Raises NotFound, and Conflict while it has subjects."""
    lab = await rows.lock_by_name(tx.session, LabRow, name)
    return await delete_row(tx, by, visibility, "lab", lab, dry_run=dry_run, before={"name": lab.name})
