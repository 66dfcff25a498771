"""The wheel under the animal's paws: even sampling, velocity, and movements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.signal import butter, convolve, sosfiltfilt
from scipy.signal.windows import gaussian

from cingulum.analysis.result import AnalysisError, Result
from cingulum.analysis.trials import Booleans, Floats, Integers

# IBL's rotary encoder, read at all four edges, on a wheel of 3.1 cm radius.
COUNTS_PER_TURN = 4096
WHEEL_RADIUS_CM = 3.1
MOVE_THRESHOLD_COUNTS = 8.0
ONSET_THRESHOLD_COUNTS = 1.5


class UnevenSampling(AnalysisError):
    """The times are not evenly spaced: call `resample` first."""


class TooFewSamples(AnalysisError):
    """A wheel of fewer than two samples has no velocity and no movement."""


@dataclass(frozen=True, eq=False)
class Wheel(Result):
    """Evenly sampled wheel: times in seconds and positions in any unit, each (n_samples,), at `rate_hz`."""

    times_s: Floats
    position: Floats
    rate_hz: float


@dataclass(frozen=True, eq=False)
class WheelVelocity(Result):
    """Velocity and acceleration in position units per s and per s², (n_samples,); the first is 0."""

    velocity: Floats
    acceleration: Floats


@dataclass(frozen=True, eq=False)
class Movements(Result):
    """Movements in the order of time, (n_movements,) each.

    Amplitude is the signed largest departure from the position at onset, in the position's unit.
    """

    onsets_s: Floats
    offsets_s: Floats
    amplitudes: Floats
    peak_velocity_times_s: Floats

    def __len__(self) -> int:
        return len(self.onsets_s)


def counts_to_cm(counts: npt.ArrayLike) -> Floats:
    """Encoder counts as centimetres along the wheel's rim.

    >>> counts_to_cm([4096]).round(3).tolist()
    [19.478]
    """
    return np.asarray(counts, dtype=np.float64) * (2 * np.pi * WHEEL_RADIUS_CM / COUNTS_PER_TURN)


def counts_to_rad(counts: npt.ArrayLike) -> Floats:
    """Encoder counts as radians.

    >>> counts_to_rad([2048]).round(3).tolist()
    [3.142]
    """
    return np.asarray(counts, dtype=np.float64) * (2 * np.pi / COUNTS_PER_TURN)


def resample(times_s: npt.ArrayLike, position: npt.ArrayLike, rate_hz: float = 1000.0) -> Wheel:
    """Interpolate a wheel linearly to an even rate; times ascending, both (n_samples,). Raises TooFewSamples.

    >>> resample([0.0, 0.5, 1.0], [0.0, 1.0, 4.0], rate_hz=4).position.tolist()
    [0.0, 0.5, 1.0, 2.5]
    """
    times, positions = np.asarray(times_s, dtype=np.float64), np.asarray(position, dtype=np.float64)
    if len(times) < 2:
        raise TooFewSamples(f"{len(times)} samples cannot be resampled")
    even = np.arange(times[0], times[-1], 1 / rate_hz)
    return Wheel(even, np.interp(even, times, positions), rate_hz)


def velocity(wheel: Wheel, cut_off_hz: float = 20.0, order: int = 8) -> WheelVelocity:
    """Velocity of the low-passed position (Butterworth, both ways, so without delay). Raises TooFewSamples.

    >>> steady = resample([0.0, 10.0], [0.0, 50.0])
    >>> velocity(steady).velocity[5000].round(3).item()
    5.0
    """
    if len(wheel.position) <= 3 * (order + 1):
        raise TooFewSamples(f"{len(wheel.position)} samples are too few for a filter of order {order}")
    filtered = sosfiltfilt(butter(order, cut_off_hz, fs=wheel.rate_hz, output="sos"), wheel.position)
    speed = np.diff(filtered, prepend=filtered[:1]) * wheel.rate_hz
    return WheelVelocity(speed, np.diff(speed, prepend=speed[:1]) * wheel.rate_hz)


def movements(
    wheel: Wheel,
    threshold: float,
    onset_threshold: float,
    *,
    window_s: float = 0.2,
    min_gap_s: float = 0.1,
    min_duration_s: float = 0.05,
) -> Movements:
    """Movements: the position changes by more than `threshold` within `window_s`.

    Thresholds are in the position's unit; IBL's are 8 and 1.5 encoder counts. The onset is the last sample
    within `onset_threshold` of the position at rest; the offset is the last sample after which the position changes
    by more than `threshold` within the window. Movements less than `min_gap_s` apart are merged; those shorter than
    `min_duration_s` are dropped. Raises UnevenSampling.

    >>> still_then_turned = np.concatenate([np.zeros(500), np.linspace(0, 40, 100), np.full(500, 40.0)])
    >>> moved = movements(Wheel(np.arange(1100) / 1000, still_then_turned, 1000), 8, 1.5)
    >>> moved.onsets_s.tolist(), moved.amplitudes.round().tolist()
    ([0.503], [31.0])
    """
    _check_even(wheel)
    span = round(window_s * wheel.rate_hz)
    gap = min_gap_s * wheel.rate_hz
    starts, ends = _joined(*_edges(_displacement(wheel.position, span) > threshold), gap)
    starts = starts + _onset_lags(wheel.position, starts, span, onset_threshold)
    long_enough = wheel.times_s[ends] - wheel.times_s[starts] >= min_duration_s
    starts, ends = _joined(starts[long_enough], ends[long_enough], gap)
    return Movements(
        onsets_s=wheel.times_s[starts],
        offsets_s=wheel.times_s[ends],
        amplitudes=_amplitudes(wheel.position, starts, ends),
        peak_velocity_times_s=wheel.times_s[_fastest(wheel.position, starts, ends)],
    )


def movement_onsets_at(moves: Movements, events_s: npt.ArrayLike) -> Floats:
    """For each event (seconds) the onset of the movement at that time, NaN if the wheel was still.

    >>> moves = Movements(np.array([1.0]), np.array([2.0]), np.array([5.0]), np.array([1.5]))
    >>> movement_onsets_at(moves, [1.7, 2.5]).tolist()
    [1.0, nan]
    """
    events = np.asarray(events_s, dtype=np.float64)
    if len(moves) == 0:
        return np.full(len(events), np.nan)
    before = np.searchsorted(moves.onsets_s, events, side="right") - 1
    inside = (before >= 0) & (events <= moves.offsets_s[before])
    onsets: Floats = np.where(inside, moves.onsets_s[before], np.nan)
    return onsets


def _check_even(wheel: Wheel) -> None:
    steps = np.diff(wheel.times_s)
    if steps.size == 0:
        raise TooFewSamples("a wheel of fewer than two samples has no movement")
    if np.any(np.abs(steps - 1 / wheel.rate_hz) > 1e-3 / wheel.rate_hz):
        raise UnevenSampling(
            f"steps are between {steps.min():g} and {steps.max():g} s, not at {wheel.rate_hz} Hz"
        )


def _displacement(position: Floats, span: int) -> Floats:
    """Range of positions within the `span` samples from each sample on."""
    # A negative origin moves the window from around each sample to the samples that follow it.
    ahead = -(span // 2)
    highest = maximum_filter1d(position, span, origin=ahead, mode="nearest")
    extent: Floats = highest - minimum_filter1d(position, span, origin=ahead, mode="nearest")
    return extent


def _edges(moving: Booleans) -> tuple[Integers, Integers]:
    """First sample of each run of true, and the first sample after it."""
    padded = np.concatenate([[False], moving[:-1], [False]])
    changes = np.diff(padded.astype(np.int8))
    return np.flatnonzero(changes > 0), np.flatnonzero(changes < 0)


def _joined(starts: Integers, ends: Integers, gap: float) -> tuple[Integers, Integers]:
    apart = starts[1:] - ends[:-1] >= gap
    return starts[np.concatenate([[True], apart])[: len(starts)]], ends[
        np.concatenate([apart, [True]])[: len(ends)]
    ]


def _onset_lags(position: Floats, starts: Integers, span: int, threshold: float) -> Integers:
    """Samples from each start to the last one of its window that is within the threshold of the start."""
    padded = np.concatenate([position, np.full(span, np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, span)[starts]
    away = np.abs(windows - position[starts, None]) > threshold
    lags: Integers = span - 1 - np.argmin(away[:, ::-1], axis=1)
    return lags


def _amplitudes(position: Floats, starts: Integers, ends: Integers) -> Floats:
    departures = [position[a : max(b, a + 1)] - position[a] for a, b in zip(starts, ends, strict=True)]
    return np.array([each[np.argmax(np.abs(each))] for each in departures], dtype=np.float64)


def _fastest(position: Floats, starts: Integers, ends: Integers) -> Integers:
    """The sample of greatest speed in each movement, after smoothing over some 4 ms at 1 kHz."""
    speed = np.abs(convolve(np.diff(position, prepend=position[:1]), gaussian(10, 1.8), mode="same"))
    return np.array(
        [a + np.argmax(speed[a : max(b, a + 1)]) for a, b in zip(starts, ends, strict=True)], dtype=np.int64
    )
