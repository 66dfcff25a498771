"""The frames after a chunk's head: per channel, entropy-coded symbols, low bits and escaped values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from cingulum.codec.checksums import crc32
from cingulum.codec.chunk_head import Head
from cingulum.codec.errors import CodecError, InvalidHeader
from cingulum.codec.kernels import Kernel
from cingulum.codec.parts import Residuals, Streams, low_bytes
from cingulum.codec.plain_rans import LOWEST_STATE
from cingulum.codec.symbol_tables import BYTE_OF, frequencies_of, levels_of

# In effect only Huffman coding: hardly any match is long enough.
# Negative levels would be faster, but do not code literals.
HUFFMAN_ONLY = zstandard.ZstdCompressionParameters(
    compression_level=1, strategy=zstandard.STRATEGY_FAST, min_match=7, hash_log=6, write_content_size=True
)
Frame = bytes | memoryview
NEARBY_BYTES = 1 << 15  # frames this close to each other are fetched with one request
KEPT_BYTES = 1 << 24  # per thread: more than one second of 384 channels
MAX_WINDOW_BYTES = 1 << 23  # supported by every zstd reader; ours decodes whole frames and needs no window
FEW_RUNS = 16  # of adjacent frames; above that they are copied


class _Engines(threading.local):
    """Reused for all chunks of a thread: zstd contexts, whose tables take longer to build than a channel to compress.

    Also memory for symbols, because the kernel would clear freed memory each time it is allocated again.
    """

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(compression_params=HUFFMAN_ONLY)
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        self._room = np.empty(0, np.uint8)

    def room(self, size: int) -> NDArray[np.uint8]:
        """Memory that the next call on this thread reuses, up to a limit."""
        if size > KEPT_BYTES:
            return np.empty(size, np.uint8)
        if len(self._room) < size:
            self._room = np.empty(size, np.uint8)
        return self._room[:size]


_engines = _Engines()


def write_frames(
    head: Head, parts: Residuals, counts: NDArray[np.int64], kernel: Kernel, *, tables: bool
) -> list[Frame]:
    """Make all frames of a chunk, and write their lengths, checksums and tables into `head`."""
    symbols = parts.symbols
    n_channels, n_samples = symbols.shape
    if tables:
        coded = _encode_with_tables(head, symbols, counts, kernel)
    else:
        edges = range(0, n_channels, head.channels_per_frame)
        coded = [
            _engines.compressor.compress(symbols[start : start + head.channels_per_frame].reshape(-1).data)
            for start in edges
        ]
    head.symbol_bytes = np.array([len(part) for part in coded], np.uint32)
    if len(parts.escaped) or len(parts.low):
        coded = _append_spilled(head, coded, parts.escaped, parts.low, n_samples)
    head.frame_crcs = np.array([crc32(frame) for frame in coded], np.uint32)
    return coded


def _encode_with_tables(
    head: Head, symbols: NDArray[np.uint8], counts: NDArray[np.int64], kernel: Kernel
) -> list[Frame]:
    head.levels = levels_of(counts[:, BYTE_OF])
    states, lengths, words = kernel.rans_encode(symbols, frequencies_of(head.levels))
    head.states, head.words = states, lengths.astype(np.uint32)
    content = words.astype("<u4", copy=False).view(np.uint8).data  # a view, not a copy: it is large
    edges = np.concatenate([[0], np.cumsum(lengths * 4)]).tolist()
    return [content[start:stop] for start, stop in pairwise(edges)]


def _append_spilled(
    head: Head, coded: list[Frame], escaped: NDArray[np.int16], low: NDArray[np.uint8], n_samples: int
) -> list[Frame]:
    escaped_at = np.concatenate([[0], np.cumsum(head.exceptions, dtype=np.int64)])
    low_at = np.concatenate([[0], np.cumsum(low_bytes(head.shifts, n_samples))])
    per_frame, n_channels = head.channels_per_frame, len(head.shifts)
    frames = []
    for frame, part in enumerate(coded):
        first, end = frame * per_frame, min((frame + 1) * per_frame, n_channels)
        extra = low[low_at[first] : low_at[end]].tobytes()
        whole = escaped[escaped_at[first] : escaped_at[end]].astype("<i2", copy=False).tobytes()
        frames.append(b"".join([part, extra, whole]) if extra or whole else part)
    return frames


@dataclass(frozen=True)
class Body:
    """Where the frames are: `start` and `end` count from the chunk's first byte."""

    start: int
    end: int
    fetch: Callable[[int, int], bytes | memoryview]


