"""The route classes: a stranger's body is not read, and a write sent twice under one `Idempotency-Key` happens once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import sqlalchemy as sa
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.dialects.postgresql import insert

from libs.common.problem import BadRequest, Forbidden, KeyReused, NotAuthenticated, ShownOnce

if TYPE_CHECKING:
    from libs.common.db.transaction import Transaction
    from libs.common.permissions import Principal

HEADER = "idempotency-key"
KEPT_DAYS = 30
LONGEST_KEY = 200
MOST_VALUES = 100_000  # of a JSON body; 5,000 files with all that can be said of them are 40,000
_BEFORE_VALUES = (b",", b"[", b"{")  # every value of a body but one follows one of them
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Replay(Exception):
    """The request was answered before; `status` and `body` are that answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__()
        self.status = status
        self.body = body

    def response(self) -> Response:
        """That answer, once more."""
        kind = "application/json" if self.body else None
        headers = {"Idempotency-Replayed": "true"}
        return Response(self.body, self.status, media_type=kind, headers=headers)


def shows_a_secret(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route whose answer holds a secret: under its key only the fact is kept, and a repeat is ShownOnce."""
    route.__shows_a_secret__ = True  # type: ignore[attr-defined]
    return route


class CheckedRoute(APIRoute):
    """The route class where no answer is kept: sign-in, account, and what only reads."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            await _checked_body(request)
            return await original(request)

        return handler


class IdempotentRoute(APIRoute):
    """The route class of every router whose writes go through `Tx`.

    (principal, key) → digest of method, path and body, status, body: stored in the transaction of the write itself,
    so there is no moment at which the one is known without the other.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            body = await _checked_body(request)
            if request.method in SAFE or HEADER not in request.headers:
                return await original(request)
            keep_key(request, body)
            try:
                response = await original(request)
            except Replay as before:
                return before.response()
            tx: Transaction | None = getattr(request.state, "tx", None)
            if tx is not None:
                secret = getattr(self.endpoint, "__shows_a_secret__", False)
                told = None if secret else bytes(response.body)
                await remember(tx, request, response.status_code, told)
            return response

        return handler


class StreamedRoute(APIRoute):
    """The route class where the body is too long to be read first.

    Its endpoint makes an `Once`, and its operation uses it within its own transaction.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            try:
                return await original(request)
            except Replay as before:
                return before.response()

        return handler


@runtime_checkable
class Need(Protocol):
    """A dependency of a route that says who may call it: `libs.common.auth.Needs`."""

    def allows(self, who: Principal, method: str) -> bool:
        """Whether a caller may call a route by this method."""


def needs_of(dependant: Dependant) -> list[Need]:
    """Every need of a route, those of its dependencies' dependencies too."""
    own: list[Need] = [dependant.call] if isinstance(dependant.call, Need) else []
    return own + [need for inner in dependant.dependencies for need in needs_of(inner)]


def _caller_check(route: APIRoute) -> Callable[[Request], None]:
    """What refuses who may not call a route before its body is read: FastAPI parses it before it asks who calls."""
    is_open = getattr(route.endpoint, "__open_to_all__", False)
    needs = needs_of(route.dependant)

    def check(request: Request) -> None:
        if is_open:
            return
        principal = getattr(request.state, "principal", None)
        if principal is None:
            raise NotAuthenticated
        if not all(need.allows(principal, request.method) for need in needs):
            raise Forbidden

    return check


async def _checked_body(request: Request) -> bytes:
    """The body, of no more values than can be parsed, and told what is wrong with, while others wait."""
    body = await request.body()
    if sum(map(body.count, _BEFORE_VALUES)) > MOST_VALUES:
        raise BadRequest(f"A body holds at most {MOST_VALUES:,} values: send it in several requests.")
    return body


class Once:
    """The key of a streamed request; `told` is what of its body makes it this request and no other."""

    def __init__(self, request: Request, told: bytes) -> None:
        keep_key(request, told)
        self.request = request

    async def claim(self, tx: Transaction) -> None:
        """First in the transaction; see `claim_key`."""
        await claim_key(tx, self.request)

    async def remember(self, tx: Transaction, status: int, body: bytes) -> None:
        """Last in the transaction: the answer that a repeat will get."""
        await remember(tx, self.request, status, body)


def keep_key(request: Request, told: bytes) -> None:
    """Note the request's key, if it has one; `told` is what of its body makes it this request and no other."""
    key = request.headers.get(HEADER)
    if key is None:
        return
    if not 0 < len(key) <= LONGEST_KEY:
        raise BadRequest(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
    who = getattr(request.state, "principal", None)
    # A token of other scopes gets no answer that was meant for a wider one of the same person.
    scopes = "" if who is None or who.scopes is None else " ".join(sorted(map(str, who.scopes))) + "\n"
    about = f"{request.method} {request.url.path}?{request.url.query}\n{scopes}".encode()
    request.state.idempotency = (key, hashlib.sha256(about + told).digest())


def _key_of(request: Request) -> tuple[str, bytes] | None:
    kept: tuple[str, bytes] | None = getattr(request.state, "idempotency", None)
    return kept


async def claim_key(tx: Transaction, request: Request) -> None:
    """Take the request's key inside its transaction; raises Replay, ShownOnce or KeyReused if it was used before.

    Two at once: the second waits on the primary key until the first is committed or undone.
    """
    asked = _key_of(request)
    if asked is None:
        return
    key, digest = asked
    table = tx.tables.idempotency
    who = _who(tx)
    taken = await tx.session.execute(
        insert(table)
        .values(principal=who, key=key, digest=digest)
        .on_conflict_do_nothing()
        .returning(table.c.key)
    )
    if taken.first() is not None:
        return
    row = (
        await tx.session.execute(
            sa.select(table.c.digest, table.c.status, table.c.body).where(
                table.c.principal == who, table.c.key == key
            )
        )
    ).one()
    if bytes(row.digest) != digest:
        raise KeyReused
    if row.body is None:
        raise ShownOnce
    raise Replay(row.status, bytes(row.body))


async def remember(tx: Transaction, request: Request, status: int, body: bytes | None) -> None:
    """Write the answer beside the key that `claim_key` took in this transaction; no body for one that is a secret."""
    asked = _key_of(request)
    if asked is None:
        return
    table = tx.tables.idempotency
    await tx.session.execute(
        table.update()
        .where(table.c.principal == _who(tx), table.c.key == asked[0])
        .values(status=status, body=body)
    )


def _who(tx: Transaction) -> str:
    return str(tx.by.user_id) if tx.by else "anonymous"


async def forget_old(tx: Transaction) -> None:
    """Drop keys older than 30 days."""
    table = tx.tables.idempotency
    await tx.session.execute(
        table.delete().where(table.c.created_at < sa.func.now() - sa.text(f"interval '{KEPT_DAYS} days'"))
    )
