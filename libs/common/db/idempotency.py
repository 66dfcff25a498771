"""A write sent twice under one `Idempotency-Key` happens once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Protocol

import sqlalchemy as sa
from fastapi import Request, Response
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.query_parameters import NOTICE
from libs.common.db.sessions import WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, KeyReused, ShownOnce

HEADER = "idempotency-key"
KEPT_DAYS = 30
LONGEST_KEY = 200
REPLAYED: Final = ("Location", "Link", NOTICE, "Preference-Applied", "Retry-After")
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Replay(Exception):
    """The request was answered before; `status`, `body` and `headers` are that response."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.status = status
        self.body = body
        self.headers = headers

    def response(self) -> Response:
        """The stored response."""
        kind = "application/json" if self.body else None
        headers = {**self.headers, "Idempotency-Replayed": "true"}
        return Response(self.body, self.status, media_type=kind, headers=headers)


class KeyedTransaction(Protocol):
    """What idempotency keys need of a transaction."""

    session: WriteSession
    tables: Infrastructure

    @property
    def by(self) -> Principal | None:
        """The caller."""


class Once:
    """The key of a streamed request; `content` is the part of its body that identifies it."""

    def __init__(self, request: Request, content: bytes) -> None:
        keep_key(request, content)
        self.request = request

    async def claim(self, tx: KeyedTransaction) -> None:
        """First in the transaction; see `claim_key`."""
        await claim_key(tx, self.request)

    async def remember(self, tx: KeyedTransaction, status: int, body: bytes) -> None:
        """Last in the transaction: the answer that a repeat will get."""
        await remember(tx, self.request, status, body)


def keep_key(request: Request, content: bytes) -> None:
    """Remember the request's key, if it has one; `content` is the part of its body that identifies it."""
    key = request.headers.get(HEADER)
    if key is None:
        return
    if not 0 < len(key) <= LONGEST_KEY:
        raise BadRequest(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
    principal = getattr(request.state, "principal", None)
    # A token of other scopes gets no answer that was meant for a wider one of the same person.
    scopes = (
        ""
        if principal is None or principal.scopes is None
        else " ".join(sorted(map(str, principal.scopes))) + "\n"
    )
    about = f"{request.method} {request.url.path}?{request.url.query}\n{scopes}".encode()
    request.state.idempotency = (key, hashlib.sha256(about + content).digest())


def has_key(request: Request) -> bool:
    """Whether the client has chosen itself, by a key, what is the same request."""
    return HEADER in request.headers


def _key_of(request: Request) -> tuple[str, bytes] | None:
    stored: tuple[str, bytes] | None = getattr(request.state, "idempotency", None)
    return stored


async def claim_key(tx: KeyedTransaction, request: Request) -> None:
    """Claim the request's key inside its transaction; raises Replay, ShownOnce or KeyReused if it was used before.

    Two at once: the second waits on the primary key until the first is committed or rolled back.
    """
    claimed = _key_of(request)
    if claimed is None:
        return
    key, digest = claimed
    table = tx.tables.idempotency
    principal = _principal_of(tx)
    if await execute_prepared(tx.session, _claim(table), principal=principal, key=key, digest=digest):
        return
    row = (
        await tx.session.execute(
            sa.select(table.c.digest, table.c.status, table.c.body, table.c.headers).where(
                table.c.principal == principal, table.c.key == key
            )
        )
    ).one()
    if bytes(row.digest) != digest:
        raise KeyReused
    if row.body is None:
        raise ShownOnce
    raise Replay(row.status, bytes(row.body), row.headers or {})


async def remember(
    tx: KeyedTransaction,
    request: Request,
    status: int,
    body: bytes | None,
    headers: Mapping[str, str] = NO_HEADERS,
) -> None:
    """Store the response with the key that `claim_key` took in this transaction; no body for one that is a secret."""
    claimed = _key_of(request)
    if claimed is None:
        return
    response = {"new_status": status, "new_body": body, "new_headers": _replayed(headers)}
    about = {"by": _principal_of(tx), "claimed": claimed[0]}
    await execute_prepared(tx.session, _remember(tx.tables.idempotency), **about, **response)


@cache
def _claim(table: sa.Table) -> ReturningInsert[Any]:
    values = {name: request_value(name, table.c[name].type) for name in ("principal", "key", "digest")}
    return insert(table).values(values).on_conflict_do_nothing().returning(table.c.key)


@cache
def _remember(table: sa.Table) -> sa.Update:
    names = ("status", "body", "headers")
    return (
        table.update()
        .where(table.c.principal == request_value("by", sa.Text()))
        .where(table.c.key == request_value("claimed", sa.Text()))
        .values({name: request_value(f"new_{name}", table.c[name].type) for name in names})
    )


def _replayed(headers: Mapping[str, str]) -> dict[str, str] | None:
    """Those of a response's headers that a repeat gets: what happened, not how this response was sent."""
    return {name: headers[name] for name in REPLAYED if name in headers} or None


def _principal_of(tx: KeyedTransaction) -> str:
    return str(tx.by.user_id) if tx.by else "anonymous"


async def forget_old(tx: KeyedTransaction) -> None:
    """Drop keys older than 30 days."""
    table = tx.tables.idempotency
    await tx.session.execute(
        table.delete().where(table.c.created_at < sa.func.now() - sa.text(f"interval '{KEPT_DAYS} days'"))
    )
