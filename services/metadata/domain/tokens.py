"""Tokens: how they are derived and stored, what a new one may carry, and which ones a caller may see."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden
from libs.common.scopes import Permission, Scope

NOT_FOR_WORKERS: Final = frozenset({Permission.ADMIN, Permission.RELEASE})


def login_token(secret: str, user_id: UUID, generation: int) -> str:
    """The token of `/auth-token`: 40 hex digits, the same at every log-in of one generation.

    Clients of Alyx store it in a file and expect it to stay valid; raising the generation revokes it.

    >>> len(login_token("secret", UUID("00000000-0000-4000-8000-000000000001"), 1))
    40
    """
    message = f"login:{user_id}:{generation}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:40]


def token_hash(secret: str, token: str) -> str:
    """How a token is stored: hex of HMAC-SHA256 under the system's secret.

    >>> token_hash("secret", "abc") == token_hash("secret", "abc")
    True
    """
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def check_new_token(
    by: Principal, kind: str, permissions: Collection[Permission], expires_at: datetime | None
) -> None:
    """Raise Forbidden or BadRequest for a token that the caller must not create.

    A token ends no later than the token it was created with. Only a worker proves what it stores, and no worker
    administers: its token does not expire, and is a file on a machine.
    """
    if kind == "worker" and not by.is_superuser:
        raise Forbidden("Only an administrator can enrol a worker.")
    if kind != "worker" and Permission.PROVE in permissions:
        raise BadRequest(
            fields={"scopes": ["Only workers have the permission `prove`: create a token of kind worker."]}
        )
    if kind == "worker" and NOT_FOR_WORKERS.intersection(permissions):
        raise BadRequest(
            fields={
                "scopes": [
                    "A worker cannot have the permission `admin`: create a personal token that expires."
                ]
            }
        )
    if by.until is not None and (expires_at is None or expires_at > by.until):
        text = f"Must not be later than the end of the token in use, {by.until.isoformat()}."
        raise BadRequest(fields={"expires_at": [text]})


def parent_token_id(by: Principal) -> UUID | None:
    """The token that a new token of the caller is revoked with; None after a sign-in, which is not narrowed."""
    return None if by.scopes is None else by.token_id


def is_visible_to(by: Principal, scopes: Sequence[str] | None) -> bool:
    """Whether a caller may see an own token of these scopes: a narrowed token sees none that reaches further.

    >>> from uuid import uuid4
    >>> reader = Principal(uuid4(), "ada", scopes=frozenset({Scope(Permission.READ)}))
    >>> [is_visible_to(reader, scopes) for scopes in (["read"], ["write"], None)]
    [True, False, False]
    """
    if by.scopes is None:
        return True
    reach = [Scope.parse(text) for text in scopes or ()]
    return scopes is not None and all(
        scope in by.scopes or Scope(scope.permission) in by.scopes for scope in reach
    )
