"""Random access to a recording that is compressed in independent chunks, in any format."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.claims import Claim, Facts
from cingulum.codec.errors import DamagedChunk, InvalidHeader
from cingulum.codec.ranges import ReadRange
from cingulum.digests import Digests

Samples = NDArray[Any]
MAX_CHUNK_BYTES = 1 << 30  # one second of 5,000 channels at 30 kHz is 300 MB
SMALL_CHUNK_BYTES = 4_096
Channels = slice | Sequence[int] | NDArray[np.integer[Any]] | None


def pick_channels(channels: Channels, n_channels: int) -> NDArray[np.int64]:
    """Channel numbers from a slice, a list or None (all); negative ones count from the end.

    >>> pick_channels(slice(None, 6, 2), 385).tolist()
    [0, 2, 4]
    >>> pick_channels([3, -1], 385).tolist()
    [3, 384]
    """
    if channels is None:
        return np.arange(n_channels)
    if isinstance(channels, slice):
        return np.arange(n_channels)[channels]
    chosen = np.asarray(channels)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise TypeError("channels must be integers, a slice, or None for all")
    numbers = chosen.astype(np.int64)
    if numbers.size and not (-n_channels <= numbers.min() and numbers.max() < n_channels):
        raise IndexError(f"channels range from 0 to {n_channels - 1}")
    return np.where(numbers < 0, numbers + n_channels, numbers)


class ChunkedReader(ABC):
    """Samples of a compressed recording by time and channel; decodes only the requested chunks.

    Array    (n_samples, n_channels), in the type the recording had
    Bytes    come from `read_range(offset, length)`: of a local file, an object in S3, an HTTP address
    Threads  may share a reader if they may share its `read_range`
    """

    path: Path | None = None  # of the file, if it is on a local disk
    has_hash: bool = False  # whether the original's hash is known, so that `difference` can compare it
    raw_suffix: str = ""  # of the file that was compressed, such as .dat, if known
    raw_sha1: str | None = None  # of the file that was compressed, from the header
    claims: tuple[Claim, ...] = ()  # of the companion that is needed to read it: a .ch

    def __init__(
        self,
        read_range: ReadRange,
        *,
        dtype: np.dtype[Any],
        n_channels: int,
        sample_rate_hz: float,
        chunk_bounds: Sequence[int],
        chunk_offsets: Sequence[int],
        tail: bytes = b"",
    ) -> None:
        check_chunk_table(chunk_bounds, chunk_offsets)
        self._read_range = read_range
        self.dtype = dtype
        self.n_channels = n_channels
        self.sample_rate_hz = sample_rate_hz
        self.chunk_bounds = chunk_bounds
        self.chunk_offsets = chunk_offsets
        self.tail = tail

    def reading(self, read_range: ReadRange) -> Self:
        """The same recording with bytes from another source: nothing is parsed or checked again."""
        other = copy.copy(self)
        other._read_range = read_range
        return other

    @property
    def n_chunks(self) -> int:
        return len(self.chunk_bounds) - 1

    @property
    def n_samples(self) -> int:
        """Samples per channel."""
        return int(self.chunk_bounds[-1])

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_channels)."""
        return self.n_samples, self.n_channels

    @property
    def raw_size_bytes(self) -> int:
        """Size of the file that was compressed, bytes of a half-written last sample included."""
        return self.n_samples * self.n_channels * self.dtype.itemsize + len(self.tail)

    def facts(self, sha1: str | None = None) -> Facts:
        """Facts about the raw file, to compare with the claims of companions; `sha1` is that of the decoded bytes."""
        return Facts(
            size_bytes=self.raw_size_bytes,
            n_channels=self.n_channels,
            n_samples=self.n_samples,
            sample_rate_hz=self.sample_rate_hz,
            tail_bytes=len(self.tail),
            sha1=sha1 or self.raw_sha1,
            compressed_bytes=None if self.path is None else self.path.stat().st_size,
        )

    def chunks_between(self, t0_sample: int, t1_sample: int) -> range:
        """Numbers of the chunks that hold samples `t0_sample` to `t1_sample` (excluded)."""
        if t1_sample <= t0_sample:
            return range(0)
        first = bisect_right(self.chunk_bounds, t0_sample) - 1
        return range(first, bisect_right(self.chunk_bounds, t1_sample - 1, lo=first))

    def byte_range(self, chunk: int) -> tuple[int, int]:
        """(offset, length) of a compressed chunk, for callers that fetch bytes themselves."""
        offset = int(self.chunk_offsets[chunk])
        return offset, int(self.chunk_offsets[chunk + 1]) - offset

    def damaged(self, chunk: int, reason: str) -> DamagedChunk:
        """The error that names the seconds of a chunk."""
        start, stop = self.chunk_bounds[chunk], self.chunk_bounds[chunk + 1]
        return DamagedChunk(chunk, start / self.sample_rate_hz, stop / self.sample_rate_hz, reason)

    def difference(self, digests: Digests) -> str | None:
        """Why decoded bytes are not the file that was compressed; None if they are, or if it is unknown."""
        del digests
        return None

    @abstractmethod
    def decode_chunk(self, chunk: int, data: bytes, channels: NDArray[np.int64] | None = None) -> Samples:
        """Samples of one chunk from its compressed bytes; raises DamagedChunk."""

    def read_chunk(self, chunk: int, channels: NDArray[np.int64] | None = None) -> Samples:
        """Samples of one chunk, (chunk length, channels); raises DamagedChunk."""
        offset, length = self.byte_range(chunk)
        data = self._read_range(offset, length)
        if len(data) != length:
            raise self.damaged(chunk, f"the file ends {length - len(data)} bytes before the chunk does")
        return self.decode_chunk(chunk, data, channels)

    def read(self, t0_sample: int, t1_sample: int, channels: Channels = None) -> Samples:
        """Samples from `t0_sample` up to `t1_sample` (excluded) as an array (time, channels).

        Both count from the recording's first sample and must lie inside it.
        Raises IndexError outside of it, DamagedChunk where the bytes are not what was written.
        """
        if not 0 <= t0_sample <= t1_sample <= self.n_samples:
            raise IndexError(f"samples {t0_sample} to {t1_sample} are not within 0 to {self.n_samples}")
        numbers = None if channels is None else pick_channels(channels, self.n_channels)
        width = self.n_channels if numbers is None else len(numbers)
        out = np.empty((t1_sample - t0_sample, width), self.dtype)
        for chunk in self.chunks_between(t0_sample, t1_sample):
            start, stop = int(self.chunk_bounds[chunk]), int(self.chunk_bounds[chunk + 1])
            first, last = max(start, t0_sample), min(stop, t1_sample)
            samples = self.read_chunk(chunk, numbers)
            out[first - t0_sample : last - t0_sample] = samples[first - start : last - start]
        return out

    def iter_raw(self) -> Iterator[bytes]:
        """The bytes of the file that was compressed, chunk by chunk, its tail last."""
        for chunk in range(self.n_chunks):
            yield self.read_chunk(chunk).tobytes()
        if self.tail:
            yield self.tail


