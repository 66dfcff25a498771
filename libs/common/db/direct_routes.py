"""Endpoints that are called directly: FastAPI looks for every declared parameter of a list in every request.

The values are the same, as each is validated by FastAPI's own field. What this module cannot do, it leaves to
FastAPI: a route that declares anything else, and a request with an invalid or repeated parameter, or a body that is
no JSON.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Final, get_args

from fastapi import Request, Response, params
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.common.db.transaction import (
    open_reading,
    open_reading_long,
    open_reading_page,
    open_transaction,
    reading,
    reading_long,
    reading_page,
    transaction,
)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Opens = Callable[[Request], AbstractAsyncContextManager[object]]

_SESSIONS: Final[dict[object, Opens]] = {
    reading: open_reading,
    reading_page: open_reading_page,
    reading_long: open_reading_long,
    transaction: open_transaction,
}
_ABSENT: Final = object()
_NOT_SET: Final = 0


class _NotDirect(Exception):
    """FastAPI has to answer this request, or all requests of this route."""


def direct_handler(route: APIRoute, otherwise: Handler) -> Handler:
    """A handler that calls the endpoint of a route; `otherwise` is FastAPI's own."""
    try:
        arguments = _Arguments.of(route.dependant, body=_body_of(route))
        _check(route)
    except _NotDirect:
        return otherwise
    endpoint, answer = route.endpoint, _Answer(route)

    async def handler(request: Request) -> Response:
        injected = Response()
        injected.status_code = _NOT_SET
        try:
            values = await arguments.read(request, injected)
        except _NotDirect:
            return await otherwise(request)
        if arguments.session is None:
            return answer.of(await endpoint(**values), injected)
        name, opened = arguments.session
        if opened is open_transaction:
            # It ends, as FastAPI ends it, when the response is complete and not yet sent.
            stack: AsyncExitStack = request.scope["fastapi_function_astack"]
            tx = await stack.enter_async_context(open_transaction(request))
            return answer.of(await endpoint(**values, **{name: tx}), injected)
        async with opened(request) as session:
            result = await endpoint(**values, **{name: session})
        return answer.of(result, injected)

    return handler


class DirectRoute(APIRoute):
    """What the route classes derive from, so that all they do is done around the direct call too."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's own handler."""
        return direct_handler(self, super().get_route_handler())


def _check(route: APIRoute) -> None:
    """Raises _NotDirect for a route whose response is neither JSON nor made by itself."""
    returns = route.endpoint.__annotations__.get("return")
    is_known = route.response_field is not None or returns in {"Response", Response}
    if not (is_known and isinstance(route.response_class, DefaultPlaceholder)):
        raise _NotDirect


def _body_of(route: APIRoute) -> Any:
    """The only field of a JSON body; None for a route that reads none. Raises _NotDirect for any other body."""
    fields = route.dependant.body_params
    if route.body_field is None:
        return None
    if len(fields) != 1 or route._embed_body_fields or isinstance(fields[0].field_info, params.Form):
        raise _NotDirect
    return fields[0]


@dataclass(frozen=True)
class _Arguments:
    """What a callable declares: fields of the path, the body and the query, models of the query, and dependencies."""

    body: Any
    path: tuple[Any, ...]
    query: tuple[Any, ...]
    models: tuple[Any, ...]
    inner: tuple[tuple[str | None, Callable[..., Awaitable[Any]], _Arguments], ...]
    session: tuple[str, Opens] | None
    request: str | None
    response: str | None

    @classmethod
    def of(cls, dependant: Dependant, body: Any = None) -> _Arguments:
        """The arguments of an endpoint, which may have a body, or a dependency. Raises _NotDirect."""
        if (
            dependant.header_params
            or dependant.cookie_params
            or (dependant.body_params and body is None)
            or dependant.websocket_param_name
            or dependant.http_connection_param_name
            or dependant.background_tasks_param_name
            or dependant.security_scopes_param_name
        ):
            raise _NotDirect
        sessions = [
            (str(each.name), _SESSIONS[each.call])
            for each in dependant.dependencies
            if each.call in _SESSIONS
        ]
        if len(sessions) > 1:
            raise _NotDirect
        inner = []
        for each in dependant.dependencies:
            if each.call in _SESSIONS:
                continue
            arguments = cls.of(each)
            if arguments.session is not None or not _is_coroutine(each.call) or each.call is None:
                raise _NotDirect
            inner.append((each.name, each.call, arguments))
        return cls(
            body=body,
            path=tuple(dependant.path_params),
            query=tuple(field for field in dependant.query_params if not _is_model(field)),
            models=tuple(field for field in dependant.query_params if _is_model(field)),
            inner=tuple(inner),
            session=sessions[0] if sessions else None,
            request=dependant.request_param_name,
            response=dependant.response_param_name,
        )

    async def read(self, request: Request, response: Response) -> dict[str, Any]:
        """The values for one request, but for the session. Raises _NotDirect for an invalid one."""
        values: dict[str, Any] = {}
        for field in self.path:
            values[field.name] = _validated(field, request.path_params.get(field.alias, _ABSENT))
        if self.query or self.models:
            sent = dict(request.query_params)
            if len(sent) != len(request.query_params.multi_items()):
                raise _NotDirect  # a repeated parameter
            for field in self.query:
                values[field.name] = _validated(field, sent.get(field.alias, _ABSENT))
            for field in self.models:
                values[field.name] = _validated(field, sent)
        if self.body is not None:
            values[self.body.name] = _validated(self.body, await _json_of(request))
        for name, call, arguments in self.inner:
            value = await call(**await arguments.read(request, response))
            if name is not None:  # a dependency of the route itself
                values[name] = value
        if self.request is not None:
            values[self.request] = request
        if self.response is not None:
            values[self.response] = response
        return values


async def _json_of(request: Request) -> object:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or not await request.body():
        raise _NotDirect
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise _NotDirect from None


def _validated(field: Any, sent: object) -> Any:
    if sent is _ABSENT:
        if field.field_info.is_required():
            raise _NotDirect
        return field.get_default()
    value, errors = field.validate(sent)
    if errors:
        raise _NotDirect
    return value


def _is_model(field: Any) -> bool:
    kind = field.field_info.annotation
    if any(isinstance(inner, type) and issubclass(inner, BaseModel) for inner in get_args(kind)):
        raise _NotDirect  # a model or none
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_coroutine(call: object) -> bool:
    return iscoroutinefunction(call) or iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


class _Answer:
    """How a route turns what its endpoint returned into a response."""

    def __init__(self, route: APIRoute) -> None:
        self.field: Any = route.response_field
        self.status = route.status_code
        self.shape: dict[str, Any] = {
            "include": route.response_model_include,
            "exclude": route.response_model_exclude,
            "by_alias": route.response_model_by_alias,
            "exclude_unset": route.response_model_exclude_unset,
            "exclude_defaults": route.response_model_exclude_defaults,
            "exclude_none": route.response_model_exclude_none,
        }

    def of(self, result: Any, injected: Response) -> Response:
        """The response; headers and status that the endpoint has set count unless it made its own."""
        if isinstance(result, Response):
            return result
        value, errors = self.field.validate(result, {}, loc=("response",))
        if errors:
            raise TypeError(f"the endpoint returned what its response model refuses: {errors[:3]}")
        body = self.field.serialize_json(value, **self.shape)
        response = Response(body, injected.status_code or self.status or 200, media_type="application/json")
        response.headers.raw.extend(
            header for header in injected.headers.raw if header[0] != b"content-length"
        )
        return response
