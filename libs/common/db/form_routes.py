"""The route class of bodies that are JSON or a form, perhaps with files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Final

import anyio
import anyio.lowlevel
import orjson
from fastapi import Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.types import Message

from libs.common.db.direct_routes import DirectRoute
from libs.common.db.routes import IdempotentRoute, check_whole
from libs.common.problem import BadRequest

SLICE_BYTES: Final = 256 * 1024  # parsed at once: other requests get their turn in between
MOST_FILES: Final = 10
MOST_FIELDS: Final = 100
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"


class _FormReading(DirectRoute):
    """Between the checks of the caller and the call of the endpoint."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's own handler."""
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request.state.fields, request.state.files = {}, {}
            form = await _read_form(request)
            if form is None:
                return await original(request)
            try:
                shown = _as_json(request, form)
                response = await original(shown)
                check_whole(self, request, await shown.body())
                return response
            finally:
                await form.close()

        return handler


class FormRoute(IdempotentRoute, _FormReading):
    """A form's fields become a JSON body of texts, and its files `request.state.files`, by name.

    Of a repeated field the last value counts. Of the field `json` the text is read as JSON where it is JSON.
    """


async def _read_form(request: Request) -> FormData | None:
    """The form of a request; None for a body that is not a form. Raises BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream = _slices(await request.body())
    try:
        if kind == MULTIPART:
            parser = MultiPartParser(request.headers, stream, max_files=MOST_FILES, max_fields=MOST_FIELDS)
            return await parser.parse()
        if kind == FORM:
            return await FormParser(request.headers, stream, max_fields=MOST_FIELDS).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BadRequest(f"The form cannot be read: {error}") from None
    return None


async def _slices(body: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(body), SLICE_BYTES):
        yield body[start : start + SLICE_BYTES]
        await anyio.lowlevel.checkpoint()
    yield b""


def _as_json(request: Request, form: FormData) -> Request:
    """The request with its fields as a JSON body."""
    state = request.state
    for name, value in form.multi_items():
        (state.files if isinstance(value, UploadFile) else state.fields)[name] = value
    headers = [
        (name, b"application/json" if name == b"content-type" else value)
        for name, value in request.scope["headers"]
        if name != b"content-length"
    ]
    if "json" in state.fields:
        state.fields["json"] = _parsed(state.fields["json"])
    try:
        body = orjson.dumps(state.fields)
    except TypeError:  # a charset of the form may hold halves of characters
        raise BadRequest("The form is not text in UTF-8.") from None

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return Request({**request.scope, "headers": headers}, receive)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return text
