"""The layout of a raw file from its companion: channels, rate, type, geometry, digital words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from cingulum.codec.claims import RATE_KEYS, Claim, claims_of_meta, claims_of_stream
from cingulum.codec.companions import find_companion, find_structure, read_meta, read_stream, stream_of
from cingulum.codec.errors import InvalidLayout

MAX_CHANNELS = 1 << 20
_WHOLE = re.compile(r"[0-9]{1,9}\Z")


@dataclass(frozen=True)
class RawLayout:
    """How the bytes of a raw recording are laid out: little-endian, channel fastest.

    Array    (n_samples, n_channels) of `dtype`
    Rate     as measured, so 29999.95 and not 30000
    Digital  channels that carry bits and not volts: the sync word, NIDQ's digital lines
    Shanks   shank number of each channel from the first on; empty when the geometry is unknown
    Source   the SpikeGLX .meta or the Open Ephys structure.oebin beside the file
    Claims   its statements about the file, to be compared with the bytes
    """

    n_channels: int
    sample_rate_hz: float
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype("<i2"))
    digital_channels: tuple[int, ...] = ()
    shanks: tuple[int, ...] = ()
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.n_channels <= MAX_CHANNELS:
            raise InvalidLayout(
                f"{self.n_channels} channels: there must be at least one, at most {MAX_CHANNELS}"
            )
        if not 0 < self.sample_rate_hz < float("inf"):
            raise InvalidLayout(f"a sample rate of {self.sample_rate_hz} Hz is impossible")

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.dtype.itemsize

    def chunk_samples(self, chunk_duration_s: float) -> int:
        """Samples per chunk: computed once from the rate; all other positions follow from it, not from seconds.

        >>> RawLayout(n_channels=385, sample_rate_hz=29_999.43).chunk_samples(1.0)
        29999
        """
        return max(1, round(chunk_duration_s * self.sample_rate_hz))

    @classmethod
    def from_spikeglx(cls, meta: Mapping[str, str], companion: str = "the .meta") -> Self:
        """Layout from the entries of a SpikeGLX .meta file; `companion` is its name.

        >>> layout = RawLayout.from_spikeglx({"nSavedChans": "385", "imSampRate": "29999.95",
        ...                                   "snsApLfSy": "384,0,1"})
        >>> layout.n_channels, layout.digital_channels
        (385, (384,))
        """
        try:
            n_channels = _count(meta["nSavedChans"])
            rate = float(next(meta[key] for key in RATE_KEYS if meta.get(key)))
            n_digital = _digital_words(meta)
        except (KeyError, StopIteration, ValueError, IndexError) as error:
            raise InvalidLayout(
                f"{companion} lacks nSavedChans or a sample rate, or they are not numbers ({error})"
            ) from error
        first_digital = max(0, n_channels - n_digital)
        return cls(
            n_channels=n_channels,
            sample_rate_hz=rate,
            digital_channels=tuple(range(first_digital, n_channels)),
            shanks=_shanks(meta)[:first_digital],
            claims=claims_of_meta(meta, companion),
        )

    @classmethod
    def from_open_ephys(cls, structure: Any, folder_name: str) -> Self:
        """Layout of one continuous stream from the content of structure.oebin.

        >>> stream = {"folder_name": "Probe-A/", "sample_rate": 30000, "num_channels": 3,
        ...           "channels": [{"channel_name": name} for name in ("CH0", "Sync", "CH1")]}
        >>> RawLayout.from_open_ephys({"continuous": [stream]}, "Probe-A").digital_channels
        (1,)
        """
        return cls.from_stream(stream_of(structure, folder_name))

    @classmethod
    def from_stream(cls, stream: Mapping[str, Any], companion: str = "structure.oebin") -> Self:
        """Layout from one entry of structure.oebin. A channel whose name contains SYNC carries bits."""
        try:
            n_channels, rate = _count(str(stream["num_channels"])), float(stream["sample_rate"])
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidLayout(
                f"{companion} lacks num_channels or sample_rate, or they are not numbers ({error})"
            ) from error
        return cls(
            n_channels=n_channels,
            sample_rate_hz=rate,
            digital_channels=tuple(n for n in _sync_channels(stream) if n < n_channels),
            claims=claims_of_stream(stream, companion),
        )

    @classmethod
    def beside(cls, raw: Path, meta: Path | None = None) -> Self:
        """Layout from that .meta, or from a companion beside the file.

        Raises InvalidLayout, which names the expected files, and AmbiguousCompanion if several could be its .meta.
        """
        meta = meta or find_companion(raw, ".meta")
        if meta is not None:
            return cls.from_spikeglx(read_meta(meta), meta.name)
        structure = find_structure(raw)
        if structure is not None:
            return cls.from_stream(read_stream(structure, raw), structure.name)
        raise InvalidLayout(
            f"neither {raw.with_suffix('.meta').name} nor a structure.oebin has the channels and rate of {raw.name}: "
            "give them"
        )


def _count(text: str) -> int:
    """A number in plain digits: Python's int() would accept 1_7 too."""
    if not _WHOLE.match(text):
        raise ValueError(f"{text[:40]!r} is not an integer")
    return int(text)


def _sync_channels(stream: Mapping[str, Any]) -> list[int]:
    channels = stream.get("channels")
    return [
        n
        for n, channel in enumerate(channels if isinstance(channels, list) else [])
        if isinstance(channel, dict) and "SYNC" in str(channel.get("channel_name", "")).upper()
    ]


def _digital_words(meta: Mapping[str, str]) -> int:
    """How many channels at the end carry bits, not volts."""
    if meta.get("snsApLfSy"):
        return _count(meta["snsApLfSy"].split(",")[2].strip())
    if meta.get("snsXaDwSy"):
        counts = meta["snsXaDwSy"].split(",")
        return _count(counts[1].strip()) + _count(counts[2].strip())
    if meta.get("snsMnMaXaDw"):
        return _count(meta["snsMnMaXaDw"].split(",")[3].strip())
    return 0


def _shanks(meta: Mapping[str, str]) -> tuple[int, ...]:
    """Shank of each electrode channel; both tables start every entry with it. Empty where a table cannot be read."""
    table = meta.get("snsGeomMap") or meta.get("snsShankMap") or ""
    entries = table.strip("()").split(")(")[1:]
    shanks = [entry.split(":")[0] for entry in entries if entry.count(":") == 3]
    return tuple(map(int, shanks)) if all(_WHOLE.match(shank) for shank in shanks) else ()
