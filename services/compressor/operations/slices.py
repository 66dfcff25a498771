"""Slices, and the raw file, decoded out of compressed recordings."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.codec import ChunkedReader, CodecError
from libs.common.problem import Unavailable
from libs.common.storage import ObjectMissing
from services.compressor.domain.slices import (
    Scale,
    Span,
    Transform,
    channels_of,
    check_size,
    reference_channels,
    span_of,
    subtract_common,
    voltage_channels,
)
from services.compressor.operations.slice_cache import OpenRecording, SliceCache


@dataclass(frozen=True)
class SliceLimits:
    """Most values of one answer, and most raw bytes decoded for it."""

    values: int
    raw_bytes: int


def span_of_slice(
    opened: OpenRecording,
    times: tuple[float, float],
    channels: str | None,
    scale: Scale,
    limits: SliceLimits,
) -> Span:
    """Samples and channels of a slice. Raises BadRequest, SliceTooLarge."""
    reader = opened.reader
    if scale is Scale.UV:
        numbers = voltage_channels(channels, opened.recording.uv_per_bit, reader.n_channels)
    else:
        numbers = channels_of(channels, reader.n_channels)
    span = span_of(*times, numbers, n_samples=reader.n_samples, sample_rate_hz=reader.sample_rate_hz)
    check_size(span, _raw_bytes_of(reader, span), limits.values, limits.raw_bytes)
    return span


def _raw_bytes_of(reader: ChunkedReader, span: Span) -> int:
    """Raw bytes of all chunks that a span touches."""
    chunks = reader.chunks_between(span.start, span.stop)
    samples = reader.chunk_bounds[chunks.stop] - reader.chunk_bounds[chunks.start]
    return samples * reader.n_channels * reader.dtype.itemsize


def tag_of_slice(opened: OpenRecording, span: Span, transform: Transform, format_name: str) -> str:
    """The ETag of a slice: of its recording's bytes, span, channels, scale and format."""
    recording = opened.recording
    uses_volts = transform.scale is Scale.UV or transform.car
    volts = recording.uv_per_bit if uses_volts else ""
    text = f"{recording.samples_id} {volts} {span} {transform} {format_name} {recording.doubts}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


async def read_slice(
    cache: SliceCache, opened: OpenRecording, span: Span, transform: Transform
) -> NDArray[Any]:
    """The slice, (samples, channels). Reads only the chunks it touches; decodes in a thread.

    Raises Unavailable if the bytes are missing or damaged.
    """
    volts = opened.recording.uv_per_bit
    referenced = reference_channels(volts, opened.reader.n_channels) if transform.car else None
    return await _decode(cache, opened, _decode_slice, span, transform, volts, referenced)


async def read_samples(
    cache: SliceCache, opened: OpenRecording, start: int, stop: int, channels: range
) -> NDArray[Any]:
    """Samples `start` up to `stop` (excluded) as recorded, (samples, channels). Raises as `read_slice`."""
    return await _decode(cache, opened, ChunkedReader.read, start, stop, list(channels))


async def _decode(
    cache: SliceCache, opened: OpenRecording, function: Callable[..., NDArray[Any]], *args: Any
) -> NDArray[Any]:
    try:
        reader = opened.reader.reading(await cache.ranges_of(opened.recording.sha256))
        return await cache.decode(function, reader, *args)
    except (ObjectMissing, FileNotFoundError) as error:
        raise Unavailable("The recording's bytes are not in the store at the moment.") from error
    except CodecError as error:
        raise Unavailable(f"The recording cannot be decoded: {error}") from error


def _decode_slice(
    reader: ChunkedReader,
    span: Span,
    transform: Transform,
    volts: list[float | None] | None,
    referenced: list[int] | None,
) -> NDArray[Any]:
    if referenced is None:
        return transform.apply(reader.read(span.start, span.stop, span.channels), volts, span.channels)
    # The reference is the mean of all channels, so all are decoded, chunk by chunk.
    selected = np.empty((span.stop - span.start, len(span.channels)), np.float32)
    for chunk in reader.chunks_between(span.start, span.stop):
        first = max(span.start, reader.chunk_bounds[chunk])
        last = min(span.stop, reader.chunk_bounds[chunk + 1])
        samples = reader.read(first, last)
        selected[first - span.start : last - span.start] = subtract_common(samples, span.channels, referenced)
    return transform.apply(selected, volts, span.channels)


async def stream_raw(cache: SliceCache, opened: OpenRecording, start: int, stop: int) -> AsyncIterator[bytes]:
    """Bytes `start` up to `stop` (excluded) of the file that was compressed, decoded a chunk at a time."""
    reader = opened.reader.reading(await cache.ranges_of(opened.recording.sha256))
    row_bytes = reader.n_channels * reader.dtype.itemsize
    samples_end = reader.n_samples * row_bytes
    if start < samples_end:
        for chunk in reader.chunks_between(start // row_bytes, -(-min(stop, samples_end) // row_bytes)):
            offset = reader.chunk_bounds[chunk] * row_bytes
            block = await cache.decode(decode_chunk, reader, chunk)
            yield block[max(0, start - offset) : stop - offset]
    if stop > samples_end:
        yield reader.tail[max(0, start - samples_end) : stop - samples_end]


def decode_chunk(reader: ChunkedReader, chunk: int) -> bytes:
    """The raw bytes of a chunk."""
    return reader.read_chunk(chunk).tobytes()
