"""Routes of parts: bodies that are bytes, streamed and never buffered whole."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from libs.common.auth import Mover
from libs.common.db import StreamedRoute
from libs.common.http import OCTETS
from libs.common.problem import NotFound, problems
from libs.common.storage import ChecksumMismatch, StoreFull
from services.transfer import domain
from services.transfer.operations import parts as operations
from services.transfer.routes.bodies import BadDigest, body_of, content_digest, upload_context_of

# No Idempotency-Key here: a part is idempotent by its number and digest, and a key would need the body in memory.
router = APIRouter(route_class=StreamedRoute, tags=["uploads"])
PROBLEMS = problems(
    BadDigest, domain.BadPart, ChecksumMismatch, NotFound, domain.PartDiffers, domain.UploadSwept, StoreFull
)
BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("/uploads/{upload_id}/parts/{number}", status_code=204, responses=PROBLEMS, openapi_extra=BYTES)
async def put_part(
    request: Request,
    upload_id: UUID,
    number: int,
    by: Mover,
    digest: Annotated[
        str | None, Header(alias="Content-Digest", description="sha-256=:base64:, as in RFC 9530")
    ] = None,
) -> Response:
    """Upload one part. Parts can be sent in any order and repeated; 204 once the bytes are on disk."""
    announced = content_digest(digest)
    context = upload_context_of(request)
    await operations.receive_part(context, by, upload_id, number, body_of(request), announced)
    return Response(status_code=204)
