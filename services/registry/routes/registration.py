"""Registration of files, and the check for protected ones."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from libs.common.auth import Reader, Registrar, Sees
from libs.common.db import IdempotentRoute, Reading, Tx, reads_query_itself
from libs.common.problem import BadRequest, Forbidden, problems
from libs.common.schemas.files.registration import ProtectedFiles, RegisteredDataset, RegisterFiles
from services.registry.domain.alyx_calls import ProtectedDataset
from services.registry.operations import registration as operations
from services.registry.routes.shapes import registered

router = APIRouter(route_class=IdempotentRoute, tags=["registration"])


@router.post(
    "/register-file",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(BadRequest, Forbidden, ProtectedDataset),
)
async def register_file(
    request: Request, body: RegisterFiles, by: Registrar, visibility: Sees, tx: Tx
) -> list[RegisteredDataset]:
    """Register files of one session, all or none; the response is in the order of `filenames`.

    Folder and name identify the dataset. A new version is created unless the MD5 is sent and equal.
    """
    result = await operations.register_files(
        tx, by, visibility, body, creates_types=request.app.state.creates_types
    )
    return await asyncio.to_thread(lambda: [registered(row, result.usernames) for row in result.datasets])


@router.get("/check-protected", response_model_exclude_none=True, responses=problems(BadRequest))
@reads_query_itself
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
