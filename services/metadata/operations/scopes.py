"""Scopes as people write them, by name or id. Tokens store ids, so that a scope survives a renaming."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from libs.common.db.sessions import ReadSession
from libs.common.permissions import Principal
from libs.common.scopes import BadScope, Permission, Scope, split_scope
from libs.common.visibility import visibility
from services.metadata.domain import scopes as rules
from services.metadata.queries import scopes as queries


async def parse_scopes(session: ReadSession, by: Principal, texts: Sequence[str]) -> list[Scope]:
    """The scopes of a token to be created.

    Raises BadRequest for text that is not a scope and for names that the caller does not see, Forbidden for what the
    caller may not do.
    """
    scopes = [await _parse(session, by, text) for text in dict.fromkeys(texts)]
    return list(dict.fromkeys(scopes))


async def _parse(session: ReadSession, by: Principal, text: str) -> Scope:
    try:
        area, name, word = split_scope(text)
    except BadScope:
        raise rules.unknown_scope(text) from None
    permission = Permission(word)
    if area is None:
        return rules.check_scope(by, Scope(permission), text)
    object_id = await queries.find_id(session, visibility(by), area, name)
    if object_id is None:
        raise rules.unknown_object(by, area, name, permission, text)
    return rules.check_scope(by, rules.scope_within(area, object_id, permission), text)


async def scope_texts(
    session: ReadSession, by: Principal, stored: Iterable[Sequence[str] | None]
) -> list[list[str] | None]:
    """The scopes of tokens, with names in place of ids where the caller sees the object."""
    tokens = [None if texts is None else [Scope.parse(text) for text in texts] for texts in stored]
    names: dict[UUID, str] = {}
    for area in rules.AREAS:
        limits = (rules.limit_of(scope, area) for scopes in tokens for scope in scopes or ())
        ids = {limit for limit in limits if limit is not None}
        names |= await queries.fetch_names(session, visibility(by), area, ids)
    return [
        None if scopes is None else [rules.scope_text(scope, names) for scope in scopes] for scopes in tokens
    ]
