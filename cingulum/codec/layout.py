"""What a raw file's companion tells about it: channels, rate, type, geometry, digital words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from cingulum.codec.errors import InvalidLayout

RATE_KEYS = ("imSampRate", "niSampRate", "obSampRate")


@dataclass(frozen=True)
class RawLayout:
    """How the bytes of a raw recording are laid out: little-endian, channel fastest.

    Array    (n_samples, n_channels) of `dtype`
    Rate     as measured, so 29999.95 and not 30000
    Digital  channels that carry bits and not volts: the sync word, NIDQ's digital lines
    Shanks   shank number of each channel from the first on; empty when the geometry is unknown
    Source   the SpikeGLX .meta or the Open Ephys structure.oebin beside the file
    """

    n_channels: int
    sample_rate_hz: float
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype("<i2"))
    digital_channels: tuple[int, ...] = ()
    shanks: tuple[int, ...] = ()
    sha1: str | None = None

    def __post_init__(self) -> None:
        if self.n_channels < 1:
            raise InvalidLayout(f"{self.n_channels} channels: there must be at least one")
        if not 0 < self.sample_rate_hz < float("inf"):
            raise InvalidLayout(f"a sample rate of {self.sample_rate_hz} Hz is impossible")

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.dtype.itemsize

    def chunk_samples(self, chunk_duration_s: float) -> int:
        """Samples in one chunk: counted once from the rate, never again from seconds.

        >>> RawLayout(n_channels=385, sample_rate_hz=29_999.43).chunk_samples(1.0)
        29999
        """
        return max(1, round(chunk_duration_s * self.sample_rate_hz))

    @classmethod
    def from_spikeglx(cls, meta: dict[str, str]) -> Self:
        """Layout from the entries of a SpikeGLX .meta file.

        >>> layout = RawLayout.from_spikeglx({"nSavedChans": "385", "imSampRate": "29999.95",
        ...                                   "snsApLfSy": "384,0,1"})
        >>> layout.n_channels, layout.digital_channels
        (385, (384,))
        """
        try:
            n_channels = int(meta["nSavedChans"])
            rate = float(next(meta[key] for key in RATE_KEYS if key in meta))
            n_digital = _digital_words(meta)
        except (KeyError, StopIteration, ValueError) as error:
            raise InvalidLayout(
                f"the .meta lacks nSavedChans or a sample rate, or they are no numbers ({error})"
            ) from error
        first_digital = max(0, n_channels - n_digital)
        return cls(
            n_channels=n_channels,
            sample_rate_hz=rate,
            digital_channels=tuple(range(first_digital, n_channels)),
            shanks=_shanks(meta)[:first_digital],
            sha1=meta.get("fileSHA1", "").lower() or None,
        )

    @classmethod
    def from_open_ephys(cls, structure: dict[str, Any], folder_name: str) -> Self:
        """Layout of one continuous stream from the content of structure.oebin.

        >>> stream = {"folder_name": "Probe-A/", "sample_rate": 30000, "num_channels": 384}
        >>> RawLayout.from_open_ephys({"continuous": [stream]}, "Probe-A").n_channels
        384
        """
        for stream in structure.get("continuous", ()):
            if str(stream.get("folder_name", "")).strip("/") == folder_name:
                return cls(
                    n_channels=int(stream["num_channels"]), sample_rate_hz=float(stream["sample_rate"])
                )
        raise InvalidLayout(f"structure.oebin knows no continuous stream in a folder {folder_name!r}")

    @classmethod
    def beside(cls, raw: Path) -> Self:
        """Layout from what lies beside the file; InvalidLayout names what was looked for."""
        meta = raw.with_suffix(".meta")
        if meta.is_file():
            return cls.from_spikeglx(parse_meta(meta.read_text(encoding="utf-8", errors="replace")))
        for folder in raw.parents[1:3]:
            structure = folder / "structure.oebin"
            if structure.is_file():
                return cls.from_open_ephys(json.loads(structure.read_text()), raw.parent.name)
        raise InvalidLayout(
            f"neither {meta.name} nor a structure.oebin tells channels and rate of {raw.name}: give them"
        )


def parse_meta(text: str) -> dict[str, str]:
    """Entries of a SpikeGLX .meta file; the tilde before tables is dropped.

    >>> parse_meta("nSavedChans=385\\n~snsChanMap=(384,0,1)\\n")
    {'nSavedChans': '385', 'snsChanMap': '(384,0,1)'}
    """
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip().lstrip("~"): value.strip() for key, value in pairs}


def _digital_words(meta: dict[str, str]) -> int:
    if "snsApLfSy" in meta:
        return int(meta["snsApLfSy"].split(",")[2])
    if "snsXaDwSy" in meta:
        _, words, sync = (int(count) for count in meta["snsXaDwSy"].split(","))
        return words + sync
    if "snsMnMaXaDw" in meta:
        return int(meta["snsMnMaXaDw"].split(",")[3])
    return 0


def _shanks(meta: dict[str, str]) -> tuple[int, ...]:
    """Shank of each electrode channel; both tables start every entry with it."""
    table = meta.get("snsGeomMap") or meta.get("snsShankMap") or ""
    entries = table.strip("()").split(")(")[1:]
    return tuple(int(entry.split(":")[0]) for entry in entries if entry.count(":") == 3)
