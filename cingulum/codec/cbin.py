"""Reader of the .cbin/.ch pairs of mtscomp, the field's format for compressed raw recordings.

Layout   .cbin holds one zlib stream (RFC 1950) per chunk, back to back. A stream holds the chunk's
         samples, little-endian, channel after channel (order "F") or sample after sample ("C"),
         each replaced by its difference to the previous sample and, optionally, to the previous channel;
         first samples are stored unchanged. Integers wrap around.
         .ch is JSON: type, channels, rate, and where each chunk starts in time and in the file.
Source   https://github.com/int-brain-lab/mtscomp, whose format version is "1.0"
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.chunked import ChunkedReader, Samples, check_chunk_sizes, check_chunk_table
from cingulum.codec.claims import SHA256_DIGITS, Claim, claims_of_ch, hash_or_none
from cingulum.codec.companions import find_companion
from cingulum.codec.deflate_engines import inflate
from cingulum.codec.errors import InvalidHeader
from cingulum.codec.ranges import LocalFile, ReadRange
from cingulum.digests import Digests

MAX_HEADER_BYTES = 64 << 20  # a day of one-second chunks has 3 MB of header
MAX_CHANNELS = 1 << 20
TAIL_KEY = "cingulum_tail_base64"


@dataclass(frozen=True)
class CbinHeader:
    """The content of a .ch file.

    `chunk_bounds` count samples, `chunk_offsets` count bytes of the .cbin; both start at 0 and end
    with the totals. Hashes are null in a copy that was cut to its first chunks.
    `tail` holds the bytes of a half-written last sample, which mtscomp itself refuses.
    """

    dtype: np.dtype[Any]
    n_channels: int
    sample_rate_hz: float
    chunk_bounds: tuple[int, ...]
    chunk_offsets: tuple[int, ...]
    chunk_order: str = "F"
    do_time_diff: bool = True
    do_spatial_diff: bool = False
    sha1_compressed: str | None = None
    sha1_uncompressed: str | None = None
    chopped: bool = False
    comp_level: int = 6
    tail: bytes = b""
    sha256_uncompressed: str | None = None  # our own field; mtscomp knows only SHA-1, and ignores it
    claims: tuple[Claim, ...] = ()  # claims of the .ch about itself and the .cbin

    @classmethod
    def parse(cls, content: bytes | str | dict[str, Any], companion: str = "the .ch") -> Self:
        """Parse the content of a .ch file of that name. Raises InvalidHeader.

        A placeholder instead of a hash counts as no hash.

        >>> CbinHeader.parse({"dtype": "int16", "n_channels": 2, "sample_rate": 30000.0, "chunk_order": "F",
        ...     "do_time_diff": True, "do_spatial_diff": False,
        ...     "chunk_bounds": [0, 5], "chunk_offsets": [0, 20]}).chunk_bounds
        (0, 5)
        """
        fields = _json_object(content)
        required = {"dtype", "n_channels", "sample_rate", "chunk_bounds", "chunk_offsets"}
        if missing := required - fields.keys():
            raise InvalidHeader(f"the .ch file has no {', '.join(sorted(missing))}")
        bounds, offsets = fields["chunk_bounds"], fields["chunk_offsets"]
        if not (isinstance(bounds, list) and isinstance(offsets, list)):
            raise InvalidHeader("chunk_bounds and chunk_offsets must be lists")
        check_chunk_table(bounds, offsets)
        algorithm = fields.get("algorithm", "zlib")
        if algorithm != "zlib":
            raise InvalidHeader(f"algorithm {algorithm!r} is unknown: mtscomp knows zlib only")
        header = cls(
            dtype=_dtype(fields["dtype"]),
            n_channels=_count(fields["n_channels"], "n_channels", MAX_CHANNELS),
            sample_rate_hz=_rate(fields["sample_rate"]),
            chunk_bounds=tuple(bounds),
            chunk_offsets=tuple(offsets),
            chunk_order=str(fields.get("chunk_order", "F")),
            do_time_diff=bool(fields.get("do_time_diff", True)),
            do_spatial_diff=bool(fields.get("do_spatial_diff", False)),
            sha1_compressed=hash_or_none(fields.get("sha1_compressed")),
            sha1_uncompressed=hash_or_none(fields.get("sha1_uncompressed")),
            chopped=bool(fields.get("chopped", False)),
            comp_level=_level(fields.get("comp_level", -1)),
            tail=_tail(fields.get(TAIL_KEY, "")),
            sha256_uncompressed=hash_or_none(fields.get("sha256_uncompressed"), SHA256_DIGITS),
            claims=claims_of_ch(fields, companion),
        )
        header.check()
        return header

    def check(self) -> None:
        """Raise InvalidHeader if a chunk is impossibly large, or the order unknown."""
        if self.chunk_order not in ("F", "C"):
            raise InvalidHeader(f"chunk_order {self.chunk_order!r} is neither F nor C")
        check_chunk_sizes(self.chunk_bounds, self.chunk_offsets, self.n_channels * self.dtype.itemsize)

    def to_json(self) -> str:
        """The content of the .ch file, with every field that mtscomp writes."""
        fields: dict[str, Any] = {
            "version": "1.0",
            "algorithm": "zlib",
            "comp_level": self.comp_level,
            "do_time_diff": self.do_time_diff,
            "do_spatial_diff": self.do_spatial_diff,
            "dtype": str(self.dtype),
            "n_channels": self.n_channels,
            "sample_rate": self.sample_rate_hz,
            "chunk_bounds": list(self.chunk_bounds),
            "chunk_offsets": list(self.chunk_offsets),
            "chunk_order": self.chunk_order,
            "sha1_compressed": self.sha1_compressed,
            "sha1_uncompressed": self.sha1_uncompressed,
            "shape": [self.chunk_bounds[-1], self.n_channels],
        }
        if self.sha256_uncompressed is not None:
            fields["sha256_uncompressed"] = self.sha256_uncompressed
        if self.chopped:
            fields["chopped"] = True
        if self.tail:
            fields[TAIL_KEY] = base64.b64encode(self.tail).decode("ascii")
        return json.dumps(fields, indent=2, sort_keys=True)


class CbinReader(ChunkedReader):
    """Random access to an mtscomp recording, whole, truncated, or streamed in parts.

    >>> import zlib
    >>> stream = zlib.compress(np.array([[5, -5], [1, 1]], "<i2").tobytes(order="F"))
    >>> header = CbinHeader(np.dtype("<i2"), 2, 30_000.0, (0, 2), chunk_offsets=(0, len(stream)))
    >>> reader = CbinReader(lambda offset, length: stream[offset : offset + length], header)
    >>> reader.read(0, 2).tolist()
    [[5, -5], [6, -4]]
    """

    def __init__(self, read_range: ReadRange, header: CbinHeader) -> None:
        super().__init__(
            read_range,
            dtype=header.dtype,
            n_channels=header.n_channels,
            sample_rate_hz=header.sample_rate_hz,
            chunk_bounds=header.chunk_bounds,
            chunk_offsets=header.chunk_offsets,
            tail=header.tail,
        )
        self.header = header
        self.has_hash = header.sha1_uncompressed is not None
        self.raw_sha1 = header.sha1_uncompressed
        self.claims = header.claims

    def difference(self, digests: Digests) -> str | None:
        known = self.header.sha1_uncompressed
        return None if known in (None, digests.sha1) else "SHA-1 differs from sha1_uncompressed in its .ch"

    def decode_chunk(self, chunk: int, data: bytes, channels: NDArray[np.int64] | None = None) -> Samples:
        n_samples = self.chunk_bounds[chunk + 1] - self.chunk_bounds[chunk]
        try:
            raw = inflate(data, n_samples * self.n_channels * self.dtype.itemsize)
        except ValueError as error:
            raise self.damaged(chunk, str(error)) from error
        differences = np.frombuffer(raw, self.dtype)
        return undo_differences(differences, n_samples, self.header, channels)


def undo_differences(
    flat: Samples, n_samples: int, header: CbinHeader, channels: NDArray[np.int64] | None
) -> Samples:
    """Samples (n_samples, channels), C order, from a chunk's inflated content."""
    if header.chunk_order == "F":
        by_channel = flat.reshape(header.n_channels, n_samples)
    else:
        by_channel = flat.reshape(n_samples, header.n_channels).T
    # Sums must wrap as the differences did: numpy would widen them without dtype.
    kind = header.dtype
    if header.do_spatial_diff:
        by_channel = np.cumsum(by_channel, axis=0, dtype=kind, out=_in_place(by_channel))
    if channels is not None:
        by_channel = by_channel[channels]
    if header.do_time_diff:
        by_channel = np.cumsum(by_channel, axis=1, dtype=kind, out=_in_place(by_channel))
    return np.ascontiguousarray(by_channel.T)


