"""Registration of files, and the check for protected ones."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.types import Message

from libs.common.auth import Reader, Registrar, Sees
from libs.common.db import IdempotentRoute, Reading, Tx, reads_query_as
from libs.common.db.query_parameters import NOTICE
from libs.common.problem import BadRequest, Conflict, Forbidden, problems
from libs.common.schemas.files.registration import ProtectedFiles, RegisteredDataset, RegisterFiles
from libs.common.threads import computed
from services.registry.domain.alyx_calls import ProtectedDataset
from services.registry.domain.sessions import twins_notice
from services.registry.operations import registration as operations
from services.registry.routes.shapes import registered

_FORM = "application/x-www-form-urlencoded"


class FormRoute(IdempotentRoute):
    """A route that accepts its JSON body as a form too, as older clients send it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler of JSON."""
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            is_form = request.headers.get("content-type", "").partition(";")[0].strip() == _FORM
            return await original(_with_json(request) if is_form else request)

        return handler


def _with_json(request: Request) -> Request:
    """A request whose form is JSON when it is read: repeated fields are lists, empty ones are absent."""

    async def receive() -> Message:
        fields: dict[str, list[str]] = parse_qs((await request.body()).decode(errors="replace"))
        values = {name: texts if len(texts) > 1 else texts[0] for name, texts in fields.items()}
        return {"type": "http.request", "body": orjson.dumps(values), "more_body": False}

    headers = [(name, value) for name, value in request.scope["headers"] if name not in _OF_BODY]
    scope = {**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}
    return Request(scope, receive)


_OF_BODY = {b"content-type", b"content-length"}
router = APIRouter(route_class=FormRoute, tags=["registration"])


@router.post(
    "/register-file",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(BadRequest, Forbidden, ProtectedDataset, Conflict),
    openapi_extra={
        "requestBody": {"content": {_FORM: {"schema": {"$ref": "#/components/schemas/RegisterFiles"}}}}
    },
)
async def register_file(
    request: Request, response: Response, body: RegisterFiles, by: Registrar, visibility: Sees, tx: Tx
) -> list[RegisteredDataset]:
    """Register files of one session, all or none; the response is in the order of `filenames`.

    Folder and name identify the dataset. A new version is created unless the MD5 is sent and equal. Of several
    sessions with that subject, day and number, the one that has the files gets them, else the newest; a notice counts
    the others.
    """
    result = await operations.register_files(
        tx, by, visibility, body, creates_types=request.app.state.creates_types
    )
    if notice := twins_notice(result.n_twins):
        response.headers[NOTICE] = notice
    datasets, usernames = result.datasets, result.usernames
    return await computed(len(datasets), lambda: [registered(row, usernames) for row in datasets])


@router.get("/check-protected", response_model_exclude_none=True, responses=problems(BadRequest))
@reads_query_as(RegisterFiles)
async def check_protected(
    request: Request, _by: Reader, visibility: Sees, session: Reading
) -> ProtectedFiles:
    """Check whether files are protected, by query or JSON body. The status is always 200."""
    details = await operations.check_protected(session, visibility, await _parse_request(request))
    if not details:
        return ProtectedFiles(status_code=200, details=[])
    return ProtectedFiles(status_code=403, error=ProtectedDataset.detail, details=details)


async def _parse_request(request: Request) -> RegisterFiles:
    body = await request.body()
    try:
        values: Any = orjson.loads(body) if body else dict(request.query_params)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not JSON.") from None
    try:
        return RegisterFiles.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
