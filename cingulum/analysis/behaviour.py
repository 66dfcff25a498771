"""Summary of one session's trials: counts, performance, reaction times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cingulum.analysis.psychometric import block_probabilities, wilson_interval
from cingulum.analysis.result import Result
from cingulum.analysis.trials import EASY_CONTRAST_PERCENT, Booleans, Floats, Integers, Trials


@dataclass(frozen=True, eq=False)
class PerformanceByContrast(Result):
    """Fraction correct at each signed contrast (percent, ascending) with its 95 % Wilson interval, (n_contrasts,)."""

    contrasts_percent: Floats
    n_trials: Integers
    p_correct: Floats
    p_low: Floats
    p_high: Floats


@dataclass(frozen=True, eq=False)
class Chronometry(Result):
    """Reaction time at each signed contrast (percent, ascending): median and quartiles in seconds, (n_contrasts,).

    `n_trials` counts those with a known reaction time; without any, the three times are NaN (`None` in JSON).
    """

    contrasts_percent: Floats
    n_trials: Integers
    median_s: Floats
    lower_quartile_s: Floats
    upper_quartile_s: Floats


@dataclass(frozen=True)
class TrialSummary(Result):
    """One session in numbers. Fractions are of all trials; `None` if the table lacks the columns.

    Easy         trials with at least 50 % contrast
    Reaction     stimulus (go cue's trigger where missing) to response, median in seconds
    Blocks       trials per block probability, empty outside block tasks
    Reward       `rewardVolume` is µL, the total is in mL
    """

    n_trials: int
    n_correct: int
    n_no_answer: int
    performance: float | None
    n_easy: int
    easy_performance: float | None
    n_zero_contrast: int
    median_reaction_time_s: float | None
    zero_contrast_reaction_time_s: float | None
    duration_s: float | None
    reward_total_ml: float | None
    contrasts_percent: tuple[float, ...]
    n_trials_by_block: Mapping[str, int]


def performance(feedback_type: npt.ArrayLike) -> float | None:
    """Fraction of all trials that were rewarded; `None` without trials.

    >>> performance([1, 1, -1, 1])
    0.75
    """
    feedback = np.asarray(feedback_type)
    return float(np.mean(feedback == 1)) if feedback.size else None


def easy_performance(contrasts_percent: npt.ArrayLike, feedback_type: npt.ArrayLike) -> float | None:
    """Fraction rewarded of the trials with at least 50 % contrast on either side; `None` if there are none.

    >>> easy_performance([-100, 50, 12.5], [1, -1, -1])
    0.5
    """
    easy = is_easy(contrasts_percent)
    return performance(np.asarray(feedback_type)[easy])


def is_easy(contrasts_percent: npt.ArrayLike) -> Booleans:
    """Which signed contrasts are at least 50 %.

    >>> is_easy([-100, 25, 50]).tolist()
    [True, False, True]
    """
    easy: Booleans = np.abs(np.asarray(contrasts_percent, dtype=np.float64)) >= EASY_CONTRAST_PERCENT
    return easy


def median_reaction_time(reaction_times_s: npt.ArrayLike) -> float | None:
    """Median of the known times in seconds; `None` if there are none.

    >>> median_reaction_time([0.2, np.nan, 0.4])
    0.30000000000000004
    """
    times = np.asarray(reaction_times_s, dtype=np.float64)
    known = times[~np.isnan(times)]
    return float(np.median(known)) if known.size else None


def performance_by_contrast(trials: Trials) -> PerformanceByContrast:
    """Fraction correct at each signed contrast of the session."""
    contrasts, place = np.unique(trials.signed_contrast_percent, return_inverse=True)
    n = np.bincount(place, minlength=len(contrasts)).astype(np.int64)
    correct = np.bincount(place, weights=trials.correct, minlength=len(contrasts))
    low, high = wilson_interval(correct, n)
    return PerformanceByContrast(contrasts, n, correct / n, low, high)


def chronometry(contrasts_percent: npt.ArrayLike, reaction_times_s: npt.ArrayLike) -> Chronometry:
    """Median and quartiles of the reaction time at each signed contrast; both arguments (n_trials,).

    >>> curve = chronometry([-25, -25, 100], [0.4, 0.6, np.nan])
    >>> curve.median_s.tolist(), curve.n_trials.tolist()
    ([0.5, nan], [2, 0])
    """
    shown = np.asarray(contrasts_percent, dtype=np.float64)
    times = np.asarray(reaction_times_s, dtype=np.float64)
    contrasts = np.unique(shown)
    known = [times[(shown == contrast) & ~np.isnan(times)] for contrast in contrasts]
    unknown = np.full(3, np.nan)
    quartiles = [np.percentile(some, [25, 50, 75]) if some.size else unknown for some in known]
    lower, median, upper = np.array(quartiles, dtype=np.float64).reshape(-1, 3).T
    n = np.array([some.size for some in known], dtype=np.int64)
    return Chronometry(contrasts, n, median, lower, upper)


def running_median(values: npt.ArrayLike, window: int = 10) -> Floats:
    """Median of each value and the `window` - 1 before it (fewer at the start), NaN left out; for RT over trials.

    >>> running_median([1.0, 3.0, np.nan, 5.0], window=2).tolist()
    [1.0, 2.0, 3.0, 5.0]
    """
    series = np.concatenate([np.full(window - 1, np.nan), np.asarray(values, dtype=np.float64)])
    if len(series) < window:
        return np.empty(0)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(series, window), axis=1)
    n_known = np.sum(~np.isnan(windows), axis=1)
    # NaN sorts last, so a window's known values are its first ones; with none of them the median stays NaN.
    rows, last = np.arange(len(windows)), np.maximum(n_known - 1, 0)
    median: Floats = (windows[rows, last // 2] + windows[rows, (last + 1) // 2]) / 2
    return median


def trial_summary(trials: Trials) -> TrialSummary:
    """Counts, performance, reaction times, duration and reward of one session.

    >>> from cingulum.analysis.trials import trials_from_columns
    >>> summary = trial_summary(trials_from_columns({
    ...     "contrastLeft": [1.0, np.nan, 0.0], "contrastRight": [np.nan, 0.5, np.nan],
    ...     "choice": [1, 1, -1], "feedbackType": [1, -1, 1],
    ... }))
    >>> summary.n_trials, summary.easy_performance, summary.zero_contrast_reaction_time_s
    (3, 0.5, None)
    """
    contrasts, times = trials.signed_contrast_percent, trials.reaction_times_s
    zero = contrasts == 0
    return TrialSummary(
        n_trials=len(trials),
        n_correct=int(trials.correct.sum()),
        n_no_answer=int((trials.choice == 0).sum()),
        performance=performance(trials.feedback_type),
        n_easy=int(is_easy(contrasts).sum()),
        easy_performance=easy_performance(contrasts, trials.feedback_type),
        n_zero_contrast=int(zero.sum()),
        median_reaction_time_s=median_reaction_time(times),
        zero_contrast_reaction_time_s=median_reaction_time(times[zero]),
        duration_s=_duration_s(trials),
        reward_total_ml=_reward_ml(trials),
        contrasts_percent=tuple(np.unique(contrasts).tolist()),
        n_trials_by_block={f"{b:g}": int(trials.in_block(b).sum()) for b in block_probabilities(trials)},
    )


def _duration_s(trials: Trials) -> float | None:
    """Seconds from the first known time of the trials to the last; from intervals if the table has them."""
    starts = trials.interval_starts_s if trials.interval_starts_s is not None else trials.stim_on_times_s
    ends = trials.interval_ends_s if trials.interval_ends_s is not None else trials.response_times_s
    if starts is None or ends is None:
        return None
    first, last = starts[~np.isnan(starts)], ends[~np.isnan(ends)]
    return float(last.max() - first.min()) if first.size and last.size else None


def _reward_ml(trials: Trials) -> float | None:
    if trials.reward_volume_ul is None:
        return None
    return float(np.nansum(trials.reward_volume_ul)) / 1000
