"""Maximum-likelihood fits of a psychometric function with two lapse rates, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_EPSILON = float(np.finfo(np.float64).eps)


def erf_curve(parameters: npt.ArrayLike, contrasts: npt.ArrayLike) -> Floats:
    """P(right) at each contrast: lo + (1 - lo - hi) * (1 + erf((c - bias) / threshold)) / 2.

    `parameters` is (bias, threshold, lapse low, lapse high), or an array of shape (n_fits, 4).
    Bias and threshold are in the contrasts' unit.

    >>> erf_curve([0.0, 20.0, 0.1, 0.2], [-100.0, 0.0, 100.0]).round(3).tolist()
    [0.1, 0.45, 0.8]
    """
    many = np.atleast_2d(np.asarray(parameters, dtype=np.float64))
    probability, _ = _curve_and_slopes(many, np.asarray(contrasts, dtype=np.float64))
    return probability if np.ndim(parameters) > 1 else probability[0]


def _curve_and_slopes(parameters: Floats, contrasts: Floats) -> tuple[Floats, Floats]:
    """P(right), shape (n_fits, n_contrasts), and its slopes by each parameter, (n_fits, n_contrasts, 4)."""
    bias, threshold, low, high = (parameters[:, i, None] for i in range(4))
    z = (contrasts[None, :] - bias) / threshold
    cumulative = 0.5 * (1 + erf(z))
    gain = 1 - low - high
    density = np.exp(-np.minimum(z * z, 700.0)) / (np.sqrt(np.pi) * threshold)
    slopes = np.stack([-gain * density, -gain * density * z, 1 - cumulative, -cumulative], axis=-1)
    return low + gain * cumulative, slopes


@dataclass(frozen=True, eq=False)
class Observed:
    """Contrasts (n_contrasts,), with trials and rightward reports at each: (n_contrasts,) or (n_fits, n_contrasts)."""

    contrasts: Floats
    n_trials: Floats
    n_right: Floats

    def rows(self, chosen: Integers) -> Observed:
        """The counts of the chosen fits, one row each."""
        shape = (-1, len(self.contrasts))
        trials, right = (
            counts.reshape(shape)[chosen if counts.ndim > 1 else np.zeros_like(chosen)]
            for counts in (self.n_trials, self.n_right)
        )
        return Observed(self.contrasts, trials, right)


def log_likelihood(parameters: Floats, observed: Observed) -> Floats:
    """Binomial log likelihood of each row of `parameters` (n_fits, 4), without the constant term.

    >>> once_each = Observed(np.array([0.0]), np.array([2.0]), np.array([1.0]))
    >>> log_likelihood(np.array([[0.0, 20.0, 0.0, 0.0]]), once_each).round(4).tolist()
    [-1.3863]
    """
    probability, _ = _curve_and_slopes(parameters, observed.contrasts)
    safe = np.clip(probability, _EPSILON, 1 - _EPSILON)
    right, other = observed.n_right, observed.n_trials - observed.n_right
    total: Floats = np.sum(right * np.log(safe) + other * np.log1p(-safe), axis=-1)
    return total


def gradient_and_information(parameters: Floats, observed: Observed) -> tuple[Floats, Floats]:
    """The slope of the log likelihood (n_fits, 4) and Fisher's expected information (n_fits, 4, 4)."""
    probability, slopes = _curve_and_slopes(parameters, observed.contrasts)
    safe = np.clip(probability, _EPSILON, 1 - _EPSILON)
    variance = safe * (1 - safe)
    surplus = (observed.n_right - observed.n_trials * safe) / variance
    gradient: Floats = np.einsum("fk,fki->fi", surplus, slopes)
    weighted = slopes * (observed.n_trials / variance)[..., None]
    return gradient, weighted.transpose(0, 2, 1) @ slopes


def maximise(
    starts: Floats, observed: Observed, lower: Floats, upper: Floats, *, rounds: int = 300
) -> tuple[Floats, Floats]:
    """Maximise the likelihood from every start within the bounds: parameters (n_fits, 4), log likelihoods (n_fits,).

    Fisher scoring with Levenberg's damping; a parameter that is pushed out of its bounds is held there for
    that step. Stops early after `rounds`. No random numbers: the same counts give the same result.

    >>> observed = Observed(np.array([-50.0, -10, 10, 50]), np.full(4, 100.0), np.array([10.0, 30, 70, 90]))
    >>> lower, upper = np.array([-50.0, 1, 0, 0]), np.array([50.0, 99, 1, 1])
    >>> best, _ = maximise(np.array([[5.0, 20, 0.05, 0.05]]), observed, lower, upper)
    >>> best.round(3).tolist()[0][2:]
    [0.1, 0.1]
    """
    best: Floats = np.clip(starts, lower, upper)
    going = np.arange(len(best))
    height = log_likelihood(best, observed)
    damping = np.full(len(best), 1e-3)
    for _ in range(rounds):
        here, counts = best[going], observed.rows(going)
        step = _step(here, counts, (lower, upper), damping[going])
        there: Floats = np.clip(here + step, lower, upper)
        reached = log_likelihood(there, counts)
        gain = reached - height[going]
        higher = gain > 0
        best[going] = np.where(higher[:, None], there, here)
        height[going] = np.where(higher, reached, height[going])
        # A full step that gains next to nothing was the last one needed; a damped one proves little.
        flat = higher & (gain < 1e-11 * (1 + np.abs(reached))) & (damping[going] < 1e-2)
        damping[going] *= np.where(higher, 0.2, 8.0)
        settled = flat | (np.max(np.abs(there - here) / (np.abs(here) + 1e-3), axis=1) < 1e-9)
        going = going[~(settled | (damping[going] > 1e12))]
        if going.size == 0:
            break
    return best, height


def _step(here: Floats, observed: Observed, bounds: tuple[Floats, Floats], damping: Floats) -> Floats:
    gradient, information = gradient_and_information(here, observed)
    fixed = ((here <= bounds[0]) & (gradient < 0)) | ((here >= bounds[1]) & (gradient > 0))
    free = ~fixed
    diagonal = np.einsum("fii->fi", information)
    # The small constant keeps a flat direction (a threshold far below the contrasts' spacing) solvable.
    ridge = np.where(fixed, 1.0, damping[:, None] * diagonal + 1e-10)
    matrix = information * (free[:, :, None] & free[:, None, :]) + ridge[:, :, None] * np.eye(4)
    return np.linalg.solve(matrix, (gradient * free)[:, :, None])[:, :, 0].astype(np.float64)
