"""Routes of bundles: many small files in one request."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError

from libs.common.auth import Mover
from libs.common.db import Once, StreamedRoute
from libs.common.http import OCTETS
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, LateToken, problems
from libs.common.schemas.bundles import Bundle, BundleIn
from services.transfer import domain
from services.transfer.operations import bundles as operations
from services.transfer.operations.upload_context import UploadContext
from services.transfer.routes.bodies import body_of, first_line, upload_context_of

router = APIRouter(route_class=StreamedRoute, tags=["uploads"])
PROBLEMS = problems(BadRequest, domain.BadBundle, Forbidden, domain.HashDiffers, LateToken)
FRAMED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": 'A line of JSON, `{"files": [{"size_bytes": 3, "sha256": "…"}, …]}`, then the files\' bytes.',
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/bundles", status_code=201, responses=PROBLEMS, openapi_extra=FRAMED)
async def land_bundle(request: Request, by: Mover) -> Bundle:
    """Upload up to 5,000 small files (256 MiB in all, 8 MiB each) in one request, all or none.

    The body is one line of JSON (the list), then the bytes of the files in the order of the list.
    """
    context = upload_context_of(request)
    async with context.bundles.one():
        return await _land(context, request, by)


async def _land(context: UploadContext, request: Request, by: Principal) -> Bundle:
    line, rest = await first_line(body_of(request))
    try:
        bundle = await asyncio.to_thread(BundleIn.model_validate_json, line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise domain.BadBundle(f"Invalid list: {where}: {first['msg']}.") from None
    return await operations.land_bundle(context, by, bundle.files, rest, Once(request, line))
