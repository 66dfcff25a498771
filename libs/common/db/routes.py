"""The route classes: callers are checked before the body is read, and ignored query parameters are reported."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.common.db.idempotency import HEADER, Replay, keep_key, remember
from libs.common.http import SAFE
from libs.common.problem import NOT_BLANK, NOT_NULL, REQUIRED, BadRequest, Forbidden, NotAuthenticated

if TYPE_CHECKING:
    from libs.common.db.transaction import Transaction
    from libs.common.permissions import Principal

MOST_VALUES = 100_000  # of a JSON body; 5,000 files with all their fields are 40,000
_BEFORE_VALUES = (b",", b"[", b"{")  # every value of a body but one follows one of them
NOTICE = "Alyx-API-Notice"
MOST_NAMES = 10  # in a notice
LONGEST_NAME = 50


def returns_secret(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route whose answer holds a secret: under its key no response is stored, and a repeat is ShownOnce."""
    route.__shows_a_secret__ = True  # type: ignore[attr-defined]
    return route


def reads_query_itself(route: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Mark a route that declares no query parameters and reads them all: none of them is reported as ignored."""
    route.__reads_query_itself__ = True  # type: ignore[attr-defined]
    return route


class CheckedRoute(APIRoute):
    """The route class that stores no responses: sign-in, account, and what only reads."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)
        declared = declared_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            _refuse_dry_run(request, declared)
            await _checked_body(request)
            return with_notice(request, declared, await original(request))

        return handler


class IdempotentRoute(APIRoute):
    """The route class of every router whose writes go through `Tx`.

    (principal, key) → digest of method, path and body, status, body: stored in the transaction of the write itself,
    so there is no moment at which the one is known without the other.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)
        declared = declared_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            _refuse_dry_run(request, declared)
            body = await _checked_body(request)
            if request.method in SAFE or HEADER not in request.headers:
                response = await original(request)
                check_whole(self, request, body)
                return with_notice(request, declared, response)
            keep_key(request, body)
            try:
                response = await original(request)
            except Replay as before:
                return before.response()
            check_whole(self, request, body)
            tx: Transaction | None = getattr(request.state, "tx", None)
            if tx is not None:
                secret = getattr(self.endpoint, "__shows_a_secret__", False)
                shown_body = None if secret else bytes(response.body)
                await remember(tx, request, response.status_code, shown_body)
            return with_notice(request, declared, response)

        return handler


class StreamedRoute(APIRoute):
    """The route class where the body is too long to be read first.

    Its endpoint makes an `Once`, and its operation uses it within its own transaction.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original, check_caller = super().get_route_handler(), _caller_check(self)
        declared = declared_parameters(self)

        async def handler(request: Request) -> Response:
            check_caller(request)
            try:
                return with_notice(request, declared, await original(request))
            except Replay as before:
                return before.response()

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
    if "multipart" in request.headers.get("content-type", "").lower():
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


def _refuse_dry_run(request: Request, declared: frozenset[str] | None) -> None:
    """Raise BadRequest for a dry run of what would really be done: ignoring that parameter is not harmless."""
    is_declared = declared is None or "dry_run" in declared
    if "dry_run" in request.query_params and request.method not in SAFE and not is_declared:
        raise BadRequest(fields={"dry_run": ["This request has no dry run; nothing was changed."]})


def declared_parameters(route: APIRoute) -> frozenset[str] | None:
    """The query parameters that a route and its dependencies declare; None where it reads the query itself."""
    if getattr(route.endpoint, "__reads_query_itself__", False):
        return None
    return frozenset(_query_names(route.dependant))


def _query_names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (own.alias or name for name, own in model.model_fields.items())
        else:
            yield field.alias
    for inner in dependant.dependencies:
        yield from _query_names(inner)


def with_notice(request: Request, declared: frozenset[str] | None, response: Response) -> Response:
    """The response, with a header that names the query parameters that the route does not declare."""
    unknown = [] if declared is None else [name for name in request.query_params if name not in declared]
    if unknown:
        # Percent-encoded, as a header holds neither other scripts nor line breaks.
        shown = ", ".join(
            quote(name[:LONGEST_NAME], safe="", errors="replace") for name in unknown[:MOST_NAMES]
        )
        more = f" and {len(unknown) - MOST_NAMES} more" if len(unknown) > MOST_NAMES else ""
        own = response.headers.get(NOTICE)
        response.headers[NOTICE] = f"{own}; ignored: {shown}{more}" if own else f"ignored: {shown}{more}"
    return response
