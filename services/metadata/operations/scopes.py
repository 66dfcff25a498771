"""Scopes as people write them: by name or id. Tokens keep ids, so that a scope survives a renaming."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Principal, may_hand_on
from libs.common.problem import BadRequest, Forbidden
from libs.common.scopes import BadScope, Permission, Scope, split_scope
from libs.common.visibility import visibility
from services.metadata.queries import scopes as queries
from services.metadata.queries.references import unknown


async def scopes_named(session: AsyncSession, by: Principal, texts: Sequence[str]) -> list[Scope]:
    """The scopes of a token to be made.

    Raises BadRequest for a text that is no scope and for a name that the caller may not know of, Forbidden for what
    the caller may not do.
    """
    wanted = [await _scope_named(session, by, text) for text in dict.fromkeys(texts)]
    return list(dict.fromkeys(wanted))


async def _scope_named(session: AsyncSession, by: Principal, text: str) -> Scope:
    try:
        within, name, word = split_scope(text)
    except BadScope:
        words = ", ".join(permission for permission in Permission if permission is not Permission.PROVE)
        raise BadRequest(
            fields={
                "scopes": [
                    f"'{text}' is no scope: write one of {words}, perhaps within a lab or project by name or id, as "
                    "lab:hilllab:register; or repository:<name>:prove."
                ]
            }
        ) from None
    permission = Permission(word)
    if within is None:
        return _handed_on(by, Scope(permission), text)
    found = await queries.id_of(session, visibility(by), within, name)
    if found is None:
        raise _refusal(by, within, name, permission, text)
    return _handed_on(by, _scope(within, found, permission), text)


def _scope(within: str, which: UUID, permission: Permission) -> Scope:
    return Scope(permission, **{f"{within}_id": which})


def _refusal(
    by: Principal, within: str, name: str, permission: Permission, text: str
) -> BadRequest | Forbidden:
    """An id that the caller's own role and token do not reach is refused, whether it exists or not."""
    try:
        if not may_hand_on(by, _scope(within, UUID(name), permission)):
            return _forbidden(text)
    except ValueError:
        pass  # a name
    return unknown("scopes", "name", name)


def _handed_on(by: Principal, scope: Scope, text: str) -> Scope:
    if not may_hand_on(by, scope):
        raise _forbidden(text)
    return scope


def _forbidden(text: str) -> Forbidden:
    return Forbidden(
        f"No token of yours can carry '{text}': you may not do that, or not with the token in use."
    )


async def scopes_shown(
    session: AsyncSession, by: Principal, kept: Iterable[Sequence[str] | None]
) -> list[list[str] | None]:
    """The scopes of tokens with names in the place of ids, where there is one that the caller may know of."""
    tokens = [None if texts is None else [Scope.parse(text) for text in texts] for texts in kept]
    seen = visibility(by)
    names: dict[UUID, str] = {}
    for within in queries.WITHIN:
        found = (getattr(scope, f"{within}_id") for scopes in tokens for scope in scopes or ())
        names |= await queries.names_of(session, seen, within, {one for one in found if one is not None})
    return [None if scopes is None else [_shown(scope, names) for scope in scopes] for scopes in tokens]


def _shown(scope: Scope, names: dict[UUID, str]) -> str:
    """A scope with a name; one that looks like an id would be read as one, and stays an id."""
    for within in queries.WITHIN:
        which = getattr(scope, f"{within}_id")
        if which in names and not _is_id(names[which]):
            return f"{within}:{names[which]}:{scope.permission}"
    return str(scope)


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
