"""The route of the raw file, decoded as it is sent."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from libs.common.auth import Sees
from libs.common.db import CheckedRoute
from libs.common.http import byte_range, matches_etag
from services.compressor.operations.recordings import open_recording
from services.compressor.operations.slice_cache import OpenRecording, SliceCache
from services.compressor.operations.slices import stream_raw
from services.compressor.routes.responses import HEADERS, OCTETS

router = APIRouter(route_class=CheckedRoute, tags=["slices"])


@router.api_route("/slices/{dataset_id}/bin", methods=["GET", "HEAD"], include_in_schema=False)
async def read_raw(request: Request, dataset_id: UUID, visibility: Sees) -> Response:
    """The file that was compressed, byte for byte, decoded as it is sent; with one Range, ETag and HEAD."""
    cache: SliceCache = request.app.state.slice_cache
    opened = await open_recording(request.app.state.database, cache, visibility, dataset_id)
    size_bytes = opened.reader.raw_size_bytes
    headers = HEADERS | {
        "ETag": _tag_of(opened),
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{dataset_id}.bin"',
    }
    if matches_etag(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    is_same = request.headers.get("if-range") in {None, headers["ETag"]}
    span = byte_range(request.headers.get("range"), size_bytes) if is_same else None
    start, stop = span or (0, size_bytes)
    headers["Content-Length"] = str(stop - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=OCTETS)
    body = stream_raw(cache, opened, start, stop)
    return StreamingResponse(body, status, headers, media_type=OCTETS)


def _tag_of(opened: OpenRecording) -> str:
    index = opened.recording.index
    raw_sha256 = index.raw_sha256 if index else None
    return f'"{raw_sha256 or opened.recording.sha256}"'
