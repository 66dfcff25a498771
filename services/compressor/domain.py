"""Rules of slices: which samples and channels are meant, how much is too much, and what a bit is in microvolts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.common.problem import BadRequest, Conflict

_RANGE = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?\Z")
_NP1_TYPES: Final = frozenset({"0", "1020", "1030", "1100", "1120", "1121", "1122", "1123", "1200", "1300"})
_NP1_GAIN_COLUMN: Final = {"ap": 3, "lf": 4}
_NP2_GAIN: Final = 80.0  # fixed in the probe, until newer files say otherwise
_NP1_LARGEST: Final = 512  # a 10-bit converter: older files do not say


PACKED: Final = (".cbin", ".cgl")
SEVERAL: Final = "several files could be its "  # so begins the problem of such a recording, and no other
_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {".ch": (".cbin",), ".meta": PACKED}


def recordings_of(name: str) -> tuple[str, ...]:
    """Extensions of the recordings that a file of that name may be a companion of.

    >>> recordings_of("a.ap.ch"), recordings_of("a.ap.meta"), recordings_of("spikes.times.npy")
    (('.cbin',), ('.cbin', '.cgl'), ())
    """
    _, dot, extension = name.rpartition(".")
    return _COMPANIONS.get(dot + extension.lower(), ())


class SliceTooLarge(BadRequest):
    """One answer would hold too much; ask for less time or fewer channels at once."""

    slug = "slice-too-large"


class NotIndexed(Conflict):
    """The file is not known as a compressed recording: it is none, or its .ch is not here, or cannot be read."""

    slug = "not-indexed"
    detail = "There is no index of this dataset yet."


class Scale(StrEnum):
    """What the numbers of a slice are."""

    INT = "int"  # as recorded
    UV = "uV"


@dataclass(frozen=True)
class Span:
    """Samples from `start` up to `stop` (excluded), and the channels wanted of them."""

    start: int
    stop: int
    channels: tuple[int, ...]

    @property
    def n_values(self) -> int:
        """Numbers in the answer."""
        return (self.stop - self.start) * len(self.channels)


def span_of(t0: float, t1: float, channels: Sequence[int], *, n_samples: int, sample_rate_hz: float) -> Span:
    """The samples between two times in seconds; what reaches past the end is left out. Raises BadRequest.

    >>> span_of(0.5, 2.0, [0, 3], n_samples=45_000, sample_rate_hz=30_000.0)
    Span(start=15000, stop=45000, channels=(0, 3))
    """
    start, stop = round(t0 * sample_rate_hz), min(round(t1 * sample_rate_hz), n_samples)
    duration_s = n_samples / sample_rate_hz
    if not 0 <= start < n_samples:
        raise BadRequest(fields={"t0": [f"The recording has seconds 0 to {duration_s:.3f}."]})
    if stop <= start:
        raise BadRequest(fields={"t1": ["There is no sample between t0 and t1."]})
    return Span(start, stop, tuple(channels))


def channels_of(text: str | None, n_channels: int) -> list[int]:
    """The channels that a text names, in its order; all for no text. Raises BadRequest.

    >>> channels_of("0-2,5", 385), channels_of(None, 3)
    ([0, 1, 2, 5], [0, 1, 2])
    """
    if text is None:
        return list(range(n_channels))
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.match(part.strip())
        first = int(match[1]) if match else 0
        last = int(match[2] or match[1]) if match else -1
        if not first <= last < n_channels:
            raise BadRequest(
                fields={
                    "channels": [f"'{part}' is no channel or range of 0 to {n_channels - 1}, such as 0-9,12."]
                }
            )
        found += range(first, last + 1)
        if len(found) > 2 * n_channels:
            raise SliceTooLarge(f"More channels than the {n_channels} of the recording, twice over.")
    return found


def voltage_channels(
    text: str | None, uv_per_bit: Sequence[float | None] | None, n_channels: int
) -> list[int]:
    """The channels of a slice in microvolts: those named, or all that carry volts. Raises BadRequest."""
    if uv_per_bit is None:
        raise BadRequest(
            fields={"scale": ["The recording's .meta, which tells volts, is not here: use int."]}
        )
    if text is None:
        return [n for n in range(n_channels) if uv_per_bit[n] is not None]
    wanted = channels_of(text, n_channels)
    bits = [n for n in wanted if uv_per_bit[n] is None]
    if bits:
        raise BadRequest(fields={"channels": [f"Channel {bits[0]} carries bits, not volts: use scale=int."]})
    return wanted


def check_size(span: Span, raw_bytes: int, most_values: int, most_raw_bytes: int) -> None:
    """Raise SliceTooLarge unless the answer, and what must be decoded for it, are within the limits."""
    if span.n_values > most_values:
        raise SliceTooLarge(
            f"{span.n_values} values are asked for, {most_values} at once are the limit.",
            extra={"most_values": most_values},
        )
    if raw_bytes > most_raw_bytes:
        raise SliceTooLarge(
            f"{raw_bytes} bytes would have to be decoded, {most_raw_bytes} at once are the limit.",
            extra={"most_raw_bytes": most_raw_bytes},
        )


@dataclass(frozen=True)
class Wish:
    """What is to be done with the samples: reference, scale, rate.

    `car` takes off, at each instant, the mean of all channels that carry volts. `decimate` gives the mean of so many
    samples instead of each; what is left over at the end is dropped.
    """

    scale: Scale = Scale.INT
    car: bool = False
    decimate: int = 1

    def apply(
        self, samples: NDArray[Any], uv_per_bit: Sequence[float | None] | None, channels: Sequence[int]
    ) -> NDArray[Any]:
        """Samples (time, channels) averaged and scaled: 32-bit floats if anything is to be done.

        >>> Wish(decimate=2).apply(np.array([[1], [2], [5], [6], [9]], "<i2"), None, [0]).tolist()
        [[1.5], [5.5]]
        """
        if self.decimate > 1:
            n_rows = len(samples) // self.decimate
            blocks = samples[: n_rows * self.decimate].reshape(n_rows, self.decimate, -1)
            samples = blocks.mean(axis=1, dtype=np.float32)
        return samples if self.scale is Scale.INT else to_uv(samples, uv_per_bit or [], channels)


def volts_channels(uv_per_bit: Sequence[float | None] | None, n_channels: int) -> list[int]:
    """Channels that a common reference is made of. Raises BadRequest where no .meta tells which carry volts.

    >>> volts_channels([2.3, 2.3, None], 3)
    [0, 1]
    """
    found = [n for n in range(n_channels) if uv_per_bit is not None and uv_per_bit[n] is not None]
    if not found:
        raise BadRequest(
            fields={"car": ["The recording's .meta, which tells the channels of volts, is not here."]}
        )
    return found


def take_off_common(
    samples: NDArray[Any], channels: Sequence[int], referenced: Sequence[int]
) -> NDArray[np.float32]:
    """`channels` out of samples (time, all channels), less the mean of `referenced`; those outside it stay as they are.

    >>> take_off_common(np.array([[1, 3, 9]], "<i2"), [0, 2], [0, 1]).tolist()
    [[-1.0, 9.0]]
    """
    common = samples[:, list(referenced)].mean(axis=1, dtype=np.float32)
    found: NDArray[np.float32] = samples[:, list(channels)].astype(np.float32)
    found[:, np.isin(channels, referenced)] -= common[:, None]
    return found


def to_uv(
    samples: NDArray[Any], uv_per_bit: Sequence[float | None], channels: Sequence[int]
) -> NDArray[np.float32]:
    """Samples (time, channels) in microvolts.

    >>> to_uv(np.array([[100, -50]], "<i2"), [2.34375, 2.34375, None], [0, 1]).tolist()
    [[234.375, -117.1875]]
    """
    factors = np.array([uv_per_bit[n] for n in channels], np.float32)
    scaled: NDArray[np.float32] = samples.astype(np.float32) * factors
    return scaled


def uv_per_bit(meta: Mapping[str, str], n_channels: int) -> list[float | None] | None:
    """Microvolts of one bit for each saved channel, None for the sync word; None where the .meta does not tell.

    Source: SpikeGLX's metadata help: volts = value * imAiRangeMax / imMaxInt / gain, with the gain of each channel in
    imroTbl for Neuropixels 1.0, and a fixed one for 2.0.

    >>> uv_per_bit({"typeThis": "imec", "imAiRangeMax": "0.6", "imMaxInt": "512", "imDatPrb_type": "0",
    ...             "snsApLfSy": "2,0,1", "imroTbl": "(0,2)(0 0 0 500 250 1)(1 0 0 500 250 1)"}, n_channels=3)
    [2.34375, 2.34375, None]
    """
    try:
        n_ap, n_lf, n_sync = (int(count) for count in meta["snsApLfSy"].split(","))
        volts = float(meta["imAiRangeMax"]) / int(meta.get("imMaxInt", _NP1_LARGEST))
        saved = _saved(meta, n_channels)
        n_sites = int(meta.get("acqApLfSy", meta["snsApLfSy"]).split(",")[0])
        gain = _gains(meta)
        gains = [
            *(gain("ap", channel) for channel in saved[:n_ap]),
            *(gain("lf", channel - n_sites) for channel in saved[n_ap : n_ap + n_lf]),
        ]
        found = [volts / one * 1e6 for one in gains]
    except (KeyError, ValueError, IndexError, ArithmeticError):
        return None
    if n_ap + n_lf + n_sync != n_channels or len(found) != n_ap + n_lf or not all(map(isfinite, found)):
        return None
    return [*(round(value, 9) for value in found), *([None] * n_sync)]


def _gains(meta: Mapping[str, str]) -> Callable[[str, int], float]:
    """The gain of a band at a site. Raises KeyError, ValueError, IndexError for what the .meta does not tell."""
    if meta.get("imDatPrb_type", "0") not in _NP1_TYPES:
        fixed = float(meta.get("imChan0apGain", _NP2_GAIN))
        return lambda _band, _site: fixed
    entries = meta["imroTbl"].strip("()").split(")(")[1:]
    return lambda band, site: float(entries[site].split()[_NP1_GAIN_COLUMN[band]])


def _saved(meta: Mapping[str, str], n_channels: int) -> list[int]:
    """Numbers of the saved channels among those acquired, as in 0:3,384. Raises ValueError."""
    text = meta.get("snsSaveChanSubset", "all")
    if text == "all":
        return list(range(n_channels))
    saved: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        channels = range(int(first), int(last or first) + 1)
        if channels.stop - channels.start > n_channels - len(saved):
            raise ValueError(f"more than {n_channels} channels")
        saved += channels
    return saved
