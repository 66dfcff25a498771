"""Many small files in one request."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError

from libs.common.auth import Mover
from libs.common.db import Once, StreamedRoute
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, problems
from libs.common.schemas.uploads import Bundle, BundleIn
from services.transfer import domain
from services.transfer.operations.bundles import bring
from services.transfer.operations.dock import Dock
from services.transfer.routes.bodies import body_of, dock_of, first_line

router = APIRouter(route_class=StreamedRoute, tags=["uploads"])
PROBLEMS = problems(BadRequest, domain.BadBundle, Forbidden, domain.HashDiffers, domain.LateToken)
FRAMED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": 'A line of JSON, `{"files": [{"size_bytes": 3, "sha256": "…"}, …]}`, then the files\' bytes.',
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/bundles", status_code=201, responses=PROBLEMS, openapi_extra=FRAMED)
async def land_bundle(request: Request, by: Mover) -> Bundle:
    """Land up to 5,000 small files (256 MiB together, 8 MiB each) at once: all of them, or none.

    The body is a line of JSON, the list, and then the bytes of the files in its order.
    """
    dock = dock_of(request)
    async with dock.bundles.one():
        return await _land(dock, request, by)


async def _land(dock: Dock, request: Request, by: Principal) -> Bundle:
    line, rest = await first_line(body_of(request))
    try:
        told = await asyncio.to_thread(BundleIn.model_validate_json, line)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise domain.BadBundle(f"The list cannot be read: {where}: {first['msg']}.") from None
    return await bring(dock, by, told.files, rest, Once(request, line))
