"""Compressed recordings, and slices of them over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from numpy.typing import NDArray
from starlette.responses import StreamingResponse

from libs.common.auth import Sees
from libs.common.db import CheckedRoute, Reading
from libs.common.db.lists import paged, uuid_of
from libs.common.http import byte_range, matches_etag
from libs.common.problem import NotFound, Unavailable, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.slices import Recording, Slice
from services.compressor import operations, queries
from services.compressor.domain import (
    NotIndexed,
    Scale,
    SliceTooLarge,
    Span,
    Wish,
    channels_of,
    check_size,
    span_of,
    voltage_channels,
)
from services.compressor.models import RecordingRow
from services.compressor.operations import Known, Shelf
from services.compressor.settings import Settings

router = APIRouter(route_class=CheckedRoute, tags=["slices"])
JSON_VALUES = 1_000_000  # text is ten times the bytes
NPY = "application/octet-stream"
ARROW = "application/vnd.apache.arrow.stream"
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Cookie",
    "X-Content-Type-Options": "nosniff",
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Slice,
        "description": "The samples: a .npy file, an Arrow stream, or JSON",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (NPY, ARROW)},
    },
    304: {"description": "What the caller holds (`If-None-Match`) is still the same"},
}
Seconds = Annotated[
    float, Query(ge=0, le=10_000_000, allow_inf_nan=False, description="from the recording's start")
]


class Format(StrEnum):
    """How the samples are written."""

    NPY = "npy"
    ARROW = "arrow"
    JSON = "json"


@router.get("/slices")
async def list_recordings(
    request: Request,
    who: Sees,
    read: Reading,
    wanted: Paging,
    session: str | None = None,
    dataset: str | None = None,
) -> Page[Recording]:
    """Recordings out of which slices can be read, latest session first."""
    statement = queries.recordings(who)
    if session:
        statement = statement.where(RecordingRow.session_id == uuid_of("session", session))
    if dataset:
        statement = statement.where(RecordingRow.dataset_id == uuid_of("dataset", dataset))
    count, rows = await paged(read, statement, wanted)
    shown = [{name: row[name] for name in Recording.model_fields} for row in rows]
    return page(request, wanted, count, [Recording.model_validate(row) for row in shown])


@router.get(
    "/slices/{dataset_id}",
    response_class=Response,
    responses=ANSWERS | problems(NotFound, NotIndexed, SliceTooLarge, Unavailable),
)
async def read_slice(
    request: Request,
    dataset_id: UUID,
    who: Sees,
    t0: Seconds = 0.0,
    t1: Seconds | None = None,
    channels: Annotated[str | None, Query(description="such as 0-9,12; all if not given")] = None,
    scale: Scale = Scale.INT,
    car: Annotated[bool, Query(description="take off the mean of all channels that carry volts")] = False,
    decimate: Annotated[int, Query(ge=1, le=100_000, description="the mean of so many samples each")] = 1,
    format: Format = Format.NPY,  # noqa: A002 - the name in the address
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Seconds t0 to t1 (a second if not given) of a compressed recording, decoded: (time, channel).

    `scale=uV`, `car` and `decimate` give 32-bit floats; `scale=uV` without `channels` leaves out those that carry bits.
    Only the chunks that the slice touches are read, and of a .cgl only the bytes of the channels.
    """
    settings: Settings = request.app.state.settings
    known = await _known(request, who, dataset_id)
    reader, row, wish = known.reader, known.row, Wish(scale, car, decimate)
    span = span_of(
        t0,
        t0 + 1 if t1 is None else t1,
        voltage_channels(channels, row.uv_per_bit, reader.n_channels)
        if scale is Scale.UV
        else channels_of(channels, reader.n_channels),
        n_samples=reader.n_samples,
        sample_rate_hz=reader.sample_rate_hz,
    )
    most = min(settings.slice_values, JSON_VALUES) if format is Format.JSON else settings.slice_values
    check_size(span, operations.raw_bytes_of(reader, span), most, settings.slice_raw_bytes)
    told = f"{row.sha256} {row.uv_per_bit if scale is Scale.UV or car else ''} {span} {wish} {format} {row.doubts}"
    headers = HEADERS | {"ETag": f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'}
    if matches_etag(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    samples = await operations.cut(request.app.state.shelf, known, span, wish)
    about = {
        "dataset": str(dataset_id),
        "first_sample": span.start,
        "t0_s": span.start / reader.sample_rate_hz,
        "sample_rate_hz": reader.sample_rate_hz / decimate,
        "channels": list(span.channels),
        "unit": "uV" if scale is Scale.UV else "bit",
        "decimate": decimate,
        "doubts": row.doubts,
    }
    body = await asyncio.to_thread(_written, format, samples, span, about)
    if format is Format.JSON:
        return Response(body, media_type="application/json", headers=headers)
    name = f'attachment; filename="{dataset_id}_{span.start}-{span.stop}.{format}"'
    media = NPY if format is Format.NPY else ARROW
    return Response(body, media_type=media, headers=headers | {"Content-Disposition": name})


@router.api_route("/slices/{dataset_id}/bin", methods=["GET", "HEAD"], include_in_schema=False)
async def read_raw(request: Request, dataset_id: UUID, who: Sees) -> Response:
    """The file that was compressed, byte for byte, decoded as it is sent; one Range, ETag and HEAD as HTTP has them."""
    known = await _known(request, who, dataset_id)
    size_bytes = known.reader.raw_size_bytes
    headers = HEADERS | {
        "ETag": f'"{known.row.raw_sha256 or known.row.sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{dataset_id}.bin"',
    }
    if matches_etag(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    fits = request.headers.get("if-range") in {None, headers["ETag"]}
    asked = byte_range(request.headers.get("range"), size_bytes) if fits else None
    start, stop = asked or (0, size_bytes)
    headers["Content-Length"] = str(stop - start)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    status = 206 if asked else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=NPY)
    body = operations.raw_bytes(request.app.state.shelf, known, start, stop)
    return StreamingResponse(body, status, headers, media_type=NPY)


async def _known(request: Request, who: Sees, dataset_id: UUID) -> Known:
    """The index of a dataset that the caller may know of; the database is let go before bytes are read."""
    shelf: Shelf = request.app.state.shelf
    async with request.app.state.database.read() as read:
        brief = await queries.brief(read, who, dataset_id)
        if brief is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        if brief.sha256 is None:
            raise NotIndexed
        key = (dataset_id, brief.sha256, brief.indexed_at)
        if brief.state == "indexed" and (known := shelf.recall(key)):
            return known
        row = await queries.recording(read, dataset_id)
    if row is None:
        raise NotIndexed
    known = Known(row, operations.reader_of(row))
    shelf.keep(key, known)
    return known


def _written(format: Format, samples: NDArray[Any], span: Span, about: dict[str, Any]) -> bytes:  # noqa: A002
    if format is Format.NPY:
        return operations.npy(samples)
    if format is Format.ARROW:
        return operations.arrow(samples, span, {name: str(value) for name, value in about.items()})
    return orjson.dumps(
        {**about, "samples": np.ascontiguousarray(samples)}, option=orjson.OPT_SERIALIZE_NUMPY
    )
