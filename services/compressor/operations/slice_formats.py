"""Slices written as .npy, Arrow or JSON."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from services.compressor.domain.slices import Span


class SliceFormat(StrEnum):
    """File format of a slice."""

    NPY = "npy"
    ARROW = "arrow"
    JSON = "json"


def write_slice(slice_format: SliceFormat, samples: NDArray[Any], span: Span, about: dict[str, Any]) -> bytes:
    """A slice in a format; `about` describes it where the format has room for that."""
    if slice_format is SliceFormat.NPY:
        return _npy(samples)
    if slice_format is SliceFormat.ARROW:
        return _arrow(samples, span, {name: str(value) for name, value in about.items()})
    return orjson.dumps(
        {**about, "samples": np.ascontiguousarray(samples)}, option=orjson.OPT_SERIALIZE_NUMPY
    )


def _npy(samples: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(samples), allow_pickle=False)
    return file.getvalue()


def _arrow(samples: NDArray[Any], span: Span, about: dict[str, str]) -> bytes:
    """An Arrow IPC stream: a column per channel, named by its number, and `about` as metadata."""
    import pyarrow as pa

    columns = [pa.array(np.ascontiguousarray(samples[:, n])) for n in range(len(span.channels))]
    names = [str(channel) for channel in span.channels]
    table = pa.table(
        columns, schema=pa.schema(list(zip(names, [c.type for c in columns], strict=True)), about)
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
