"""An HDF5 file as a LINDI document: its structure as JSON of Zarr version 2, its large arrays as ranges of other files.

Source: https://github.com/NeurodataWithoutBorders/lindi, version 0.4: attributes and small arrays are in the document,
references to objects are `{"_REFERENCE": …}`, soft links `_SOFT_LINK`, scalars arrays of one value with `_SCALAR`.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import h5py
import numpy as np

from cingulum.codec.cbin import CbinReader
from cingulum.codec.chunked import ChunkedReader

_INLINE_BYTES: Final = 64 << 20  # an array of the document itself, before compression
_JSON_CODEC: Final = {
    "id": "json2",
    "encoding": "utf-8",
    "allow_nan": True,
    "check_circular": True,
    "ensure_ascii": True,
    "indent": None,
    "separators": [",", ":"],
    "skipkeys": False,
    "sort_keys": True,
    "strict": True,
}


class NotLinkable(ValueError):
    """An array cannot be a part of a LINDI document; the message says what to do."""


@dataclass(frozen=True)
class Linked:
    """An array whose blocks are ranges (offset, length) of the file at `where`, read by a codec of numcodecs."""

    where: str
    shape: tuple[int, int]
    block: tuple[int, int]
    ranges: tuple[tuple[int, int], ...]
    codec: Mapping[str, Any]


def linked_chunks(reader: ChunkedReader, stored: str, where: str, n_read: int) -> Linked:
    """The chunks of a recording as blocks of an array of its first `n_read` channels. Raises NotLinkable."""
    lengths = [stop - start for start, stop in pairwise(reader.chunk_bounds)] or [1]
    if set(lengths[:-1]) - {lengths[0]} or lengths[-1] > lengths[0]:
        raise NotLinkable(
            f"{where}: its chunks have different lengths, and a Zarr array has one: "
            "copy the voltage, or compress it again"
        )
    codec: dict[str, Any] = {
        "id": "cingulum_recording",
        "stored": stored,
        "n_samples": lengths[0],
        "n_channels": reader.n_channels,
        "n_read": n_read,
        "dtype": reader.dtype.newbyteorder("<").str,
    }
    if isinstance(reader, CbinReader):
        header = reader.header
        codec |= {
            "chunk_order": header.chunk_order,
            "do_time_diff": header.do_time_diff,
            "do_spatial_diff": header.do_spatial_diff,
        }
    return Linked(
        where,
        (reader.n_samples, n_read),
        (lengths[0], n_read),
        tuple(reader.byte_range(chunk) for chunk in range(reader.n_chunks)),
        codec,
    )


def lindi_of(file: h5py.File, linked: Mapping[str, Linked]) -> dict[str, Any]:
    """The document of a file; `linked` are arrays by their paths, such as `acquisition/x/data`, that are elsewhere."""
    templates = {
        f"u{n}": where for n, where in enumerate(sorted({link.where for link in linked.values()}), 1)
    }
    names = {where: name for name, where in templates.items()}
    refs: dict[str, Any] = {}
    for path, item in _walk(file, ""):
        refs |= _entries(file, path, item, linked.get(path))
    for link in linked.values():
        refs |= _block_entries(linked, link, names[link.where])
    return {"version": 1, "templates": templates, "refs": refs}


def _walk(group: h5py.Group, prefix: str) -> Iterator[tuple[str, h5py.Group | h5py.Dataset | h5py.SoftLink]]:
    yield prefix, group
    for name in group:
        path = f"{prefix}/{name}" if prefix else name
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            yield path, link
        elif isinstance(item := group[name], h5py.Group):
            yield from _walk(item, path)
        else:
            yield path, item


def _entries(file: h5py.File, path: str, item: Any, link: Linked | None) -> dict[str, Any]:
    at = f"{path}/" if path else ""
    if isinstance(item, h5py.SoftLink):
        return {f"{at}.zgroup": {"zarr_format": 2}, f"{at}.zattrs": {"_SOFT_LINK": {"path": item.path}}}
    attributes = {name: _attribute(file, value) for name, value in item.attrs.items()}
    if isinstance(item, h5py.Group):
        entries: dict[str, Any] = {f"{at}.zgroup": {"zarr_format": 2}}
    elif link is not None:
        entries = {
            f"{at}.zarray": _array(link.shape, link.block, item.dtype.str, compressor=dict(link.codec))
        }
    else:
        entries, scalar = _inline(file, at, item)
        attributes |= {"_SCALAR": True} if scalar else {}
    if attributes:
        entries[f"{at}.zattrs"] = attributes
    return entries


def _block_entries(linked: Mapping[str, Linked], link: Linked, template: str) -> dict[str, Any]:
    path = next(path for path, other in linked.items() if other is link)
    return {
        f"{path}/{n}.0": ["{{" + template + "}}", offset, length]
        for n, (offset, length) in enumerate(link.ranges)
    }


def _inline(file: h5py.File, at: str, item: h5py.Dataset) -> tuple[dict[str, Any], bool]:
    """The metadata and the one block of an array that is in the document itself, and whether it is a scalar."""
    if item.dtype.fields is not None:
        raise NotLinkable(f"{item.name}: tables of compound rows are not written as LINDI: copy the voltage")
    if item.nbytes > _INLINE_BYTES:
        raise NotLinkable(
            f"{item.name} has {item.nbytes >> 20} MB, too many for a LINDI document: copy the voltage"
        )
    scalar = item.shape == ()
    shape = item.shape or (1,)
    block = tuple(max(1, length) for length in shape)
    values = np.asarray(item[()]).reshape(shape)
    key = at + ".".join("0" * len(shape))
    if item.dtype.kind in "iufb":
        entries = {
            f"{at}.zarray": _array(shape, block, values.dtype.str, compressor={"id": "zlib", "level": 6})
        }
        content = "base64:" + base64.b64encode(zlib.compress(values.tobytes(), 6)).decode("ascii")
    else:
        entries = {f"{at}.zarray": _array(shape, block, "|O", filters=[_JSON_CODEC])}
        texts = [_value(file, value) for value in values.reshape(-1)]
        content = json.dumps([*texts, "|O", list(shape)], separators=(",", ":"), sort_keys=True)
    return entries | ({key: content} if values.size else {}), scalar


def _array(
    shape: tuple[int, ...],
    block: tuple[int, ...],
    dtype: str,
    compressor: Mapping[str, Any] | None = None,
    filters: list[Any] | None = None,
) -> dict[str, Any]:
    return {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(block),
        "dtype": dtype,
        "compressor": compressor,
        "fill_value": None if dtype == "|O" else 0,
        "filters": filters,
        "order": "C",
    }


def _attribute(file: h5py.File, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_attribute(file, part) for part in value]
    return _value(file, value)


def _value(file: h5py.File, value: Any) -> Any:
    if isinstance(value, h5py.Reference):
        target = file[value]
        return {
            "_REFERENCE": {
                "object_id": target.attrs.get("object_id"),
                "path": target.name,
                "source": ".",
                "source_object_id": file.attrs.get("object_id"),
            }
        }
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value
