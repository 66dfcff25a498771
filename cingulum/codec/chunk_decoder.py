"""Decodes one chunk of a recording, all of it or some channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from cingulum.codec.checksums import crc32
from cingulum.codec.chunk_head import Head
from cingulum.codec.errors import CodecError, InvalidHeader
from cingulum.codec.fit import N_NEIGHBOURS
from cingulum.codec.fixed_header import BYTES, FIXED, PREDICTED, Fixed
from cingulum.codec.frames import Body, read_frames
from cingulum.codec.kernels import Kernel, KernelName, kernel_named
from cingulum.codec.parts import Prediction

Samples = NDArray[Any]
Fetch = Callable[[int, int], bytes | memoryview]
RANK_BLOCK = 256  # samples: a block of 385 channels stays in the L2 cache


def decode(data: bytes, *, kernel: KernelName | None = None) -> Samples:
    """The samples of one chunk, (n_samples, n_channels), C order, in their own type.

    Raises InvalidHeader, or CodecError if the chunk is damaged.
    """
    view = memoryview(data)
    return EncodedChunk.parse(lambda at, length: view[at : at + length], len(data)).decode(None, kernel)


def without_padding(data: memoryview) -> memoryview:
    """The chunk at the start of `data`, without the bytes after its end. Raises InvalidHeader."""
    chunk = EncodedChunk.parse(lambda at, length: data[at : at + length], len(data))
    if chunk.fixed.method == BYTES:
        return data  # a zstd frame has its own end
    start = FIXED.size + chunk.fixed.head_bytes
    if chunk.head is None:
        return data[: start + chunk.fixed.raw_bytes]
    return data[: start + int(chunk.head.frame_edges(chunk.fixed.n_samples)[-1])]


@dataclass(frozen=True)
class EncodedChunk:
    """A compressed chunk whose bytes are fetched on demand.

    `fetch(offset, length)` counts from the chunk's first byte.
    """

    fixed: Fixed
    head: Head | None
    fetch: Fetch
    size_bytes: int

    @classmethod
    def parse(cls, fetch: Fetch, size_bytes: int, first_bytes: int = 1 << 16) -> EncodedChunk:
        """Read the chunk's header and head. Raises InvalidHeader."""
        front = bytes(fetch(0, min(first_bytes, size_bytes)))
        fixed = Fixed.parse(front)
        end = FIXED.size + fixed.head_bytes
        if end > size_bytes:
            raise InvalidHeader("the chunk ends within its head")
        if end > len(front):
            front += fetch(len(front), end - len(front))
        fixed.check(front)
        head = Head.parse(fixed, front) if fixed.method == PREDICTED else None
        return cls(fixed, head, fetch, size_bytes)

    def decode(self, channels: NDArray[np.int64] | None, kernel: KernelName | None = None) -> Samples:
        """Samples (n_samples, channels); if all channels are requested, the checksum of the raw chunk is verified."""
        if channels is not None and len(channels) == 0:
            return np.empty((self.fixed.n_samples, 0), self.fixed.dtype)
        if self.head is None:
            whole = self._decode_bytes()
        elif channels is None or len(np.unique(channels)) == self.fixed.n_channels:
            whole = self._decode_places(
                self.head, np.arange(self.fixed.n_channels), None, kernel_named(kernel)
            )
        else:
            places = self._places(self.head, channels)
            return self._decode_places(self.head, places, channels, kernel_named(kernel))
        if crc32(whole.reshape(-1).view(np.uint8).data) != self.fixed.raw_crc:
            raise CodecError("the chunk decodes to other bytes than were compressed")
        return whole if channels is None else np.ascontiguousarray(whole[:, channels])

    def _decode_bytes(self) -> Samples:
        fixed = self.fixed
        body = self.fetch(FIXED.size + fixed.head_bytes, self.size_bytes - FIXED.size - fixed.head_bytes)
        if fixed.method == BYTES:
            try:
                # zstd allocates the size that the frame announces, regardless of the limit passed to it.
                if zstandard.frame_content_size(body) != fixed.raw_bytes:
                    raise CodecError("the chunk does not contain the expected bytes")
                body = zstandard.ZstdDecompressor().decompress(body)
            except zstandard.ZstdError as error:
                raise CodecError(f"the chunk is damaged ({error})") from error
        if len(body) != fixed.raw_bytes:
            raise CodecError("the chunk does not contain the expected bytes")
        flat = np.frombuffer(body, np.uint8)
        if fixed.method == BYTES and fixed.dtype.itemsize:
            flat = np.ascontiguousarray(flat.reshape(fixed.dtype.itemsize, -1).T).reshape(-1)
        shape = (fixed.n_samples, fixed.n_channels)
        return flat.view(fixed.dtype).reshape(shape) if flat.size else np.empty(shape, fixed.dtype)

    def _places(self, head: Head, channels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places in coding order that must be decoded for these channels, neighbours included."""
        place_of = np.arange(self.fixed.n_channels)
        if head.order is not None:
            place_of[head.order] = np.arange(self.fixed.n_channels)
        needed = np.zeros(self.fixed.n_channels, np.bool_)
        needed[place_of[channels]] = True
        reach = ((head.weights != 0) * np.arange(1, N_NEIGHBOURS + 1)).max(axis=1)
        for place in range(self.fixed.n_channels - 1, -1, -1):
            if needed[place]:
                needed[place - reach[place] : place] = True
        return np.flatnonzero(needed)

    def _decode_places(
        self, head: Head, places: NDArray[np.int64], channels: NDArray[np.int64] | None, kernel: Kernel
    ) -> Samples:
        fixed = self.fixed
        body = Body(FIXED.size + fixed.head_bytes, self.size_bytes, self.fetch)
        parts = read_frames(head, fixed.n_samples, places, body, kernel)
        # If a channel is predicted from k channels before it, all k are decoded, so distances between rows are kept.
        prediction = Prediction(head.weights[places], head.coefficients[places], head.segments)
        numbers = places if head.order is None else head.order[places].astype(np.int64)
        chosen = np.arange(fixed.n_channels) if channels is None else np.unique(channels)
        column_of = np.full(fixed.n_channels, -1)
        column_of[chosen] = np.arange(len(chosen))
        narrow = fixed.dtype.itemsize == 2
        offsets = head.offsets[places]
        added = offsets.astype(np.int16) if narrow else np.zeros(len(places), np.int16)
        columns = column_of[numbers]
        out = kernel.backward(parts, prediction, added, columns, len(chosen))
        if head.code_book is not None:
            _from_ranks(out, head, columns, places)
        samples: Samples = out.view(fixed.dtype) if narrow else _widen(out, offsets, columns, fixed.dtype)
        if channels is None or np.array_equal(chosen, channels):
            return samples
        return samples[:, np.searchsorted(chosen, channels)]


def _widen(
    out: NDArray[np.int16], offsets: NDArray[np.int32], columns: NDArray[np.int64], dtype: np.dtype[Any]
) -> Samples:
    added = np.zeros(out.shape[1], np.int32)
    added[columns[columns >= 0]] = offsets[columns >= 0]
    return (out + added).view(dtype)


def _from_ranks(
    out: NDArray[np.int16], head: Head, columns: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    if head.code_book is None or head.ranked is None or len(head.code_book) == 0:
        raise InvalidHeader("the code book is empty")
    last = len(head.code_book) - 1
    other = columns[(columns >= 0) & (head.ranked[places] == 0)]
    table = head.code_book[np.minimum(np.arange(1 << 16), last)]
    for start in range(0, len(out), RANK_BLOCK):
        # Looking up whole rows is far faster than selected columns, and nearly all columns are needed.
        block = out[start : start + RANK_BLOCK]
        unranked = block[:, other]
        block[...] = table[block.view(np.uint16)]
        block[:, other] = unranked
