"""Who is asking, from the gateway to the operation.

The gateway verifies the caller's credentials and signs an inner identity (Ed25519, at most 60 s, one service as its
audience, ids and scopes only). Every service verifies it by itself, so a forged header is worth nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from libs.common.catalogue import Service
from libs.common.http import SAFE
from libs.common.memory import Recent
from libs.common.observability import caller
from libs.common.permissions import SHARED, Principal, Target, is_read_only, may, may_on, may_oversee
from libs.common.problem import Forbidden, NotAuthenticated
from libs.common.scopes import Permission, Scope
from libs.common.visibility import Visibility, visibility

HEADER = "x-cingulum-identity"
LIFE_S = 60
LEEWAY_S = 60  # the clocks of two nodes may differ by so much, either way
REMEMBERED_S = 5
_ALGORITHM = "EdDSA"
_REMEMBERED = 1_000


def sign_identity(who: Principal, audience: Service, signing_key: str, *, now: float) -> str:
    """An inner identity for one service, good for 60 s."""
    told: dict[str, Any] = {
        "sub": str(who.user_id),
        "aud": str(audience),
        "iat": int(now),
        "exp": int(now) + LIFE_S,
        "name": who.username,
        "super": who.is_superuser,
        "stock": who.is_stock_manager,
        "public": who.is_public,
        "labs": sorted(map(str, who.labs)),
        "projects": sorted(map(str, who.projects)),
        "delegators": sorted(map(str, who.delegators)),
        "scopes": None if who.scopes is None else sorted(map(str, who.scopes)),
        "until": None if who.until is None else who.until.isoformat(),
        "token": None if who.token_id is None else str(who.token_id),
        "address": who.address,
    }
    return jwt.encode(told, signing_key, algorithm=_ALGORITHM)


def read_identity(token: str, audience: Service, verify_key: str) -> Principal:
    """The caller that an inner identity names. Raises jwt.InvalidTokenError if it is forged, stale or for another."""
    told = jwt.decode(
        token,
        verify_key,
        algorithms=[_ALGORITHM],
        audience=str(audience),
        leeway=LEEWAY_S,
        options={"require": ["exp", "iat", "aud", "sub"]},
    )
    return Principal(
        user_id=UUID(told["sub"]),
        username=str(told["name"]),
        is_superuser=bool(told["super"]),
        is_stock_manager=bool(told["stock"]),
        is_public=bool(told["public"]),
        labs=frozenset(map(UUID, told["labs"])),
        projects=frozenset(map(UUID, told["projects"])),
        delegators=frozenset(map(UUID, told["delegators"])),
        scopes=None if told["scopes"] is None else frozenset(map(Scope.parse, told["scopes"])),
        until=None if told["until"] is None else datetime.fromisoformat(told["until"]),
        # An older gateway sends neither, while a system is upgraded.
        token_id=None if told.get("token") is None else UUID(told["token"]),
        address=str(told.get("address", "")),
    )


class Identified:
    """ASGI: put the verified caller into `request.state.principal`; None for a stranger."""

    def __init__(self, app: ASGIApp, service: Service, verify_key: str) -> None:
        self.app = app
        self.service = service
        self.verify_key = verify_key
        self._known: Recent[str, Principal] = Recent(_REMEMBERED)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(HEADER.encode())
            who = self._caller(sent.decode("latin-1")) if sent else None
            scope.setdefault("state", {})["principal"] = who
            caller.set(who.user_id if who else None)
        await self.app(scope, receive, send)

    def _caller(self, token: str) -> Principal | None:
        known = self._known.get(token)
        if known is not None:
            return known
        try:
            who = read_identity(token, self.service, self.verify_key)
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return None
        self._known.put(token, who, REMEMBERED_S)
        return who


class Needs:
    """The dependency behind `requires`: the matrix test asks `allows`."""

    def __init__(self, permission: Permission, target: Target | None = None) -> None:
        self.permission = permission
        self.target = target

    def allows(self, who: Principal, method: str) -> bool:
        """Whether a caller may call a route by this method; a token that only reads changes nothing on any route.

        What only administrators read, a token reads with the permission for it, and if it is not narrowed.
        """
        if method not in SAFE and is_read_only(who):
            return False
        if method in SAFE and self.permission is Permission.ADMIN and not may_oversee(who):
            return False
        return may(who, self.permission) if self.target is None else may_on(who, self.permission, self.target)

    async def __call__(self, request: Request) -> Principal:
        who: Principal | None = getattr(request.state, "principal", None)
        if who is None:
            raise NotAuthenticated
        if not self.allows(who, request.method):
            raise Forbidden
        return who


def requires(permission: Permission, target: Target | None = None) -> Any:
    """Who may call a route, as part of its signature: `by: Annotated[Principal, requires(Permission.WRITE)]`.

    With a target that is the whole decision; without one the operation asks `may_on` about each object it changes.
    """
    return Depends(Needs(permission, target))


Reader = Annotated[Principal, requires(Permission.READ)]
Editor = Annotated[Principal, requires(Permission.WRITE)]
Registrar = Annotated[Principal, requires(Permission.REGISTER)]
Mover = Annotated[Principal, requires(Permission.TRANSFER)]
Working = Annotated[Principal, requires(Permission.WORK)]
Admin = Annotated[Principal, requires(Permission.ADMIN, SHARED)]
SharedEditor = Annotated[Principal, requires(Permission.WRITE, SHARED)]
Prover = Annotated[Principal, requires(Permission.PROVE)]


async def seen_by(by: Reader) -> Visibility:
    """What the caller may see."""
    return visibility(by)


Sees = Annotated[Visibility, Depends(seen_by)]


def open_to_all(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route that strangers may call; the matrix test refuses a route with neither mark nor `requires`."""
    route.__open_to_all__ = True  # type: ignore[attr-defined]
    return route
