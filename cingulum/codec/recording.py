"""A recording as an array, `recording[t0:t1, channels]`, for every storage and format."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.cbin import CbinFile, CbinReader
from cingulum.codec.cbin_writer import write_cbin
from cingulum.codec.chunked import Channels, ChunkedReader, Samples, pick_channels
from cingulum.codec.claims import Claim, Contradiction, contradictions
from cingulum.codec.companions import claims_beside
from cingulum.codec.container import CglFile, CglReader, read_index
from cingulum.codec.container_writer import write_cgl
from cingulum.codec.deflate_engines import CompatiblePreset
from cingulum.codec.export import decompress_to_bin
from cingulum.codec.layout import RawLayout
from cingulum.codec.proof import Compression
from cingulum.codec.ranges import LocalFile, ReadRange
from cingulum.codec.source import Decoded, RawFile
from cingulum.digests import Digests

_SLICES = re.compile(r"/slices/[0-9a-fA-F-]{36}/?$")


class RawReader(ChunkedReader):
    """Random access to a recording that is not compressed."""

    def __init__(self, read_range: ReadRange, raw: RawFile) -> None:
        offsets = [bound * raw.layout.bytes_per_sample for bound in raw.chunk_bounds]
        super().__init__(
            read_range,
            dtype=raw.layout.dtype,
            n_channels=raw.layout.n_channels,
            sample_rate_hz=raw.layout.sample_rate_hz,
            chunk_bounds=raw.chunk_bounds,
            chunk_offsets=offsets,
            tail=raw.tail(),
        )
        self.path = raw.path
        self.claims = raw.layout.claims

    def decode_chunk(self, chunk: int, data: bytes, channels: NDArray[np.int64] | None = None) -> Samples:
        samples = np.frombuffer(data, self.dtype).reshape(-1, self.n_channels)
        if len(samples) != self.chunk_bounds[chunk + 1] - self.chunk_bounds[chunk]:
            raise self.damaged(chunk, "the raw file was truncated")
        return samples if channels is None else samples[:, channels]


class ContradictedRecording(UserWarning):
    """The files beside a recording contradict it; it can be read anyway."""


@dataclass(frozen=True)
class Opened:
    """A recording on a local disk, with all claims of its companions. Close it."""

    reader: ChunkedReader
    close: Callable[[], None]
    claims: tuple[Claim, ...]

    def contradictions(self, decoded: Digests | None = None) -> tuple[Contradiction, ...]:
        """Claims that are wrong; the SHA-1 is compared with the decoded bytes, or else with the header."""
        return contradictions(self.claims, self.reader.facts(decoded.sha1 if decoded else None))


def open_local(
    path: Path, *, layout: RawLayout | None = None, ch: Path | None = None, meta: Path | None = None
) -> Opened:
    """Open a .cgl, .cbin or raw file with its companions: those passed, or else those beside it.

    Raises AmbiguousCompanion, InvalidHeader, InvalidLayout, OSError.
    """
    if path.suffix in (".cgl", ".cbin"):
        beside = claims_beside(path, meta)
        file = CglFile(path) if path.suffix == ".cgl" else CbinFile(path, ch)
        return Opened(file, file.close, (*file.claims, *beside))
    raw = RawFile(path, layout or RawLayout.beside(path, meta))
    raw_file = LocalFile(path)
    return Opened(RawReader(raw_file, raw), raw_file.close, raw.layout.claims)


def _text(where: Path | str | None) -> str | None:
    return None if where is None else str(where)


class Recording:
    """Samples of a .cgl, .cbin or raw file, by path, HTTP or S3 address, or of our slice service.

    Array    (n_samples, n_channels), in the recording's own type; volts need the .meta's gain
    Index    time first: an integer or a slice; then channels: integer, slice or list
    Errors   DamagedChunk names the seconds that cannot be read; all others can
    Claims   `contradictions` lists where a .meta, .ch or structure.oebin differs from the file; opening
             such a recording warns (ContradictedRecording)

    >>> import tempfile; from cingulum.codec import compress
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     raw = Path(folder) / "probe.ap.bin"
    ...     _ = raw.write_bytes(np.arange(600, dtype="<i2").tobytes())
    ...     _ = compress(raw, layout=RawLayout(n_channels=3, sample_rate_hz=100.0))
    ...     with Recording.open(raw.with_suffix(".cgl")) as recording:
    ...         recording.shape, recording[10:12, [0, 2]].tolist()
    ((200, 3), [[30, 32], [33, 35]])
    """

    def __init__(
        self,
        reader: ChunkedReader,
        close: Callable[[], None] | None = None,
        contradictions: Sequence[str] = (),
    ) -> None:
        self.reader = reader
        self.contradictions = tuple(contradictions)
        self._close = close
        if self.contradictions:
            warnings.warn("; ".join(self.contradictions), ContradictedRecording, stacklevel=3)

    @classmethod
    def open(
        cls,
        where: Path | str,
        *,
        layout: RawLayout | None = None,
        cache: Path | None = None,
        headers: Mapping[str, str] | None = None,
        ch: Path | str | None = None,
        meta: Path | str | None = None,
    ) -> Self:
        """Open by path, HTTP address, `s3://bucket/key`, or the address of a slice (`…/slices/{dataset}`).

        layout    needed only for raw files without a .meta beside them
        ch, meta  its .ch and .meta, if their names differ (a path, or for an address an address)
        cache     a folder to cache fetched bytes in
        headers   for HTTP, such as {"Authorization": "Token …"}
        """
        if isinstance(where, str) and where.startswith(("http://", "https://", "s3://")):
            return cls._open_address(where, cache, headers, _text(ch), _text(meta))
        opened = open_local(
            Path(where),
            layout=layout,
            ch=None if ch is None else Path(ch),
            meta=None if meta is None else Path(meta),
        )
        return cls(
            opened.reader, opened.close, [str(contradiction) for contradiction in opened.contradictions()]
        )

    @classmethod
    def _open_address(
        cls,
        where: str,
        cache: Path | None,
        headers: Mapping[str, str] | None,
        ch: str | None,
        meta: str | None,
    ) -> Self:
        from cingulum.codec.remote import BlockCache, HttpFile, http_client, remote_claims, remote_header
        from cingulum.codec.s3 import s3_address, s3_client
        from cingulum.codec.slice_service import SliceReader

        in_s3 = where.startswith("s3://")
        address = s3_address(where) if in_s3 else where
        client = s3_client() if in_s3 else http_client(headers)
        try:
            if _SLICES.search(address.partition("?")[0]):
                slices = SliceReader(address, client, cache)
                return cls(slices, client.close, slices.contradictions)
            file = HttpFile(address, client)
            read_range: ReadRange = file
            if cache is not None:
                read_range = BlockCache(file, file.size_bytes, cache, f"{address}\n{file.version}")
            claims = remote_claims(file, client, meta, cache)
            remote: ChunkedReader
            if address.partition("?")[0].endswith(".cbin"):
                header = remote_header(address, client, ch)
                remote, claims = CbinReader(read_range, header), (*header.claims, *claims)
            else:
                remote = CglReader(read_range, read_index(read_range, file.size_bytes))
            facts = replace(remote.facts(), compressed_bytes=file.size_bytes)
            return cls(
                remote, client.close, [str(contradiction) for contradiction in contradictions(claims, facts)]
            )
        except BaseException:
            client.close()
            raise

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_channels)."""
        return self.reader.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples, as recorded."""
        return self.reader.dtype

    @property
    def sample_rate_hz(self) -> float:
        """Samples per second, as measured."""
        return self.reader.sample_rate_hz

    @property
    def ndim(self) -> int:
        """Two: time and channel."""
        return 2

    def __len__(self) -> int:
        return self.reader.n_samples

    def __getitem__(self, key: Any) -> Samples:
        """Samples by time and channel, as numpy would index the whole array."""
        time, channel = key if isinstance(key, tuple) else (key, None)
        one_channel = isinstance(channel, int | np.integer)
        channels: Channels = np.array([channel]) if one_channel else channel
        numbers = None if channels is None else pick_channels(channels, self.reader.n_channels)
        if isinstance(time, slice):
            samples = self._read_slice(time, numbers)
        else:
            at = range(self.reader.n_samples)[time]
            samples = self.reader.read(at, at + 1, numbers)[0]
        return samples[..., 0] if one_channel else samples

    def _read_slice(self, time: slice, numbers: NDArray[np.int64] | None) -> Samples:
        samples = range(*time.indices(self.reader.n_samples))
        if len(samples) == 0:
            return self.reader.read(0, 0, numbers)
        first, last = min(samples[0], samples[-1]), max(samples[0], samples[-1])
        block = self.reader.read(first, last + 1, numbers)
        return block[:: samples.step] if samples.step != 1 else block

    def save_bin(self, target: Path, *, overwrite: bool = False) -> Digests:
        """Write the raw file, byte for byte as it was compressed."""
        return decompress_to_bin(self.reader, target, overwrite=overwrite)

    def save_cbin(self, target: Path, *, preset: CompatiblePreset = "compatible-small") -> Compression:
        """Write a .cbin/.ch pair for mtscomp and spikeglx."""
        return write_cbin(Decoded(self.reader), target, preset=preset)

    def save_cgl(self, target: Path) -> Compression:
        """Write a .cgl, for example of a .cbin."""
        return write_cgl(Decoded(self.reader), target)

    def close(self) -> None:
        """Close the file or connection."""
        if self._close is not None:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
