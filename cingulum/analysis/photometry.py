"""Fibre photometry around events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cingulum.analysis.result import AnalysisError, Result
from cingulum.analysis.trials import Booleans, Floats, Integers


class BadSignal(AnalysisError):
    """Times that do not ascend, or whose number differs from that of the samples."""


@dataclass(frozen=True, eq=False)
class PeriEventSignal(Result):
    """A signal around events: `traces` is (n_events, n_samples) at `offsets_s` from the event.

    An event whose window was not recorded completely has NaN throughout (`None` in JSON). The unit is the signal's
    own, or standard deviations of the baseline if it was scored.
    """

    offsets_s: Floats
    traces: Floats


@dataclass(frozen=True, eq=False)
class MeanResponse(Result):
    """Mean trace of each condition with its standard error over events, (n_conditions, n_samples).

    `n_events` counts completely recorded events; below two the error is NaN, without any the mean too.
    """

    conditions: tuple[str, ...]
    offsets_s: Floats
    mean: Floats
    sem: Floats
    n_events: Integers


def delta_f_over_f(signal: npt.ArrayLike, isosbestic: npt.ArrayLike) -> Floats:
    """dF/F by the isosbestic control: (F - F0) / F0, where F0 is the least-squares line through the control.

    Both (n_samples,), in any unit; NaN where either is. Movement and bleaching, which change both, are
    removed. Raises BadSignal if the two differ in length.

    >>> control = np.array([1.0, 2.0, 3.0, 4.0])
    >>> delta_f_over_f(2 * control + 1, control).round(6).tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    measured, control = np.asarray(signal, dtype=np.float64), np.asarray(isosbestic, dtype=np.float64)
    if measured.shape != control.shape:
        raise BadSignal(f"{measured.shape} samples of signal for {control.shape} of its control")
    known = np.isfinite(measured) & np.isfinite(control)
    centred = control[known] - control[known].mean() if known.any() else control[known]
    spread = float(centred @ centred)
    slope = float(centred @ measured[known]) / spread if spread > 0 else 0.0
    expected = np.full(measured.shape, np.nan)
    if known.any():
        expected[known] = measured[known].mean() + slope * centred
    usable = known & (expected != 0)
    relative = np.full(measured.shape, np.nan)
    relative[usable] = (measured[usable] - expected[usable]) / expected[usable]
    return relative


def peri_event(
    times_s: npt.ArrayLike,
    signal: npt.ArrayLike,
    events_s: npt.ArrayLike,
    *,
    window_s: tuple[float, float] = (-1.0, 2.0),
    baseline_s: tuple[float, float] | None = (-1.0, 0.0),
    rate_hz: float = 30.0,
    score: bool = False,
) -> PeriEventSignal:
    """Cut a signal around each event, interpolated linearly to one time base of `rate_hz`.

    Times ascending and signal (n_samples,), events (n_events,), all in seconds of one clock. The mean in
    `baseline_s` is subtracted from each trace (`None`: not), and with `score` divided by the baseline's standard
    deviation. Raises BadSignal.

    >>> cut = peri_event([0.0, 10.0], [0.0, 10.0], [5.0, 9.5], window_s=(-1, 1), rate_hz=1)
    >>> cut.offsets_s.tolist(), cut.to_dict()["traces"]
    ([-1.0, 0.0, 1.0], [[0.0, 1.0, 2.0], [None, None, None]])
    """
    times, values, events = (np.asarray(a, dtype=np.float64) for a in (times_s, signal, events_s))
    if times.shape != values.shape or np.any(np.diff(times) < 0):
        raise BadSignal(f"{times.shape} ascending times are needed for {values.shape} samples")
    known = np.isfinite(times) & np.isfinite(values)
    offsets = window_s[0] + np.arange(round((window_s[1] - window_s[0]) * rate_hz) + 1) / rate_hz
    at = events[:, None] + offsets[None, :]
    if not known.any():
        return PeriEventSignal(offsets, np.full(at.shape, np.nan))
    traces = np.interp(at, times[known], values[known])
    traces[~_covered(events, window_s, times[known])] = np.nan
    if baseline_s is None:
        return PeriEventSignal(offsets, traces)
    # The event's own sample is not yet baseline; half a sample guards against rounding.
    before = (offsets >= baseline_s[0] - 0.5 / rate_hz) & (offsets < baseline_s[1] - 0.5 / rate_hz)
    return PeriEventSignal(offsets, _from_baseline(traces, before, score=score))


def _covered(events: Floats, window_s: tuple[float, float], times: Floats) -> Booleans:
    covered: Booleans = (events + window_s[0] >= times[0]) & (events + window_s[1] <= times[-1])
    return covered


def _from_baseline(traces: Floats, before: Booleans, *, score: bool) -> Floats:
    if not before.any():
        raise BadSignal("the window does not overlap the baseline")
    lifted: Floats = traces - traces[:, before].mean(axis=1, keepdims=True)
    if not score:
        return lifted
    spread = traces[:, before].std(axis=1, keepdims=True)
    scored: Floats = np.divide(lifted, spread, out=np.full(traces.shape, np.nan), where=spread > 0)
    return scored


def mean_response(cut: PeriEventSignal, conditions: Mapping[str, npt.ArrayLike]) -> MeanResponse:
    """Average the traces of each condition, a mask (n_events,) by name, leaving out events not recorded.

    >>> cut = PeriEventSignal(np.array([0.0]), np.array([[1.0], [3.0], [np.nan]]))
    >>> answer = mean_response(cut, {"all": [True, True, True]})
    >>> answer.mean.tolist(), answer.sem.tolist(), answer.n_events.tolist()
    ([[2.0]], [[1.0]], [2])
    """
    recorded = np.isfinite(cut.traces).all(axis=1)
    shape = (len(conditions), len(cut.offsets_s))
    mean, sem = np.full(shape, np.nan), np.full(shape, np.nan)
    n = np.zeros(len(conditions), dtype=np.int64)
    for row, mask in enumerate(conditions.values()):
        traces = cut.traces[recorded & np.asarray(mask, dtype=bool)]
        n[row] = len(traces)
        if len(traces):
            mean[row] = traces.mean(axis=0)
        if len(traces) > 1:
            sem[row] = traces.std(axis=0, ddof=1) / np.sqrt(len(traces))
    return MeanResponse(tuple(conditions), cut.offsets_s, mean, sem, n)