def _in_place(samples: Samples) -> Samples | None:
    """Where sums are written: over their summands, which saves the memory of one chunk, if that array is our own."""
    return samples if samples.flags.writeable else None


class CbinFile(CbinReader):
    """A .cbin on a local disk with that .ch, or the one beside it. Close it, or use it in a `with` block."""

    def __init__(self, path: Path, header_path: Path | None = None) -> None:
        self.path = path
        header_path = header_path or find_companion(path, ".ch") or path.with_suffix(".ch")
        header = CbinHeader.parse(read_header_file(header_path), header_path.name)
        self.file = LocalFile(path)
        super().__init__(self.file, header)

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_header_file(path: Path) -> bytes:
    """Content of a .ch file. Raises InvalidHeader if it is missing or too large."""
    try:
        if path.stat().st_size > MAX_HEADER_BYTES:
            raise InvalidHeader(f"{path.name} is too large for a .ch file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidHeader(f"{path.name} is missing: a .cbin cannot be read without its .ch") from error


def _json_object(content: bytes | str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(content, dict):
        return content
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidHeader(f"the .ch file is not JSON ({error})") from error
    if not isinstance(fields, dict):
        raise InvalidHeader("the .ch file is not a JSON object")
    return fields


def _dtype(name: Any) -> np.dtype[Any]:
    try:
        dtype = np.dtype(str(name))
    except (TypeError, ValueError, SyntaxError) as error:  # numpy parses the text as a struct
        raise InvalidHeader(f"dtype {name!r} is unknown") from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise InvalidHeader(f"dtype {name!r} is not a number")
    return dtype


def _count(value: Any, name: str, largest: int) -> int:
    if type(value) is not int or not 0 < value <= largest:
        raise InvalidHeader(f"{name} is {value!r}, it must be from 1 to {largest}")
    return value


def _rate(value: Any) -> float:
    try:
        rate = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
    except OverflowError:
        rate = math.inf
    if not 0 < rate < math.inf:
        raise InvalidHeader(f"sample_rate is {str(value)[:40]!r}, it must be a number above 0")
    return rate


def _level(value: Any) -> int:
    """The zlib level used for compression, -1 if it is not recorded; nothing depends on it."""
    return value if type(value) is int and -1 <= value <= 9 else -1


def _tail(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except ValueError as error:  # binascii.Error is one; so is what is not ASCII
        raise InvalidHeader(f"{TAIL_KEY} is not base64") from error
