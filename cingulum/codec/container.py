"""The .cgl file: chunks back to back and the index at the end, so that a slice needs two or three ranges.

`docs/reference/codec-format.md` describes every byte.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.checksums import crc32
from cingulum.codec.chunk_decoder import EncodedChunk
from cingulum.codec.chunked import ChunkedReader, Samples, check_chunk_sizes, check_chunk_table
from cingulum.codec.errors import CodecError, DamagedChunk, InvalidHeader
from cingulum.codec.kernels import KernelName
from cingulum.codec.ranges import LocalFile, ReadRange, exactly
from cingulum.digests import Digests

SUFFIX = ".cgl"
# Like PNG's: detects a transfer that changed line ends or stripped a bit.
START = b"\x89CGL\r\n\x1a\n" + struct.pack("<HHI", 1, 0, 0)
TRAILER = struct.Struct("<QQIHH8s")  # index offset, index length, its CRC-32, version, 0, magic
END = b"CGLINDEX"
MAX_INDEX_BYTES = 256 << 20
MAX_CHANNELS = 1 << 20


@dataclass(frozen=True)
class Index:
    """The index of a .cgl file; offsets count from the file's first byte.

    `raw` is the size and hashes of the file that was compressed, `tail` the bytes of an incomplete
    last sample, which are in none of the chunks.
    """

    dtype: np.dtype[Any]
    n_channels: int
    sample_rate_hz: float
    chunk_bounds: tuple[int, ...]
    chunk_offsets: tuple[int, ...]
    raw: Digests
    tail: bytes = b""
    digital_channels: tuple[int, ...] = ()
    shanks: tuple[int, ...] = ()
    preset: str = "small"
    raw_suffix: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Index and trailer, to be written after the last chunk."""
        fields = {
            **self.extra,
            "format": "cingulum-recording",
            "version": 1,
            "dtype": self.dtype.newbyteorder("<").str,
            "n_channels": self.n_channels,
            "sample_rate_hz": self.sample_rate_hz,
            "chunk_bounds": list(self.chunk_bounds),
            "chunk_offsets": list(self.chunk_offsets),
            "raw": vars(self.raw),
            "tail_base64": base64.b64encode(self.tail).decode("ascii"),
            "digital_channels": list(self.digital_channels),
            "shanks": list(self.shanks),
            "preset": self.preset,
            "raw_suffix": self.raw_suffix,
        }
        content = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()
        return content + TRAILER.pack(self.chunk_offsets[-1], len(content), crc32(content), 1, 0, END)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse an index. Raises InvalidHeader with the reason."""
        try:
            fields = json.loads(content)
            bounds, offsets = fields["chunk_bounds"], fields["chunk_offsets"]
            check_chunk_table(bounds, offsets)
            index = cls(
                dtype=np.dtype(str(fields["dtype"])),
                n_channels=int(fields["n_channels"]),
                sample_rate_hz=float(fields["sample_rate_hz"]),
                chunk_bounds=tuple(bounds),
                chunk_offsets=tuple(offsets),
                raw=Digests(**fields["raw"]),
                tail=base64.b64decode(fields["tail_base64"], validate=True),
                digital_channels=tuple(int(channel) for channel in fields["digital_channels"]),
                shanks=tuple(int(shank) for shank in fields["shanks"]),
                preset=str(fields["preset"]),
                raw_suffix=_suffix(fields.get("raw_suffix", "")),
            )
        except InvalidHeader:
            raise
        except (KeyError, TypeError, ValueError, RecursionError, binascii.Error) as error:
            raise InvalidHeader(f"the index has an unsupported version ({error!r})") from error
        index.check()
        return index

    def check(self) -> None:
        """Raise InvalidHeader if the index claims more than is allowed, or contradicts itself."""
        if not 0 < self.n_channels <= MAX_CHANNELS or not 0 < self.sample_rate_hz < float("inf"):
            raise InvalidHeader("the index has an impossible number of channels or rate")
        if self.dtype.kind not in "iufcb" or self.dtype.itemsize > 16:
            raise InvalidHeader(f"the index has type {self.dtype}, which is not a number")
        row = self.n_channels * self.dtype.itemsize
        check_chunk_sizes(self.chunk_bounds, self.chunk_offsets, row)
        if self.chunk_bounds[-1] * row + len(self.tail) != self.raw.size_bytes or len(self.tail) >= row:
            raise InvalidHeader("the index contradicts itself about the size of the recording")


def _suffix(text: Any) -> str:
    """The extension of a file name, or "" if it could be anything else, such as a path.

    >>> _suffix(".dat"), _suffix("/../x")
    ('.dat', '')
    """
    return text if isinstance(text, str) and re.fullmatch(r"\.\w{1,16}", text) else ""


def read_index(read_range: ReadRange, size_bytes: int) -> Index:
    """The index of a .cgl object of that size, by one or two ranges from its end."""
    if size_bytes < len(START) + TRAILER.size:
        raise InvalidHeader("the file is too short to be a complete .cgl")
    guess = min(size_bytes, 1 << 16)
    end = exactly(read_range, size_bytes - guess, guess)
    offset, length, crc, version, _, magic = TRAILER.unpack(end[-TRAILER.size :])
    if magic != END or version != 1:
        raise InvalidHeader("the file does not end like a .cgl: it has another format, or is truncated")
    if length > MAX_INDEX_BYTES or offset < len(START) or offset + length + TRAILER.size != size_bytes:
        raise InvalidHeader("the index is not at the offset stored at the end of the file")
    if length + TRAILER.size <= guess:
        content = end[guess - TRAILER.size - length : guess - TRAILER.size]
    else:
        content = exactly(read_range, offset, length)
    if crc32(content) != crc:
        raise InvalidHeader("the index is damaged")
    index = Index.parse(content)
    if index.chunk_offsets[-1] != offset or index.chunk_offsets[0] != len(START):
        raise InvalidHeader("the chunks do not fill the file")
    return index


class CglReader(ChunkedReader):
    """Random access to a .cgl recording; reads only the bytes of the requested channels."""

    def __init__(self, read_range: ReadRange, index: Index, kernel: KernelName | None = None) -> None:
        super().__init__(
            read_range,
            dtype=index.dtype,
            n_channels=index.n_channels,
            sample_rate_hz=index.sample_rate_hz,
            chunk_bounds=index.chunk_bounds,
            chunk_offsets=index.chunk_offsets,
            tail=index.tail,
        )
        self.index = index
        self.has_hash = True
        self.raw_sha1 = index.raw.sha1
        self.raw_suffix = index.raw_suffix
        self._kernel = kernel

    def difference(self, digests: Digests) -> str | None:
        return None if digests == self.index.raw else "size or hashes differ from those in its index"

    def decode_chunk(self, chunk: int, data: bytes, channels: NDArray[np.int64] | None = None) -> Samples:
        return self._decode(chunk, lambda offset, length: data[offset : offset + length], len(data), channels)

    def read_chunk(self, chunk: int, channels: NDArray[np.int64] | None = None) -> Samples:
        start, size = self.byte_range(chunk)
        if channels is None:
            return super().read_chunk(chunk)

        def fetch(offset: int, length: int) -> bytes:
            length = max(0, min(length, size - offset))
            return exactly(self._read_range, start + offset, length)

        return self._decode(chunk, fetch, size, channels)

    def _decode(self, chunk: int, fetch: Any, size: int, channels: NDArray[np.int64] | None) -> Samples:
        try:
            encoded = EncodedChunk.parse(fetch, size)
            shape = (self.chunk_bounds[chunk + 1] - self.chunk_bounds[chunk], self.n_channels)
            if (
                encoded.fixed.n_samples,
                encoded.fixed.n_channels,
            ) != shape or encoded.fixed.dtype != self.dtype:
                raise InvalidHeader("the chunk has another shape or type than the index says")
            return encoded.decode(channels, self._kernel)
        except DamagedChunk:
            raise
        except CodecError as error:
            raise self.damaged(chunk, str(error)) from error


class CglFile(CglReader):
    """A .cgl on a local disk. Close it, or use it in a `with` block."""

    def __init__(self, path: Path, kernel: KernelName | None = None) -> None:
        self.path = path
        self.file = LocalFile(path)
        try:
            super().__init__(self.file, read_index(self.file, self.file.size_bytes), kernel)
        except BaseException:
            self.file.close()
            raise

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
