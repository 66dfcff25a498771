"""Projects: create, update, delete."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from libs.common.db import Transaction, rows
from libs.common.db.links import set_links
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.names import check_new_plain_name
from libs.common.schemas.projects import ProjectIn
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.models import ProjectRow, UserRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.relations import USERS_OF_PROJECT
from services.metadata.queries import references

_STORED: Final = StoredFields(ProjectIn, ProjectRow, handled={"users"})


async def create_project(tx: Transaction, body: ProjectIn) -> str:
    """Create a project; returns its name."""
    values = _STORED.values(body)
    name = required(body.name, "name")
    check_new_plain_name("name", name)
    await rows.refuse_duplicate(tx.session, ProjectRow.name, name)
    project = ProjectRow(id=uuid4(), **values)
    await rows.create_row(tx, "project", project, values)
    await _set_users(tx, project.id, body)
    return name


async def update_project(tx: Transaction, name: str, body: ProjectIn) -> str:
    """Update a project; returns its id as text. Raises NotFound."""
    project = await rows.lock_by_name(tx.session, ProjectRow, name)
    if body.name is not None and body.name != project.name:
        check_new_plain_name("name", body.name, project.name)
        await rows.refuse_duplicate(tx.session, ProjectRow.name, body.name, except_id=project.id)
    await rows.update_row(tx, "project", project, _STORED.values(body))
    await _set_users(tx, project.id, body)
    return str(project.id)


async def _set_users(tx: Transaction, project_id: UUID, body: ProjectIn) -> None:
    if body.users is not None:
        ids = await references.fetch_ids(tx.session, UserRow, body.users, "users")
        await set_links(tx, USERS_OF_PROJECT, "project", project_id, ids)


async def delete_project(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a project; its sessions and subjects stay, a private one keeps them closed. Raises NotFound."""
    project = await rows.lock_by_name(tx.session, ProjectRow, name)
    return await delete_row(
        tx, by, visibility, "project", project, dry_run=dry_run, before={"name": project.name}
    )
