"""Psychometric curves: the fraction of rightward reports at each contrast, and the function fitted to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from cingulum.analysis.maximum_likelihood import Observed, erf_curve, maximise
from cingulum.analysis.result import Result
from cingulum.analysis.trials import Booleans, Floats, Integers, Trials

__all__ = [
    "BLOCKS",
    "CRITERIA_BOUNDS",
    "PLOT_BOUNDS",
    "Bounds",
    "ChoiceCounts",
    "PsychometricCurve",
    "PsychometricFit",
    "block_probabilities",
    "choice_counts",
    "erf_curve",
    "fit_psychometric",
    "psychometric_by_block",
    "psychometric_curve",
    "wilson_interval",
]

# Four parameters cannot be determined from fewer points.
FEWEST_CONTRASTS = 4
BLOCKS = (0.2, 0.5, 0.8)
# After a few steps from each start, only the best continue: the others approach the same maximum or a lower one.
_FIRST_ROUNDS, _LEADERS = 8, 3
_NAMES = ("bias_percent", "threshold_percent", "lapse_low", "lapse_high")


@dataclass(frozen=True)
class Bounds:
    """Bounds of a fit: lowest and highest (bias %, threshold %, lapse low, lapse high).

    `None` for the bias means the lowest and highest contrast shown.
    """

    bias_percent: tuple[float, float] | None
    threshold_percent: tuple[float, float]
    lapse: tuple[float, float]


# A threshold of zero divides by zero; below a thousandth of a percent the curve is a step at any contrast.
CRITERIA_BOUNDS = Bounds(bias_percent=None, threshold_percent=(1e-3, 100.0), lapse=(0.0, 1.0))
PLOT_BOUNDS = Bounds(bias_percent=(-50.0, 50.0), threshold_percent=(10.0, 50.0), lapse=(0.0, 0.2))


@dataclass(frozen=True, eq=False)
class ChoiceCounts(Result):
    """Trials and rightward reports per signed contrast (percent), contrasts ascending, shape (n_contrasts,)."""

    contrasts_percent: Floats
    n_trials: Integers
    n_right: Integers

    def __add__(self, other: ChoiceCounts) -> ChoiceCounts:
        """The counts of both, so that sessions can be pooled without their trials."""
        contrasts = np.union1d(self.contrasts_percent, other.contrasts_percent)
        trials, right = np.zeros((2, len(contrasts)), dtype=np.int64)
        for counts in (self, other):
            places = np.searchsorted(contrasts, counts.contrasts_percent)
            trials[places] += counts.n_trials
            right[places] += counts.n_right
        return ChoiceCounts(contrasts, trials, right)


@dataclass(frozen=True)
class PsychometricFit(Result):
    """The most likely curve: bias and threshold in percent contrast, lapse rates as fractions.

    `lapse_low` is P(right) far on the left, `lapse_high` is 1 - P(right) far on the right.
    `intervals` holds (lowest, highest) per parameter if they were requested.
    """

    bias_percent: float
    threshold_percent: float
    lapse_low: float
    lapse_high: float
    log_likelihood: float
    n_trials: int
    intervals: Mapping[str, tuple[float, float]] | None = None

    @property
    def parameters(self) -> tuple[float, float, float, float]:
        """(bias %, threshold %, lapse low, lapse high), as `erf_curve` takes them."""
        return (self.bias_percent, self.threshold_percent, self.lapse_low, self.lapse_high)


@dataclass(frozen=True, eq=False)
class PsychometricCurve(Result):
    """Points with binomial intervals, and the fit through them; `fit` is `None` below four contrasts.

    `block` is the block's P(left), or `None` for all trials. `p_low`, `p_high`: 95 % Wilson interval.
    """

    block: float | None
    contrasts_percent: Floats
    n_trials: Integers
    n_right: Integers
    p_right: Floats
    p_low: Floats
    p_high: Floats
    fit: PsychometricFit | None


def choice_counts(contrasts_percent: npt.ArrayLike, rightward: npt.ArrayLike) -> ChoiceCounts:
    """Count trials and rightward reports at each signed contrast (percent); both arguments (n_trials,).

    >>> counts = choice_counts([-25, 25, 25], [False, True, False])
    >>> counts.contrasts_percent.tolist(), counts.n_trials.tolist(), counts.n_right.tolist()
    ([-25.0, 25.0], [1, 2], [0, 1])
    """
    shown = np.asarray(contrasts_percent, dtype=np.float64)
    contrasts, place = np.unique(shown, return_inverse=True)
    right = np.bincount(place, weights=np.asarray(rightward, dtype=np.float64), minlength=len(contrasts))
    trials = np.bincount(place, minlength=len(contrasts))
    return ChoiceCounts(contrasts, trials.astype(np.int64), np.round(right).astype(np.int64))


def fit_psychometric(
    counts: ChoiceCounts, bounds: Bounds = CRITERIA_BOUNDS, *, bootstraps: int = 0, seed: int = 0
) -> PsychometricFit | None:
    """The maximum-likelihood curve within `bounds`; `None` below four contrasts, where it is not determined.

    Maximises from a fixed set of starts and takes the best result, so that it is the same each time. With
    `bootstraps` > 0, 95 % percentile intervals come from refitting that many binomial resamples per contrast.
    The default bounds are those of IBL's training criteria; `PLOT_BOUNDS` those of its plots.

    >>> counts = ChoiceCounts(np.array([-100.0, -25, 25, 100]), np.full(4, 50), np.array([5, 10, 40, 40]))
    >>> fit = fit_psychometric(counts)
    >>> round(fit.lapse_low, 2), round(fit.lapse_high, 2)
    (0.1, 0.2)
    """
    contrasts = counts.contrasts_percent
    if len(contrasts) < FEWEST_CONTRASTS:
        return None
    lower, upper = _limits(bounds, contrasts)
    observed = Observed(contrasts, counts.n_trials.astype(np.float64), counts.n_right.astype(np.float64))
    ahead, so_far = maximise(_starts(counts, lower, upper), observed, lower, upper, rounds=_FIRST_ROUNDS)
    leaders = np.argsort(-np.round(so_far, 9), kind="stable")[:_LEADERS]
    ends, heights = maximise(ahead[leaders], observed, lower, upper)
    best = int(np.argmax(np.round(heights, 9)))
    bias, threshold, low_lapse, high_lapse = ends[best].tolist()
    n_trials = int(counts.n_trials.sum())
    fit = PsychometricFit(bias, threshold, low_lapse, high_lapse, float(heights[best]), n_trials)
    if bootstraps == 0:
        return fit
    p_right = counts.n_right / counts.n_trials
    draws = np.random.default_rng(seed).binomial(counts.n_trials, p_right, (bootstraps, len(contrasts)))
    resampled = Observed(contrasts, observed.n_trials, draws.astype(np.float64))
    again, _ = maximise(np.tile(ends[best], (bootstraps, 1)), resampled, lower, upper)
    low, high = np.percentile(again, [2.5, 97.5], axis=0)
    intervals = {name: (float(low[i]), float(high[i])) for i, name in enumerate(_NAMES)}
    return replace(fit, intervals=intervals)


def _limits(bounds: Bounds, contrasts: Floats) -> tuple[Floats, Floats]:
    bias = bounds.bias_percent or (float(contrasts[0]), float(contrasts[-1]))
    pairs = np.array([bias, bounds.threshold_percent, bounds.lapse, bounds.lapse])
    return pairs[:, 0], pairs[:, 1]


def _starts(counts: ChoiceCounts, lower: Floats, upper: Floats) -> Floats:
    """Starts of the fit: IBL's first, so that it wins a tie; then steps and slopes at each height and position.

    Steps lie between neighbouring contrasts, with the lapses that the choices to either side of them show.
    """
    contrasts = counts.contrasts_percent
    below = np.cumsum(counts.n_right) / np.cumsum(counts.n_trials)
    above = np.cumsum(counts.n_right[::-1])[::-1] / np.cumsum(counts.n_trials[::-1])[::-1]
    between = (contrasts[1:] + contrasts[:-1]) / 2
    ends = [
        [bias, threshold, low, 1 - high]
        for bias, low, high in zip(between, below[:-1], above[1:], strict=True)
        for threshold in (3.0, 20.0)
    ]
    starts = [[float(np.mean(contrasts)), 20.0, 0.05, 0.05], [0.0, 60.0, 0.01, 0.01], *ends]
    within: Floats = np.clip(np.array(starts), lower, upper)
    return within


def wilson_interval(
    n_right: npt.ArrayLike, n_trials: npt.ArrayLike, coverage: float = 0.95
) -> tuple[Floats, Floats]:
    """Lower and upper bound of a proportion; unlike the normal approximation it keeps a width at 0 and 1.

    NaN where there are no trials.
    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.

    >>> low, high = wilson_interval([0, 5], [10, 10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    n = np.asarray(n_trials, dtype=np.float64)
    n = np.where(n > 0, n, np.nan)
    p = np.asarray(n_right, dtype=np.float64) / n
    z = float(ndtri(0.5 + coverage / 2))
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    low: Floats = np.clip(middle - half, 0.0, 1.0)
    high: Floats = np.clip(middle + half, 0.0, 1.0)
    return low, high


def psychometric_curve(
    trials: Trials, block: float | None = None, bounds: Bounds = CRITERIA_BOUNDS, *, bootstraps: int = 0
) -> PsychometricCurve:
    """Points, intervals and fit for all trials, or for those of one block (P(left) within 0.01).

    A trial without a response counts as not right, as in the criteria. No trials: empty arrays, no fit.
    """
    chosen: Booleans = np.ones(len(trials), dtype=bool) if block is None else trials.in_block(block)
    counts = choice_counts(trials.signed_contrast_percent[chosen], trials.rightward[chosen])
    low, high = wilson_interval(counts.n_right, counts.n_trials)
    return PsychometricCurve(
        block=block,
        contrasts_percent=counts.contrasts_percent,
        n_trials=counts.n_trials,
        n_right=counts.n_right,
        p_right=counts.n_right / counts.n_trials,
        p_low=low,
        p_high=high,
        fit=fit_psychometric(counts, bounds, bootstraps=bootstraps),
    )


def block_probabilities(trials: Trials) -> tuple[float, ...]:
    """The P(left) of the session's blocks, ascending; empty if the probabilities are not those of a block task.

    While an animal is trained, the same column holds a running correction of its side bias (0.0 to 0.9).
    """
    if trials.probability_left is None:
        return ()
    within = {block: trials.in_block(block) for block in BLOCKS}
    if len(trials) == 0 or not np.any(list(within.values()), axis=0).all():
        return ()
    return tuple(block for block, chosen in within.items() if chosen.any())


def psychometric_by_block(
    trials: Trials, bounds: Bounds = CRITERIA_BOUNDS, *, bootstraps: int = 0
) -> tuple[PsychometricCurve, ...]:
    """One curve for each of `block_probabilities(trials)`; none for a session without blocks."""
    return tuple(
        psychometric_curve(trials, block, bounds, bootstraps=bootstraps)
        for block in block_probabilities(trials)
    )
