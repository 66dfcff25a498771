"""Labs, people, projects, places, memberships. Everybody reads; administrators write."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from libs.common.auth import Admin, Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import like, paged
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.people import (
    Lab,
    LabIn,
    Location,
    LocationIn,
    Membership,
    MembershipIn,
    Project,
    ProjectIn,
    User,
    UserIn,
)
from services.metadata.models import LabRow, LocationRow, MembershipRow, ProjectRow, UserRow
from services.metadata.operations import house as operations
from services.metadata.queries import house as queries
from services.metadata.queries import visible
from services.metadata.queries.django_filters import given

router = APIRouter(route_class=IdempotentRoute, tags=["house"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/labs")
async def list_labs(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    name: str | None = None,
    django: str | None = None,
) -> Page[Lab]:
    """Labs by name."""
    statement = queries.labs(seen).where(*given(seen, "labs", django))
    if name:
        statement = statement.where(LabRow.name == name)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [Lab.model_validate(row) for row in rows])


@router.post("/labs", status_code=201, responses=REFUSALS)
async def create_lab(new: LabIn, _by: Admin, seen: Sees, tx: Tx) -> Lab:
    """Write a lab down."""
    name = await operations.save_lab(tx, new)
    return Lab.model_validate(await queries.found(tx.session, queries.labs(seen), LabRow.name == name, "lab"))


@router.get("/labs/{name}")
async def read_lab(name: str, seen: Sees, read: Reading) -> Lab:
    """One lab."""
    return Lab.model_validate(
        await queries.found(read, queries.labs(seen), LabRow.name == name, f"lab '{name}'")
    )


@router.put("/labs/{name}", responses=REFUSALS)
async def update_lab(name: str, body: LabIn, _by: Admin, seen: Sees, tx: Tx) -> Lab:
    """Change a lab; absent fields keep their value."""
    name = await operations.save_lab(tx, body, name)
    return Lab.model_validate(await queries.found(tx.session, queries.labs(seen), LabRow.name == name, "lab"))


@router.patch("/labs/{name}", responses=REFUSALS)
async def patch_lab(name: str, body: LabIn, by: Admin, seen: Sees, tx: Tx) -> Lab:
    """Change a lab."""
    return await update_lab(name, body, by, seen, tx)


@router.delete("/labs/{name}", status_code=204, responses=REFUSALS)
async def delete_lab(name: str, by: Admin, tx: Tx) -> Response:
    """Take a lab without animals out of sight."""
    await operations.delete_named(tx, LabRow, LabRow.name, name, by)
    return Response(status_code=204)


@router.get("/users")
async def list_users(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    username: str | None = None,
    email: str | None = None,
    django: str | None = None,
) -> Page[User]:
    """People by username. An e-mail address is shown, and found, only to administrators and its owner."""
    statement = queries.users(seen).where(*given(seen, "users", django))
    if username:
        statement = statement.where(UserRow.username == username)
    if email is not None:
        statement = statement.where(visible.email(seen) == email)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [User.model_validate(row) for row in rows])


@router.post("/users", status_code=201, responses=REFUSALS)
async def create_user(request: Request, new: UserIn, by: Admin, seen: Sees, tx: Tx) -> User:
    """Create a user, who can sign in if there is a password."""
    name = await operations.save_user(tx, request.app.state.sign_ins.hashing, by, new)
    return User.model_validate(
        await queries.found(tx.session, queries.users(seen), UserRow.username == name, "user")
    )


@router.get("/users/{username}")
async def read_user(username: str, seen: Sees, read: Reading) -> User:
    """One person."""
    found = await queries.found(read, queries.users(seen), UserRow.username == username, f"user '{username}'")
    return User.model_validate(found)


@router.put("/users/{username}", responses=REFUSALS)
async def update_user(request: Request, username: str, body: UserIn, by: Admin, seen: Sees, tx: Tx) -> User:
    """Change a person; a new password ends the old log-ins."""
    name = await operations.save_user(tx, request.app.state.sign_ins.hashing, by, body, username)
    return User.model_validate(
        await queries.found(tx.session, queries.users(seen), UserRow.username == name, "user")
    )


@router.patch("/users/{username}", responses=REFUSALS)
async def patch_user(request: Request, username: str, body: UserIn, by: Admin, seen: Sees, tx: Tx) -> User:
    """Change a person."""
    return await update_user(request, username, body, by, seen, tx)


@router.delete("/users/{username}", status_code=204, responses=REFUSALS)
async def delete_user(username: str, by: Admin, tx: Tx) -> Response:
    """Take a person out of sight; what they did stays written under their name."""
    await operations.delete_named(tx, UserRow, UserRow.username, username, by)
    return Response(status_code=204)


@router.get("/memberships")
async def list_memberships(
    request: Request,
    seen: Sees,
    read: Reading,
    wanted: Paging,
    user: str | None = None,
    lab: str | None = None,
) -> Page[Membership]:
    """Memberships, newest first."""
    statement = queries.memberships(seen)
    if user:
        statement = statement.where(UserRow.username == user)
    if lab:
        statement = statement.where(LabRow.name == lab)
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [Membership.model_validate(row) for row in rows])


@router.post("/memberships", status_code=201, responses=REFUSALS)
async def save_membership(new: MembershipIn, _by: Admin, seen: Sees, tx: Tx) -> Membership:
    """Write a membership down; the same one twice is one."""
    which = await operations.save_membership(tx, new)
    return Membership.model_validate(
        await queries.found(tx.session, queries.memberships(seen), MembershipRow.id == which, "membership")
    )


@router.get("/projects")
async def list_projects(request: Request, seen: Sees, read: Reading, wanted: Paging) -> Page[Project]:
    """Projects by name; private ones for those who take part."""
    count, rows = await paged(read, queries.projects(seen), wanted)
    return page(request, wanted, count, [Project.model_validate(row) for row in rows])


@router.post("/projects", status_code=201, responses=REFUSALS)
async def create_project(new: ProjectIn, _by: Admin, seen: Sees, tx: Tx) -> Project:
    """Write a project down."""
    name = await operations.save_project(tx, new)
    return Project.model_validate(
        await queries.found(tx.session, queries.projects(seen), ProjectRow.name == name, "project")
    )


@router.get("/projects/{name}")
async def read_project(name: str, seen: Sees, read: Reading) -> Project:
    """One project."""
    found = await queries.found(read, queries.projects(seen), ProjectRow.name == name, f"project '{name}'")
    return Project.model_validate(found)


@router.put("/projects/{name}", responses=REFUSALS)
async def update_project(name: str, body: ProjectIn, _by: Admin, seen: Sees, tx: Tx) -> Project:
    """Change a project; absent fields keep their value."""
    name = await operations.save_project(tx, body, name)
    return Project.model_validate(
        await queries.found(tx.session, queries.projects(seen), ProjectRow.name == name, "project")
    )


@router.patch("/projects/{name}", responses=REFUSALS)
async def patch_project(name: str, body: ProjectIn, by: Admin, seen: Sees, tx: Tx) -> Project:
    """Change a project."""
    return await update_project(name, body, by, seen, tx)


@router.delete("/projects/{name}", status_code=204, responses=REFUSALS)
async def delete_project(name: str, by: Admin, tx: Tx) -> Response:
    """Take a project out of sight."""
    await operations.delete_named(tx, ProjectRow, ProjectRow.name, name, by)
    return Response(status_code=204)


@router.get("/locations")
async def list_locations(
    request: Request, seen: Sees, read: Reading, wanted: Paging, name: str | None = None
) -> Page[Location]:
    """Rigs and rooms by name."""
    statement = queries.locations(seen)
    if name:
        statement = statement.where(like(LocationRow.name, name))
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [Location.model_validate(row) for row in rows])


@router.post("/locations", status_code=201, responses=REFUSALS)
async def create_location(new: LocationIn, by: Admin, seen: Sees, tx: Tx) -> Location:
    """Write a rig or a room down."""
    name = await operations.save_location(tx, by, new)
    return Location.model_validate(
        await queries.found(tx.session, queries.locations(seen), LocationRow.name == name, "location")
    )


@router.get("/locations/{name}")
async def read_location(name: str, seen: Sees, read: Reading) -> Location:
    """One place."""
    found = await queries.found(read, queries.locations(seen), LocationRow.name == name, f"location '{name}'")
    return Location.model_validate(found)


@router.put("/locations/{name}", responses=REFUSALS)
async def update_location(name: str, body: LocationIn, by: Editor, seen: Sees, tx: Tx) -> Location:
    """Change a place: rigs keep their calibration in its `json`."""
    known = queries.locations(seen)
    await queries.found(tx.session, known, LocationRow.name == name, f"location '{name}'")
    name = await operations.save_location(tx, by, body, name)
    return Location.model_validate(
        await queries.found(tx.session, queries.locations(seen), LocationRow.name == name, "location")
    )


@router.patch("/locations/{name}", responses=REFUSALS)
async def patch_location(name: str, body: LocationIn, by: Editor, seen: Sees, tx: Tx) -> Location:
    """Change a place: rigs keep their calibration in its `json`."""
    return await update_location(name, body, by, seen, tx)
