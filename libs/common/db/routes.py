"""The route classes: the caller and the query are checked before the body is read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.common.db.direct_routes import DirectRoute
from libs.common.db.idempotency import HEADER, Replay, keep_key, remember
from libs.common.db.query_parameters import add_field_notice, add_notice, is_strict, query_parameters
from libs.common.http import SAFE
from libs.common.problem import NOT_BLANK, NOT_NULL, REQUIRED, BadRequest, Forbidden, NotAuthenticated
from libs.common.schemas.unknown_fields import unknown_fields

if TYPE_CHECKING:
    from libs.common.db.transaction import Transaction
    from libs.common.permissions import Principal

MOST_VALUES = 100_000  # of a JSON body; 5,000 files with all their fields are 40,000
_BEFORE_VALUES = (b",", b"[", b"{")  # every value of a body but one follows one of them


def returns_secret(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route whose answer holds a secret: under its key no response is stored, and a repeat is ShownOnce."""
    route.__shows_a_secret__ = True  # type: ignore[attr-defined]
    return route


_Endpoint = Callable[..., Awaitable[Any]]


def reads_query_as(model: type[BaseModel]) -> Callable[[_Endpoint], _Endpoint]:
    """Mark a route that declares no query parameters, and reads the query as this model where there is no body."""

    def mark(route: _Endpoint) -> _Endpoint:
        route.__query_model__ = model  # type: ignore[attr-defined]
        return route

    return mark


class CheckedRoute(DirectRoute):
    """The route class that stores no responses: sign-in, account, and what only reads."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original = super().get_route_handler()
        check_caller = _caller_check(self)
        query = query_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            ignored = query.check(request)
            await _checked_body(request)
            with unknown_fields(refused=is_strict(request)) as fields:
                response = await original(request)
            return add_notice(add_field_notice(response, fields, ignored), ignored)

        return handler


class IdempotentRoute(DirectRoute):
    """The route class of every router whose writes go through `Tx`.

    (principal, key) → digest of method, path and body, status, body: stored in the transaction of the write itself,
    so there is no moment at which the one is known without the other.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original = super().get_route_handler()
        check_caller = _caller_check(self)
        query = query_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            ignored = query.check(request)
            body = await _checked_body(request)
            is_keyed = request.method not in SAFE and HEADER in request.headers
            if is_keyed:
                keep_key(request, body)
            try:
                with unknown_fields(refused=is_strict(request)) as fields:
                    response = await original(request)
            except Replay as before:
                return add_notice(before.response(), ignored)
            check_whole(self, request, body)
            add_field_notice(response, fields, ignored)
            if not is_keyed:
                return add_notice(response, ignored)
            tx: Transaction | None = getattr(request.state, "tx", None)
            if tx is not None:
                secret = getattr(self.endpoint, "__shows_a_secret__", False)
                shown_body = None if secret else bytes(response.body)
                headers = {} if secret else response.headers
                await remember(tx, request, response.status_code, shown_body, headers)
            return add_notice(response, ignored)

        return handler


class StreamedRoute(DirectRoute):
    """The route class where the body is too long to be read first.

    Its endpoint makes an `Once`, and its operation uses it within its own transaction.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original = super().get_route_handler()
        check_caller = _caller_check(self)
        query = query_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            ignored = query.check(request)
            try:
                return add_notice(await original(request), ignored)
            except Replay as before:
                return add_notice(before.response(), ignored)

        return handler


@runtime_checkable
class Need(Protocol):
    """A dependency of a route that decides who may call it: `libs.common.auth.Needs`."""

    def allows(self, principal: Principal, method: str) -> bool:
        """Whether a caller may call a route by this method."""


def needs_of(dependant: Dependant) -> list[Need]:
    """Every need of a route, those of its dependencies' dependencies too."""
    own: list[Need] = [dependant.call] if isinstance(dependant.call, Need) else []
    return own + [need for inner in dependant.dependencies for need in needs_of(inner)]


def _caller_check(route: APIRoute) -> Callable[[Request], None]:
    """A check that refuses callers before the body is read: FastAPI parses it before it calls dependencies."""
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
    """The body; one of too many values is refused, as parsing and validating it would block other requests."""
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "multipart/form-data":
        return body  # bytes of a file are no values
    if sum(map(body.count, _BEFORE_VALUES)) > MOST_VALUES:
        raise BadRequest(f"A body holds at most {MOST_VALUES:,} values: send it in several requests.")
    return body


def check_whole(route: APIRoute, request: Request, body: bytes) -> None:
    """Refuse a PUT without the fields that its body needs. Raises BadRequest, naming all of them.

    Call it once the endpoint has returned, as a missing row is 404 and another's is 403 whatever the body holds; the
    transaction, which is still open, is rolled back.
    """
    model = None if route.body_field is None else route.body_field.field_info.annotation
    needed = getattr(model, "needed_by_put", ())
    if request.method != "PUT" or not needed:
        return
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return  # the model refuses it, with the reason
    missing = missing_fields(fields, needed) if isinstance(fields, dict) else {}
    if missing:
        raise BadRequest(fields=missing)


def missing_fields(fields: Mapping[str, Any], needed: Iterable[str]) -> dict[str, list[str]]:
    """What a body lacks, by field: an absent one, null and an empty text, with Alyx's texts.

    >>> missing_fields({"name": "", "number": 0}, ["subject", "name", "number"])
    {'subject': ['This field is required.'], 'name': ['This field may not be blank.']}
    """
    return {
        name: REQUIRED if name not in fields else NOT_NULL if fields[name] is None else NOT_BLANK
        for name in needed
        if fields.get(name) in (None, "")
    }
