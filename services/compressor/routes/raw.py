"""The route of the raw file, decoded as it is sent."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.common.auth import Sees
from libs.common.db import CheckedRoute
from libs.common.http import not_modified, ranged_response
from services.compressor.operations.recordings import open_recording
from services.compressor.operations.slice_cache import OpenRecording, SliceCache
from services.compressor.operations.slices import stream_raw
from services.compressor.routes.responses import HEADERS

router = APIRouter(route_class=CheckedRoute, tags=["slices"])


@router.api_route("/slices/{dataset_id}/bin", methods=["GET", "HEAD"], include_in_schema=False)
async def read_raw(request: Request, dataset_id: UUID, visibility: Sees) -> Response:
    """The file that was compressed, byte for byte, decoded as it is sent; with one Range, ETag and HEAD."""
    cache: SliceCache = request.app.state.slice_cache
    opened = await open_recording(request.app.state.database, cache, visibility, dataset_id)
    headers = HEADERS | {
        "ETag": _tag_of(opened),
        "Content-Disposition": f'attachment; filename="{dataset_id}.bin"',
    }
    return not_modified(request.headers.get("if-none-match"), headers) or ranged_response(
        request, opened.reader.raw_size_bytes, headers, partial(stream_raw, cache, opened)
    )


def _tag_of(opened: OpenRecording) -> str:
    index = opened.recording.index
    raw_sha256 = index.raw_sha256 if index else None
    return f'"{raw_sha256 or opened.recording.samples_id}"'
