"""Rules of slices: samples and channels of a request, limits, reference and scale."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from libs.common.problem import BadRequest

_RANGE: Final = re.compile(r"(\d{1,7})(?:-(\d{1,7}))?\Z")


class SliceTooLarge(BadRequest):
    """The response would be too large: request less time or fewer channels."""

    slug = "slice-too-large"


class Scale(StrEnum):
    """Unit of the values of a slice."""

    INT = "int"  # as recorded
    UV = "uV"


@dataclass(frozen=True)
class Span:
    """Samples from `start` up to `stop` (excluded), and the channels of the slice."""

    start: int
    stop: int
    channels: tuple[int, ...]

    @property
    def n_values(self) -> int:
        """Number of values in the answer."""
        return (self.stop - self.start) * len(self.channels)


def span_of(t0: float, t1: float, channels: Sequence[int], *, n_samples: int, sample_rate_hz: float) -> Span:
    """The samples between two times in seconds, cut at the end of the recording. Raises BadRequest.

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
    """The channels that a text names, in its order; all channels without a text. Raises BadRequest.

    >>> channels_of("0-2,5", 385), channels_of(None, 3)
    ([0, 1, 2, 5], [0, 1, 2])
    """
    if text is None:
        return list(range(n_channels))
    channels: list[int] = []
    for part in text.split(","):
        match = _RANGE.match(part.strip())
        first = int(match[1]) if match else 0
        last = int(match[2] or match[1]) if match else -1
        if not first <= last < n_channels:
            raise BadRequest(
                fields={
                    "channels": [
                        f"'{part}' is not a channel or range within 0 to {n_channels - 1}, such as 0-9,12."
                    ]
                }
            )
        channels += range(first, last + 1)
        if len(channels) > 2 * n_channels:
            raise SliceTooLarge(f"More than twice the {n_channels} channels of the recording are requested.")
    return channels


def voltage_channels(
    text: str | None, uv_per_bit: Sequence[float | None] | None, n_channels: int
) -> list[int]:
    """The channels of a slice in microvolts: those named, or all that carry volts. Raises BadRequest."""
    if uv_per_bit is None:
        raise BadRequest(
            fields={"scale": ["The recording has no .meta, which holds the scale in volts: use int."]}
        )
    if text is None:
        return [n for n in range(n_channels) if uv_per_bit[n] is not None]
    channels = channels_of(text, n_channels)
    bits = [n for n in channels if uv_per_bit[n] is None]
    if bits:
        raise BadRequest(fields={"channels": [f"Channel {bits[0]} carries bits, not volts: use scale=int."]})
    return channels


def check_size(span: Span, raw_bytes: int, most_values: int, most_raw_bytes: int) -> None:
    """Raise SliceTooLarge unless the answer, and the bytes decoded for it, are within the limits."""
    if span.n_values > most_values:
        raise SliceTooLarge(
            f"{span.n_values} values are requested; the limit is {most_values}.",
            extra={"most_values": most_values},
        )
    if raw_bytes > most_raw_bytes:
        raise SliceTooLarge(
            f"{raw_bytes} bytes would have to be decoded; the limit is {most_raw_bytes}.",
            extra={"most_raw_bytes": most_raw_bytes},
        )


@dataclass(frozen=True)
class Transform:
    """How samples are transformed: reference, scale, rate.

    `car` (common average reference) subtracts, at each instant, the mean of all channels that carry volts. `decimate`
    averages so many samples into one; a remainder at the end is dropped.
    """

    scale: Scale = Scale.INT
    car: bool = False
    decimate: int = 1

    def apply(
        self, samples: NDArray[Any], uv_per_bit: Sequence[float | None] | None, channels: Sequence[int]
    ) -> NDArray[Any]:
        """Samples (time, channels) averaged and scaled, as 32-bit floats unless nothing is to be done.

        >>> Transform(decimate=2).apply(np.array([[1], [2], [5], [6], [9]], "<i2"), None, [0]).tolist()
        [[1.5], [5.5]]
        """
        if self.decimate > 1:
            n_rows = len(samples) // self.decimate
            blocks = samples[: n_rows * self.decimate].reshape(n_rows, self.decimate, -1)
            samples = blocks.mean(axis=1, dtype=np.float32)
        return samples if self.scale is Scale.INT else to_uv(samples, uv_per_bit or [], channels)


def reference_channels(uv_per_bit: Sequence[float | None] | None, n_channels: int) -> list[int]:
    """Channels of the common reference. Raises BadRequest without a .meta, which tells those that carry volts.

    >>> reference_channels([2.3, 2.3, None], 3)
    [0, 1]
    """
    channels = [n for n in range(n_channels) if uv_per_bit is not None and uv_per_bit[n] is not None]
    if not channels:
        raise BadRequest(
            fields={"car": ["The recording has no .meta, which lists the channels that carry volts."]}
        )
    return channels


def subtract_common(
    samples: NDArray[Any], channels: Sequence[int], referenced: Sequence[int]
) -> NDArray[np.float32]:
    """`channels` of samples (time, all channels) minus the mean of `referenced`; channels outside it are unchanged.

    >>> subtract_common(np.array([[1, 3, 9]], "<i2"), [0, 2], [0, 1]).tolist()
    [[-1.0, 9.0]]
    """
    common = samples[:, list(referenced)].mean(axis=1, dtype=np.float32)
    selected: NDArray[np.float32] = samples[:, list(channels)].astype(np.float32)
    selected[:, np.isin(channels, referenced)] -= common[:, None]
    return selected


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
