"""What a compressed recording is: its files, its index, and what decoding it proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from libs.common.problem import Conflict

PACKED: Final = (".cbin", ".cgl")
AMBIGUOUS: Final = "several files could be its "  # the problem of such a recording begins so, and no other
_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {".ch": (".cbin",), ".meta": PACKED}


class RecordingState(StrEnum):
    """How far the index of a recording is; the values are those of its row."""

    PENDING = "wanted"  # to be indexed
    INDEXED = "indexed"
    UNREADABLE = "unreadable"


class NotIndexed(Conflict):
    """The file has no index: it is not a compressed recording, or its .ch is missing, or it cannot be read."""

    slug = "not-indexed"
    detail = "This dataset has not been indexed yet."


@dataclass(frozen=True)
class RecordingIndex:
    """What a .cgl or a .ch holds about a recording; the three fields of a .cbin are None for a .cgl."""

    n_channels: int
    n_samples: int  # per channel
    sample_rate_hz: float
    dtype: str
    chunk_bounds: tuple[int, ...]  # samples, n_chunks + 1
    chunk_offsets: tuple[int, ...]  # bytes of the compressed file, n_chunks + 1
    raw_bytes: int
    raw_sha256: str | None
    raw_sha1: str | None
    tail: bytes  # of a half-written last sample
    chunk_order: str | None = None
    do_time_diff: bool | None = None
    do_spatial_diff: bool | None = None


@dataclass(frozen=True)
class IndexedRecording:
    """The index of a recording with what its .meta tells, and what its companions claim wrongly."""

    index: RecordingIndex
    compressed_bytes: int
    uv_per_bit: list[float | None] | None  # per channel, None for bits; None as a whole without a .meta
    doubts: list[str]


@dataclass(frozen=True)
class StoredRecording:
    """A recording as it is stored; `index` is None until it is indexed. The hashes are those of its files."""

    dataset_id: UUID
    state: RecordingState
    problem: str
    sha256: str
    ch_sha256: str | None  # None: a .cgl, whose index is in the file
    meta_sha256: str | None
    index: RecordingIndex | None
    uv_per_bit: list[float | None] | None
    doubts: list[str]
    indexed_at: datetime | None

    @property
    def samples_id(self) -> str:
        """What decides the samples: the bytes of a .cgl, or of a .cbin and its .ch, which says how to read them."""
        return self.sha256 if self.ch_sha256 is None else f"{self.sha256}-{self.ch_sha256[:32]}"


def recordings_of(name: str) -> tuple[str, ...]:
    """Extensions of the recordings that a file of that name may be a companion of.

    >>> recordings_of("a.ap.ch"), recordings_of("a.ap.meta"), recordings_of("spikes.times.npy")
    (('.cbin',), ('.cbin', '.cgl'), ())
    """
    _, dot, extension = name.rpartition(".")
    return _COMPANIONS.get(dot + extension.lower(), ())
