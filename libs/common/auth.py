"""The caller's identity, from the gateway to the operation.

The gateway verifies the caller's credentials and signs an inner identity (Ed25519, at most 60 s, one service as its
audience, ids and scopes only). Every service verifies it by itself, so a forged header is refused.
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
from libs.common.visibility import Visibility, anonymous_visibility, visibility

HEADER = "x-cingulum-identity"
LIFE_S = 60
LEEWAY_S = 60  # the clocks of two nodes may differ by so much, either way
REMEMBERED_S = 5
_ALGORITHM = "EdDSA"
_REMEMBERED = 1_000


def sign_identity(principal: Principal, audience: Service, signing_key: str, *, now: float) -> str:
    """An inner identity for one service, good for 60 s."""
    claims: dict[str, Any] = {
        "sub": str(principal.user_id),
        "aud": str(audience),
        "iat": int(now),
        "exp": int(now) + LIFE_S,
        "name": principal.username,
        "super": principal.is_superuser,
        "stock": principal.is_stock_manager,
        "public": principal.is_public,
        "labs": sorted(map(str, principal.labs)),
        "projects": sorted(map(str, principal.projects)),
        "delegators": sorted(map(str, principal.delegators)),
        "scopes": None if principal.scopes is None else sorted(map(str, principal.scopes)),
        "until": None if principal.until is None else principal.until.isoformat(),
        "token": None if principal.token_id is None else str(principal.token_id),
        "address": principal.address,
    }
    return jwt.encode(claims, signing_key, algorithm=_ALGORITHM)


def read_identity(token: str, audience: Service, verify_key: str) -> Principal:
    """The caller that an inner identity names. Raises jwt.InvalidTokenError if it is forged, stale or for another."""
    claims = jwt.decode(
        token,
        verify_key,
        algorithms=[_ALGORITHM],
        audience=str(audience),
        leeway=LEEWAY_S,
        options={"require": ["exp", "iat", "aud", "sub"]},
    )
    return Principal(
        user_id=UUID(claims["sub"]),
        username=str(claims["name"]),
        is_superuser=bool(claims["super"]),
        is_stock_manager=bool(claims["stock"]),
        is_public=bool(claims["public"]),
        labs=frozenset(map(UUID, claims["labs"])),
        projects=frozenset(map(UUID, claims["projects"])),
        delegators=frozenset(map(UUID, claims["delegators"])),
        scopes=None if claims["scopes"] is None else frozenset(map(Scope.parse, claims["scopes"])),
        until=None if claims["until"] is None else datetime.fromisoformat(claims["until"]),
        # An older gateway sends neither, while a system is upgraded.
        token_id=None if claims.get("token") is None else UUID(claims["token"]),
        address=str(claims.get("address", "")),
    )


class IdentityMiddleware:
    """ASGI: put the verified caller into `request.state.principal`; None without an account."""

    def __init__(self, app: ASGIApp, service: Service, verify_key: str) -> None:
        self.app = app
        self.service = service
        self.verify_key = verify_key
        self._known: Recent[str, Principal] = Recent(_REMEMBERED)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(HEADER.encode())
            principal = self._caller(sent.decode("latin-1")) if sent else None
            scope.setdefault("state", {})["principal"] = principal
            caller.set(principal.user_id if principal else None)
        await self.app(scope, receive, send)

    def _caller(self, token: str) -> Principal | None:
        known = self._known.get(token)
        if known is not None:
            return known
        try:
            principal = read_identity(token, self.service, self.verify_key)
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return None
        self._known.put(token, principal, REMEMBERED_S)
        return principal


class Needs:
    """The dependency behind `requires`: the matrix test calls `allows`."""

    def __init__(self, permission: Permission, target: Target | None = None) -> None:
        self.permission = permission
        self.target = target

    def allows(self, principal: Principal, method: str) -> bool:
        """Whether a caller may call a route by this method; a token that only reads changes nothing on any route.

        What only administrators read needs a token with that permission whose scopes are not narrowed.
        """
        if method not in SAFE and is_read_only(principal):
            return False
        if method in SAFE and self.permission is Permission.ADMIN and not may_oversee(principal):
            return False
        return (
            may(principal, self.permission)
            if self.target is None
            else may_on(principal, self.permission, self.target)
        )

    async def __call__(self, request: Request) -> Principal:
        principal: Principal | None = getattr(request.state, "principal", None)
        if principal is None:
            raise NotAuthenticated
        if not self.allows(principal, request.method):
            raise Forbidden
        return principal


def requires(permission: Permission, target: Target | None = None) -> Any:
    """Who may call a route, as part of its signature: `by: Annotated[Principal, requires(Permission.WRITE)]`.

    With a target that is the whole decision; without one the operation calls `may_on` for each object it changes.
    """
    return Depends(Needs(permission, target))


async def check_administrator(_tx: object, by: Principal, _visibility: Visibility, _row_id: UUID) -> None:
    """Raises Forbidden unless the caller may delete what belongs to all labs: the rule of `Admin`, for an undo."""
    if not may_on(by, Permission.ADMIN, SHARED):
        raise Forbidden


Reader = Annotated[Principal, requires(Permission.READ)]
Editor = Annotated[Principal, requires(Permission.WRITE)]
Registrar = Annotated[Principal, requires(Permission.REGISTER)]
Mover = Annotated[Principal, requires(Permission.TRANSFER)]
Releaser = Annotated[Principal, requires(Permission.RELEASE)]
Working = Annotated[Principal, requires(Permission.WORK)]
Admin = Annotated[Principal, requires(Permission.ADMIN, SHARED)]
SharedEditor = Annotated[Principal, requires(Permission.WRITE, SHARED)]
Prover = Annotated[Principal, requires(Permission.PROVE)]


async def caller_visibility(by: Reader) -> Visibility:
    """What the caller may see."""
    return visibility(by)


Sees = Annotated[Visibility, Depends(caller_visibility)]


async def open_visibility(request: Request) -> Visibility:
    """On a route that needs no account: what the caller may see, or what is public."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or not may(principal, Permission.READ):
        return anonymous_visibility()
    return visibility(principal)


SeesOpenly = Annotated[Visibility, Depends(open_visibility)]


def open_to_all(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route that needs no account; the matrix test refuses a route with neither mark nor `requires`."""
    route.__open_to_all__ = True  # type: ignore[attr-defined]
    return route
