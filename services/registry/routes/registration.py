"""Registering files, and asking first what is protected."""

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
from services.registry.queries.datasets import datasets_in_order
from services.registry.queries.registration import users_of_session
from services.registry.routes.shapes import registered

router = APIRouter(route_class=IdempotentRoute, tags=["registration"])


@router.post("/register-file", status_code=201, responses=problems(BadRequest, Forbidden, ProtectedDataset))
async def register_file(said: RegisterFiles, by: Registrar, seen: Sees, tx: Tx) -> list[RegisteredDataset]:
    """Register files of one session, all or none; the answer is in the order of `filenames`.

    Same place and name: same dataset. Its bytes count as new unless the MD5 is given and the same.
    """
    done = await operations.register_files(tx, by, seen, said)
    await tx.session.flush()
    users: list[str] = []
    if done.scope.session_id is not None:
        # The person joins the session by an event; the answer shows it at once.
        known = await users_of_session(tx.session, done.scope.session_id)
        users = sorted({*known, done.created_by})
    rows = await datasets_in_order(tx.session, seen, done.dataset_ids)
    return await asyncio.to_thread(lambda: [registered(row, users) for row in rows])


@router.get("/check-protected", response_model_exclude_none=True, responses=problems(BadRequest))
@reads_query_itself
async def check_protected(request: Request, _by: Reader, seen: Sees, read: Reading) -> ProtectedFiles:
    """Whether files may be written over; asked by query or by a JSON body, and always answered with 200."""
    details = await operations.check_protected(read, seen, await _asked(request))
    if not details:
        return ProtectedFiles(status_code=200, details=[])
    return ProtectedFiles(status_code=403, error=ProtectedDataset.detail, details=details)


async def _asked(request: Request) -> RegisterFiles:
    body = await request.body()
    try:
        told: Any = orjson.loads(body) if body else dict(request.query_params)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is no JSON.") from None
    try:
        return RegisterFiles.model_validate(told)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
