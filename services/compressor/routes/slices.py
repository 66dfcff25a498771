"""The route of slices: seconds of a compressed recording."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from libs.common.auth import Sees
from libs.common.db import CheckedRoute
from libs.common.http import OCTETS, not_modified
from libs.common.problem import NotFound, Unavailable, problems
from libs.common.schemas.slices import Slice
from services.compressor.domain.recordings import NotIndexed
from services.compressor.domain.slices import Scale, SliceTooLarge, Span, Transform
from services.compressor.operations import slices as operations
from services.compressor.operations.recordings import open_recording
from services.compressor.operations.slice_cache import OpenRecording, SliceCache
from services.compressor.operations.slice_formats import SliceFormat, write_slice
from services.compressor.operations.slices import SliceLimits
from services.compressor.routes.responses import HEADERS
from services.compressor.settings import Settings

router = APIRouter(route_class=CheckedRoute, tags=["slices"])
JSON_VALUES = 1_000_000  # text is ten times the bytes
ARROW = "application/vnd.apache.arrow.stream"
MEDIA_TYPES = {SliceFormat.NPY: OCTETS, SliceFormat.ARROW: ARROW, SliceFormat.JSON: "application/json"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Slice,
        "description": "The samples: a .npy file, an Arrow stream, or JSON",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (OCTETS, ARROW)},
    },
    304: {"description": "The caller's cached response (`If-None-Match`) is still valid"},
}
PROBLEMS = problems(NotFound, NotIndexed, SliceTooLarge, Unavailable)
Seconds = Annotated[
    float,
    Field(ge=0, le=10_000_000, allow_inf_nan=False, description="seconds from the start of the recording"),
]


class SliceQuery(BaseModel):
    """Which slice, and how it is written."""

    t0: Seconds = 0.0
    t1: Seconds | None = None
    channels: str | None = Field(default=None, description="such as 0-9,12; all if not given")
    scale: Scale = Scale.INT
    car: bool = Field(default=False, description="subtract the mean of all channels that carry volts")
    decimate: int = Field(
        default=1, ge=1, le=100_000, description="number of samples that are averaged into one"
    )
    format: SliceFormat = SliceFormat.NPY

    @property
    def times(self) -> tuple[float, float]:
        """Start and end in seconds: a second if no end is given."""
        return self.t0, self.t0 + 1 if self.t1 is None else self.t1

    @property
    def transform(self) -> Transform:
        """How the samples are transformed."""
        return Transform(self.scale, self.car, self.decimate)

    def limits(self, settings: Settings) -> SliceLimits:
        """Limits of the answer."""
        most = settings.slice_values
        return SliceLimits(
            min(most, JSON_VALUES) if self.format is SliceFormat.JSON else most, settings.slice_raw_bytes
        )


@router.get("/slices/{dataset_id}", response_class=Response, responses=RESPONSES | PROBLEMS)
async def read_slice(
    request: Request,
    dataset_id: UUID,
    visibility: Sees,
    query: Annotated[SliceQuery, Query()],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Read seconds t0 to t1 of a compressed recording, decoded, as (time, channel). Default: one second.

    `scale=uV`, `car` and `decimate` give 32-bit floats; `scale=uV` without `channels` omits digital channels.
    Only the chunks that the slice touches are read, and of a .cgl only the bytes of the channels.
    """
    state = request.app.state
    cache: SliceCache = state.slice_cache
    opened = await open_recording(state.database, cache, visibility, dataset_id)
    limits = query.limits(state.settings)
    span = operations.span_of_slice(opened, query.times, query.channels, query.scale, limits)
    tag = operations.tag_of_slice(opened, span, query.transform, query.format)
    headers = HEADERS | {"ETag": tag}
    if unchanged := not_modified(if_none_match, headers):
        return unchanged
    samples = await operations.read_slice(cache, opened, span, query.transform)
    about = _about(opened, span, query)
    body = await asyncio.to_thread(write_slice, query.format, samples, span, about)
    if query.format is not SliceFormat.JSON:
        name = f"{dataset_id}_{span.start}-{span.stop}.{query.format}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=MEDIA_TYPES[query.format], headers=headers)


def _about(opened: OpenRecording, span: Span, query: SliceQuery) -> dict[str, Any]:
    """What a slice is, as far as its format can hold it."""
    rate_hz = opened.reader.sample_rate_hz
    return {
        "dataset_id": str(opened.recording.dataset_id),
        "first_sample": span.start,
        "t0_s": span.start / rate_hz,
        "sample_rate_hz": rate_hz / query.decimate,
        "channels": list(span.channels),
        "unit": "uV" if query.scale is Scale.UV else "bit",
        "decimate": query.decimate,
        "doubts": opened.recording.doubts,
    }
