"""Scopes as people write and read them: with names of labs, projects and repositories in place of ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from libs.common.permissions import Principal, may_hand_on
from libs.common.problem import BadRequest, Forbidden, UnknownReference
from libs.common.scopes import Permission, Scope

AREAS: Final = ("lab", "project", "repository")
"""What a scope can be limited to."""


def scope_within(area: str, object_id: UUID, permission: Permission) -> Scope:
    """A scope limited to one lab, project or repository."""
    return Scope(permission, **{f"{area}_id": object_id})


def check_scope(by: Principal, scope: Scope, text: str) -> Scope:
    """A scope that the caller may give to a token. Raises Forbidden."""
    if not may_hand_on(by, scope):
        raise _forbidden(text)
    return scope


def unknown_scope(text: str) -> BadRequest:
    """The problem of a text that is not a scope."""
    permissions = ", ".join(permission for permission in Permission if permission is not Permission.PROVE)
    message = (
        f"'{text}' is not a scope: use one of {permissions}, optionally limited to a lab or project by name or id, "
        "as lab:hilllab:register; or repository:<name>:prove."
    )
    return BadRequest(fields={"scopes": [message]})


def unknown_object(
    by: Principal, area: str, name: str, permission: Permission, text: str
) -> BadRequest | Forbidden:
    """The problem of a scope whose object the caller does not see.

    An id that the caller's role and token do not reach is forbidden whether it exists or not.
    """
    if is_uuid(name) and not may_hand_on(by, scope_within(area, UUID(name), permission)):
        return _forbidden(text)
    return UnknownReference("scopes", name)


def _forbidden(text: str) -> Forbidden:
    return Forbidden(f"You cannot create a token with '{text}': you, or the token in use, may not do that.")


def limit_of(scope: Scope, area: str) -> UUID | None:
    """The id of the lab, project or repository that a scope is limited to."""
    limit: UUID | None = getattr(scope, f"{area}_id")
    return limit


def scope_text(scope: Scope, names: Mapping[UUID, str]) -> str:
    """A scope with a name in place of the id; a name that looks like an id would be read as one, so the id stays.

    >>> lab_id = UUID(int=1)
    >>> scope_text(Scope(Permission.READ, lab_id=lab_id), {lab_id: "hilllab"})
    'lab:hilllab:read'
    """
    for area in AREAS:
        limit = limit_of(scope, area)
        if limit is not None and limit in names and not is_uuid(names[limit]):
            return f"{area}:{names[limit]}:{scope.permission}"
    return str(scope)


def is_uuid(text: str) -> bool:
    """Whether a text is read as an id.

    >>> is_uuid("hilllab"), is_uuid("00000000-0000-4000-8000-000000000001")
    (False, True)
    """
    try:
        UUID(text)
    except ValueError:
        return False
    return True