def check_chunk_sizes(bounds: Sequence[int], offsets: Sequence[int], bytes_per_sample: int) -> None:
    """Raise InvalidHeader when a chunk is larger than anyone records, or than it was before compression.

    >>> check_chunk_sizes([0, 30_000], [0, 8_000_000], bytes_per_sample=770)
    """
    raw = np.diff(np.array(bounds, np.float64)) * bytes_per_sample
    if raw.max(initial=0) > MAX_CHUNK_BYTES:
        raise InvalidHeader("a chunk is over 1 GiB")
    if (np.diff(np.array(offsets, np.float64)) > raw * 1.01 + SMALL_CHUNK_BYTES).any():
        raise InvalidHeader("a compressed chunk is larger than its samples")


def check_chunk_table(bounds: Sequence[int], offsets: Sequence[int]) -> None:
    """Raise InvalidHeader unless both lists start at 0, rise, and have the same length.

    >>> check_chunk_table([0, 30_000, 41_000], [0, 8_213, 11_002])
    """
    if len(bounds) != len(offsets) or len(bounds) < 1:
        raise InvalidHeader("chunk bounds and chunk offsets must have the same length")
    if not all(type(value) is int for value in (*bounds, *offsets)):
        raise InvalidHeader("chunk bounds and offsets must be integers")
    if bounds[0] != 0 or any(b <= a for a, b in pairwise(bounds)):
        raise InvalidHeader("chunk bounds must start at 0 and ascend")
    if offsets[0] < 0 or any(b <= a for a, b in pairwise(offsets)):
        raise InvalidHeader("chunk offsets must ascend")
    if bounds[-1] >= 2**63 or offsets[-1] >= 2**63:
        raise InvalidHeader("chunk bounds and offsets must be below 2^63")
