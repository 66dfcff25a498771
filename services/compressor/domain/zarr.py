"""A recording as a Zarr array: its grid, its metadata in versions 2 and 3, and the keys of its blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BLOCK_CHANNELS: Final = 64  # a Neuropixels probe is six of them and the sync channel
BLOCK_BYTES: Final = 32 << 20  # of all channels together: a second of a Neuropixels 1.0 probe is 23 MB
# 0.3 in version 2, c/0/3 in version 3; without leading zeros, so that one block has one key
_BLOCK: Final = re.compile(r"(?:c/(0|[1-9]\d{0,11})/(0|[1-9]\d{0,5})|(0|[1-9]\d{0,11})\.(0|[1-9]\d{0,5}))\Z")


class Document(StrEnum):
    """The metadata of an array, by their keys in a store."""

    ARRAY_V2 = ".zarray"
    ATTRIBUTES_V2 = ".zattrs"
    ARRAY_V3 = "zarr.json"


@dataclass(frozen=True)
class Block:
    """The samples from `start` up to `stop` and channels from `first` up to `last`, ends excluded."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Grid:
    """An array (n_samples, n_channels) in blocks of (block_samples, block_channels); those at the ends are padded."""

    n_samples: int
    n_channels: int
    block_samples: int
    block_channels: int
    dtype: np.dtype[Any]

    @classmethod
    def over(cls, chunk_bounds: Sequence[int], n_channels: int, dtype: np.dtype[Any]) -> Grid:
        """The grid along the chunks of a compressed recording, so that a block is decoded from one chunk.

        >>> grid = Grid.over([0, 30_000, 60_000, 70_000], 385, np.dtype("<i2"))
        >>> grid.block_samples, grid.block_channels
        (30000, 64)
        """
        longest = max(1, BLOCK_BYTES // (n_channels * dtype.itemsize))
        first = chunk_bounds[1] if len(chunk_bounds) > 1 else 1
        return cls(
            n_samples=chunk_bounds[-1],
            n_channels=n_channels,
            block_samples=min(first, longest),
            block_channels=min(n_channels, BLOCK_CHANNELS),
            dtype=dtype.newbyteorder("<"),
        )

    @property
    def block_shape(self) -> tuple[int, int]:
        """Samples and channels of every block."""
        return self.block_samples, self.block_channels

    @property
    def block_bytes(self) -> int:
        """Size of every block."""
        return self.block_samples * self.block_channels * self.dtype.itemsize

    def block_at(self, key: str) -> Block | None:
        """The block of a key of version 2 or 3; None for another key, and for a block outside the array.

        >>> grid = Grid.over([0, 100, 150], 70, np.dtype("<i2"))
        >>> grid.block_at("1.1"), grid.block_at("c/1/1") == grid.block_at("1.1"), grid.block_at("2.0")
        (Block(start=100, stop=150, first=64, last=70), True, None)
        """
        match = _BLOCK.match(key)
        if match is None:
            return None
        row, column = int(match[1] or match[3] or 0), int(match[2] or match[4] or 0)
        start, first = row * self.block_samples, column * self.block_channels
        if start >= self.n_samples or first >= self.n_channels:
            return None
        stop = min(start + self.block_samples, self.n_samples)
        return Block(start, stop, first, min(first + self.block_channels, self.n_channels))

    def pad(self, samples: NDArray[Any]) -> bytes:
        """The bytes of a block: little-endian, time first, and zeros up to the size that all blocks have.

        >>> Grid(3, 1, 2, 1, np.dtype("<i2")).pad(np.array([[7]], "<i2")).hex()
        '07000000'
        """
        if samples.shape == self.block_shape:
            return np.ascontiguousarray(samples, self.dtype).tobytes()
        block = np.zeros(self.block_shape, self.dtype)
        block[: samples.shape[0], : samples.shape[1]] = samples
        return block.tobytes()

    def describe(self, document: Document, attributes: dict[str, Any]) -> dict[str, Any]:
        """One document of the metadata. Blocks are not compressed: any reader of Zarr takes them.

        >>> grid = Grid.over([0, 100, 150], 70, np.dtype("<i2"))
        >>> grid.describe(Document.ARRAY_V2, {})["chunks"], grid.describe(Document.ARRAY_V3, {})["data_type"]
        ([100, 64], 'int16')
        """
        shape = [self.n_samples, self.n_channels]
        match document:
            case Document.ARRAY_V2:
                return {
                    "zarr_format": 2,
                    "shape": shape,
                    "chunks": list(self.block_shape),
                    "dtype": self.dtype.str,
                    "compressor": None,
                    "fill_value": 0,
                    "order": "C",
                    "filters": None,
                    "dimension_separator": ".",
                }
            case Document.ATTRIBUTES_V2:
                return {"_ARRAY_DIMENSIONS": ["time", "channel"], **attributes}
            case Document.ARRAY_V3:
                return {
                    "zarr_format": 3,
                    "node_type": "array",
                    "shape": shape,
                    "data_type": self.dtype.name,
                    "chunk_grid": {
                        "name": "regular",
                        "configuration": {"chunk_shape": list(self.block_shape)},
                    },
                    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                    "fill_value": 0,
                    "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                    "dimension_names": ["time", "channel"],
                    "attributes": attributes,
                }


def document_of(key: str) -> Document | None:
    """The document of a key; None for other keys.

    >>> document_of(".zarray"), document_of(".zgroup")
    (<Document.ARRAY_V2: '.zarray'>, None)
    """
    return next((document for document in Document if document == key), None)