def read_frames(
    head: Head, n_samples: int, places: NDArray[np.int64], body: Body, kernel: Kernel
) -> Residuals:
    """The residuals of the channels at `places`.

    Fetches only the frames that contain them. Raises CodecError if a frame's checksum is wrong.
    The symbols may be in memory that the next call on this thread reuses.
    """
    edges = head.frame_edges(n_samples)
    if body.start + int(edges[-1]) != body.end:
        raise InvalidHeader("the frames do not fill the chunk")
    per_frame = head.channels_per_frame
    frames = np.unique(places // per_frame)
    buffer, starts = _fetch(frames, edges, body)
    ends = (starts + edges[frames + 1] - edges[frames]).tolist()
    for frame, at, end, crc in zip(
        frames.tolist(), starts.tolist(), ends, head.frame_crcs[frames].tolist(), strict=True
    ):
        if crc32(buffer[at:end]) != crc:
            raise CodecError(f"the frame of channel place {frame * per_frame} is damaged")
    selected = _Frames(head, n_samples, places, frames, buffer, starts)
    numbered = head.levels is None
    symbols = selected.decode_zstd() if numbered else selected.decode_tables(kernel)
    escapes = head.exceptions[places].astype(np.int64)
    return Residuals(symbols, numbered, head.shifts[places], escapes, *selected.spilled())


def _fetch(
    frames: NDArray[np.int64], edges: NDArray[np.int64], body: Body
) -> tuple[memoryview, NDArray[np.int64]]:
    """The bytes of some frames (at least one), and where each starts in them; nearby frames are fetched together."""
    first_bytes, end_bytes = edges[frames], edges[frames + 1]
    far = np.append(False, first_bytes[1:] - end_bytes[:-1] > NEARBY_BYTES)
    firsts, lasts = first_bytes[np.append(0, np.flatnonzero(far))], end_bytes[np.append(far[1:], True)]
    blocks = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        blocks.append(body.fetch(body.start + first, last - first))
        if len(blocks[-1]) != last - first:
            raise CodecError("the chunk ends within its frames")
    left_out = firsts - np.append(0, np.cumsum(lasts - firsts)[:-1])  # bytes before each block
    starts = first_bytes - left_out[np.cumsum(far)]
    return memoryview(blocks[0] if len(blocks) == 1 else b"".join(blocks)), starts


@dataclass(frozen=True)
class _Frames:
    """The frames that contain some channels: `starts` is where each begins in `buffer`."""

    head: Head
    n_samples: int
    places: NDArray[np.int64]
    frames: NDArray[np.int64]
    buffer: memoryview
    starts: NDArray[np.int64]

    def decode_tables(self, kernel: Kernel) -> NDArray[np.uint8]:
        head, places = self.head, self.places
        if head.states is None or head.words is None or head.channels_per_frame != 1:
            raise InvalidHeader("rANS streams need states, and a frame for each channel")
        lengths = head.words[places].astype(np.int64)
        words, at = self._words(lengths)
        streams = Streams(head.states[places], words, at)
        symbols, states, ends = kernel.rans_decode(streams, head.frequencies(places), self.n_samples)
        if (states != LOWEST_STATE).any() or (ends != at + lengths).any():
            raise CodecError("a rANS stream does not end at the expected offset")
        return symbols

    def _words(self, lengths: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """All words (at least one), and where those of each channel begin. Copied if other parts misalign them."""
        if len(self.buffer) >= 4 and not (self.starts % 4).any():
            return np.frombuffer(self.buffer[: len(self.buffer) // 4 * 4], "<u4"), self.starts // 4
        parts = [self.buffer[at : at + size] for at, size in zip(self.starts, 4 * lengths, strict=True)]
        return np.frombuffer(b"".join([*parts, bytes(4)]), "<u4"), np.cumsum(lengths) - lengths

    def decode_zstd(self) -> NDArray[np.uint8]:
        per_frame, frames = self.head.channels_per_frame, self.frames
        first = frames * per_frame
        sizes = np.minimum(first + per_frame, len(self.head.shifts)) - first
        n_values = sizes * self.n_samples
        lengths = self.head.symbol_bytes[frames].astype(np.int64)
        ends = (self.starts + lengths).tolist()
        for at, end, size in zip(self.starts.tolist(), ends, n_values.tolist(), strict=True):
            if _content_size(self.buffer[at:end]) != size:
                raise CodecError("a zstd frame has another size than its channels")
        runs = self._runs(self.starts, lengths)
        flat = _decompress(runs if len(runs) <= FEW_RUNS else [b"".join(runs)], int(n_values.sum()))
        flat = flat.reshape(-1, self.n_samples)
        if len(flat) == len(self.places):
            return flat
        rows = np.concatenate([start + np.arange(size) for start, size in zip(first, sizes, strict=True)])
        return np.ascontiguousarray(flat[np.isin(rows, self.places)])

    def spilled(self) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
        """Escaped residuals and low bits of all channels."""
        head, per_frame = self.head, self.head.channels_per_frame
        low_sizes, escaped_sizes = (
            low_bytes(head.shifts, self.n_samples),
            2 * head.exceptions.astype(np.int64),
        )
        low_before = np.concatenate([[0], np.cumsum(low_sizes)])
        escaped_before = np.concatenate([[0], np.cumsum(escaped_sizes)])
        places = self.places[(low_sizes + escaped_sizes)[self.places] > 0]
        frames = places // per_frame
        first, end = frames * per_frame, np.minimum((frames + 1) * per_frame, len(head.shifts))
        at = self.starts[np.searchsorted(self.frames, frames)] + head.symbol_bytes[frames] - low_before[first]
        escaped_at = at + low_before[end] + escaped_before[places] - escaped_before[first]
        escaped = b"".join(self._runs(escaped_at, escaped_sizes[places]))
        low = b"".join(self._runs(at + low_before[places], low_sizes[places]))
        return np.frombuffer(escaped, "<i2"), np.frombuffer(low, np.uint8)

    def _runs(self, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> list[memoryview]:
        """Pieces of the buffer; adjacent ones, as most pieces of a frame are, are joined."""
        ends = starts + sizes
        apart = np.flatnonzero(starts[1:] != ends[:-1])
        first, last = np.append(starts[:1], starts[apart + 1]), np.append(ends[apart], ends[-1:])
        return [self.buffer[at:end] for at, end in zip(first.tolist(), last.tolist(), strict=True)]


def _content_size(frame: memoryview) -> int:
    try:
        return zstandard.frame_content_size(frame)
    except zstandard.ZstdError as error:
        raise CodecError(f"a zstd frame is damaged ({error})") from error


def _decompress(runs: list[memoryview] | list[bytes], size: int) -> NDArray[np.uint8]:
    """The contents of runs of zstd frames, one after the other.

    All frames of a run are decoded in one call, because threads wait for one another at each call.
    """
    out = _engines.room(size)
    at = 0
    try:
        for run in runs:
            reader = _engines.decompressor.stream_reader(run, read_across_frames=True)
            at += reader.readinto(out.data[at:])
            if reader.read(1):
                raise CodecError("zstd frames contain more data than their channels")
    except zstandard.ZstdError as error:
        raise CodecError(f"a zstd frame is damaged ({error})") from error
    if at != size:
        raise CodecError("zstd frames contain less data than their channels")
    return out
