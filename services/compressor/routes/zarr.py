"""The route of recordings as Zarr arrays: metadata, and blocks that are decoded when they are read."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.common.auth import Sees
from libs.common.db import CheckedRoute
from libs.common.http import not_modified, ranged_response
from libs.common.problem import NotFound
from services.compressor.domain.zarr import document_of
from services.compressor.operations import zarr as operations
from services.compressor.operations.recordings import open_recording
from services.compressor.operations.slice_cache import SliceCache
from services.compressor.operations.zarr import DecodedBlocks
from services.compressor.routes.responses import HEADERS

router = APIRouter(route_class=CheckedRoute, tags=["slices"])


@router.api_route("/zarr/{dataset_id}/{key:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def read_zarr(request: Request, dataset_id: UUID, key: str, visibility: Sees) -> Response:
    """A key of the recording as a Zarr array (time, channel), in versions 2 and 3; with Range, ETag and HEAD.

    Readers of Zarr open `…/zarr/{dataset}`. Other keys, which they try, are not found.
    """
    state = request.app.state
    cache: SliceCache = state.slice_cache
    opened = await open_recording(state.database, cache, visibility, dataset_id)
    grid, document = operations.grid_of(opened), document_of(key)
    if document is not None:
        return _document(request, operations.describe(opened, document))
    block = grid.block_at(key)
    if block is None:
        raise NotFound(f"The array has no '{key}'.")
    tag = f"{opened.recording.samples_id}-{grid.block_samples}-{grid.block_channels}-{block.start}-{block.first}"
    headers = HEADERS | {"ETag": f'"{tag}"'}
    if unchanged := not_modified(request.headers.get("if-none-match"), headers):
        return unchanged
    data = b""
    if request.method != "HEAD":
        blocks: DecodedBlocks = state.decoded_blocks
        data = await asyncio.to_thread(grid.pad, await blocks.fetch(cache, opened, block))
    return ranged_response(request, grid.block_bytes, headers, partial(_part, data))


def _document(request: Request, content: dict[str, Any]) -> Response:
    body = json.dumps(content, allow_nan=False).encode()
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(body).hexdigest()}"'}
    return not_modified(request.headers.get("if-none-match"), headers) or ranged_response(
        request, len(body), headers, partial(_part, body), media_type="application/json"
    )


async def _part(data: bytes, start: int, stop: int) -> AsyncIterator[bytes]:
    yield data[start:stop]
