"""Labs, people, projects, places, vocabularies."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, deleted, set_links
from libs.common.permissions import SHARED, Principal, Target, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound
from libs.common.schemas.people import LabIn, LocationIn, MembershipIn, ProjectIn, TermIn, UserIn
from libs.common.scopes import Permission
from services.metadata.models import (
    DelegateRow,
    LabRepositoryRow,
    LabRow,
    LocationRow,
    MembershipRow,
    ProjectRow,
    ProjectUserRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.operations.hashing import PasswordHashing
from services.metadata.operations.password import end_sign_ins, set_password
from services.metadata.queries import references
from services.metadata.queries.references import Vocabulary

REQUIRED = ["This field is required."]


async def existing(tx: Transaction, kind: Any, column: Any, value: object) -> Any:
    """The row of that name, locked for this change. Raises NotFound."""
    found = await tx.session.execute(
        sa.select(kind).where(column == value, kind.deleted_at.is_(None)).with_for_update()
    )
    row = found.scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no {kind.__tablename__.removesuffix('s')} '{value}'.")
    return row


async def kept(tx: Transaction, kind: Any, row_id: UUID, what: str) -> Any:
    """A row that is in sight, locked for this change. Raises NotFound."""
    found = await tx.session.execute(
        sa.select(kind).where(kind.id == row_id, kind.deleted_at.is_(None)).with_for_update()
    )
    row = found.scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no {what} {row_id}.")
    return row


async def taken(tx: Transaction, column: Any, name: str) -> None:
    """Refuse a name that is used already."""
    if await tx.session.scalar(
        sa.select(sa.exists().where(column == name, column.class_.deleted_at.is_(None)))
    ):
        raise Conflict(fields={column.key: [f"'{name}' exists already."]})


def _given(body: Any, *names: str) -> dict[str, Any]:
    """The plain columns that a body gives, by name."""
    return {n: getattr(body, n) for n in names if n in body.model_fields_set and getattr(body, n) is not None}


def json_given(body: Any) -> dict[str, Any]:
    """`json` as a body gives it: it replaces the field, also with null."""
    return {"json": body.json_} if "json_" in body.model_fields_set else {}


async def save_lab(tx: Transaction, body: LabIn, name: str | None = None) -> str:
    """Write a lab down, or change the one of that name; its name afterwards."""
    if body.timezone is not None:
        try:
            ZoneInfo(body.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadRequest(
                fields={"timezone": [f"'{body.timezone}' is not an IANA time zone such as Europe/London."]}
            ) from None
    fields = _given(
        body, "name", "institution", "address", "timezone", "reference_weight_pct", "zscore_weight_pct"
    ) | json_given(body)
    if name is None:
        if body.name is None:
            raise BadRequest(fields={"name": REQUIRED})
        await taken(tx, LabRow.name, body.name)
        row = LabRow(id=uuid4(), **fields)
        created(tx, "lab", row, fields)
    else:
        row = await existing(tx, LabRow, LabRow.name, name)
        apply(tx, "lab", row, fields)
    if body.repositories is not None:
        ids = await references.repositories(tx.session, body.repositories, "repositories")
        await set_links(tx, LabRepositoryRow, "lab_id", row.id, "repository_id", ids)
    return str(row.name)


async def save_user(
    tx: Transaction, hashing: PasswordHashing, by: Principal, body: UserIn, username: str | None = None
) -> str:
    """Create a user, or change the one of that name; the username afterwards."""
    flags = ("is_stock_manager", "is_superuser", "is_staff", "is_public_user", "is_active")
    fields = _given(body, "username", "email", *flags)
    if username is None:
        if body.username is None:
            raise BadRequest(fields={"username": REQUIRED})
        await _check_username(tx, body.username)
        row = UserRow(id=uuid4(), **fields)
        created(tx, "user", row, fields)
    else:
        row = await existing(tx, UserRow, UserRow.username, username)
        if body.username is not None and body.username != username:
            await _check_username(tx, body.username)
        apply(tx, "user", row, fields)
    if body.password is not None:
        await set_password(tx, hashing, by, row, body.password)
        if username is not None:
            await end_sign_ins(tx, row)
    if body.allowed_users is not None:
        ids = await references.ids_named(tx.session, UserRow, body.allowed_users, "allowed_users")
        await set_links(tx, DelegateRow, "user_id", row.id, "delegate_id", ids)
    return str(row.username)


async def _check_username(tx: Transaction, username: str) -> None:
    """Refuse the name of a user, also of a deleted one: audit rows go on naming that person."""
    await taken(tx, UserRow.username, username)
    if await tx.session.scalar(sa.select(sa.exists().where(UserRow.username == username))):
        text = f"'{username}' was somebody who is deleted, and what they did stays under this name: choose another."
        raise Conflict(fields={"username": [text]})


async def save_membership(tx: Transaction, body: MembershipIn) -> Any:
    """Write a membership down; the same one twice is one, with the newer end and role."""
    user = await references.id_named(tx.session, UserRow, body.user, "user")
    lab = await references.id_named(tx.session, LabRow, body.lab, "lab")
    if body.end_date is not None and body.end_date < body.start_date:
        raise BadRequest(fields={"end_date": ["A membership does not end before it starts."]})
    found = await tx.session.execute(
        sa.select(MembershipRow).where(
            MembershipRow.user_id == user,
            MembershipRow.lab_id == lab,
            MembershipRow.start_date == body.start_date,
        )
    )
    row = found.scalar_one_or_none()
    changes = {"role": body.role, "end_date": body.end_date, "deleted_at": None}
    if row is None:
        row = MembershipRow(id=uuid4(), user_id=user, lab_id=lab, start_date=body.start_date, **changes)
        created(tx, "membership", row, {"user": body.user, "lab": body.lab, **changes})
    else:
        apply(tx, "membership", row, changes)
    await tx.session.flush()
    return row.id


async def save_project(tx: Transaction, body: ProjectIn, name: str | None = None) -> str:
    """Write a project down, or change the one of that name; its name afterwards."""
    fields = _given(body, "name", "description", "is_private")
    if name is None:
        if body.name is None:
            raise BadRequest(fields={"name": REQUIRED})
        await taken(tx, ProjectRow.name, body.name)
        row = ProjectRow(id=uuid4(), **fields)
        created(tx, "project", row, fields)
    else:
        row = await existing(tx, ProjectRow, ProjectRow.name, name)
        apply(tx, "project", row, fields)
    if body.users is not None:
        ids = await references.ids_named(tx.session, UserRow, body.users, "users")
        await set_links(tx, ProjectUserRow, "project_id", row.id, "user_id", ids)
    return str(row.name)


async def save_location(tx: Transaction, by: Principal, body: LocationIn, name: str | None = None) -> str:
    """Write a place down, or change the one of that name; its name afterwards. A lab's people change its places."""
    fields = _given(body, "name") | json_given(body)
    if body.lab is not None:
        fields["lab_id"] = await references.id_named(tx.session, LabRow, body.lab, "lab")
    if name is None:
        if body.name is None:
            raise BadRequest(fields={"name": REQUIRED})
        await taken(tx, LocationRow.name, body.name)
        row = LocationRow(id=uuid4(), **fields)
        created(tx, "location", row, fields)
    else:
        row = await existing(tx, LocationRow, LocationRow.name, name)
        for lab_id in {row.lab_id, fields.get("lab_id", row.lab_id)}:
            if not may_on(by, Permission.WRITE, SHARED if lab_id is None else Target(lab_id)):
                raise Forbidden(f"'{name}' is a place of another lab.")
        apply(tx, "location", row, fields)
    return str(row.name)


async def add_term(tx: Transaction, kind: Vocabulary, body: TermIn) -> str:
    """Add a word to a vocabulary; its name."""
    known = sa.exists().where(VocabularyRow.kind == kind, VocabularyRow.name == body.name)
    if await tx.session.scalar(sa.select(known)):
        raise Conflict(fields={"name": [f"'{body.name}' exists already."]})
    row = VocabularyRow(
        id=uuid4(),
        kind=kind,
        name=body.name,
        nickname=body.nickname,
        description=body.description,
        json=body.json_,
    )
    created(tx, kind, row, {"name": body.name})
    return body.name


async def delete_named(tx: Transaction, kind: Any, column: Any, name: str, by: Principal) -> None:
    """Take a lab, project or person out of sight."""
    row = await existing(tx, kind, column, name)
    if kind is UserRow and row.id == by.user_id:
        raise Conflict("You cannot delete yourself: let another administrator do it.")
    if kind is LabRow and await tx.session.scalar(
        sa.select(sa.exists().where(SubjectRow.lab_id == row.id, SubjectRow.deleted_at.is_(None)))
    ):
        raise Conflict(f"The lab '{name}' has animals: move them to another lab first.")
    deleted(tx, kind.__tablename__.removesuffix("s"), row)
