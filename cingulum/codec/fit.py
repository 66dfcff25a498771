"""Predictors fitted to a chunk: weights of neighbouring channels, coefficients over time.

Fits may use floating point, because their results are rounded to integers and stored with the
chunk: decoding never repeats a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_NEIGHBOURS = 8
GROUP_CHANNELS = 96  # a channel is decoded from its group alone, so groups bound random access
WEIGHT_BITS = 8
COEFFICIENT_BITS = 12
MAX_ORDER = 4
# Limits of sums of absolute values, so that every sum of products fits 32 bits.
MAX_WEIGHT_SUM = 16 << WEIGHT_BITS
MAX_COEFFICIENT_SUM = (4 << COEFFICIENT_BITS) - 1
FIT_SAMPLES = 4_096  # of each channel, from the starts of all segments
MIN_GAIN_BITS = 0.01
RIDGE = 1e-6

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Predictor:
    """Integers that turn a chunk into residuals; rows follow the coding order of the channels.

    coefficients   (n_channels, 4) int16 in 1/4096: of the 1st to 4th previous sample
    weights        (n_channels, 8) int16 in 1/256: of the residuals in time, at the same moment,
                   of the channels 1 to 8 places before
    """

    weights: NDArray[np.int16]
    coefficients: NDArray[np.int16]

    @property
    def spatial(self) -> bool:
        """Whether any channel is predicted from its neighbours."""
        return bool(self.weights.any())


def fit(probe: NDArray[Any], limits: NDArray[np.int64], *, spatial: bool, order: int) -> Predictor:
    """Fit a predictor to part of a chunk.

    probe    (n_channels, steps, segments) samples in coding order, minus their offset
    limits   per channel, how many of the preceding channels may predict it; -1 for a
             digital channel, which is predicted by its own last sample only
    """
    values = probe.astype(np.float32)
    n_channels = len(values)
    coefficients = np.zeros((n_channels, MAX_ORDER), np.int16)
    coefficients[:, :order] = _fit_coefficients(values, order)
    coefficients[limits < 0] = 0
    coefficients[limits < 0, 0] = 1 << COEFFICIENT_BITS
    weights = np.zeros((n_channels, N_NEIGHBOURS), np.int16)
    if spatial and values.shape[1] > MAX_ORDER and n_channels > 1:
        weights = _fit_weights(_surprises(values, coefficients), limits)
    return Predictor(weights, coefficients)


def _surprises(values: Floats, coefficients: NDArray[np.int16]) -> Floats:
    """The residuals of predicting each channel from its past."""
    residuals = values[:, MAX_ORDER:].copy()
    shares = coefficients.astype(np.float32) / (1 << COEFFICIENT_BITS)
    end = values.shape[1]
    term = np.empty_like(residuals)
    for lag in range(1, MAX_ORDER + 1):
        if shares[:, lag - 1].any():
            residuals -= np.multiply(
                shares[:, lag - 1, None, None], values[:, MAX_ORDER - lag : end - lag], out=term
            )
    return np.rint(residuals, out=residuals).reshape(len(values), -1)


def _products(rows: Floats) -> NDArray[np.float64]:
    """Sums over time of the product of each channel with those 0, 1 ... 8 places before it, (9, n_channels)."""
    n_channels = len(rows)
    products = np.zeros((N_NEIGHBOURS + 1, n_channels))
    for lag in range(min(N_NEIGHBOURS, n_channels - 1) + 1):
        products[lag, lag:] = np.einsum("ct,ct->c", rows[lag:], rows[: n_channels - lag])
    return products


def _fit_weights(surprises: Floats, limits: NDArray[np.int64]) -> NDArray[np.int16]:
    n_channels, n_lags = len(surprises), min(N_NEIGHBOURS, len(surprises) - 1)
    products = _products(surprises)[: n_lags + 1]
    lag = np.arange(1, n_lags + 1)
    allowed = lag[None, :] <= limits[:, None]
    channel = np.arange(n_channels)[:, None, None]
    nearer = np.minimum(lag[:, None], lag[None, :])
    gram = products[np.abs(lag[:, None] - lag[None, :]), np.maximum(channel - nearer, 0)]
    gram = np.where(allowed[:, :, None] & allowed[:, None, :], gram, 0.0)
    target = np.where(allowed, products[1:].T, 0.0)
    power = products[0]
    diagonal = np.einsum("cii->ci", gram)
    # Dead channels make the equations singular: add a small ridge, and 1 to the diagonal of empty rows.
    gram[:, lag - 1, lag - 1] = diagonal * 1.0001 + np.where(diagonal > 0, 1e-3 * power[:, None] + 1, 1)
    solved = np.linalg.solve(gram, target[:, :, None])[:, :, 0]
    explained = np.einsum("ck,ck->c", solved, target) / np.maximum(power, 1)
    gain_bits = -0.5 * np.log2(np.clip(1 - explained, 1e-6, 1))
    gain_bits[limits < 0] = 0
    weights = np.zeros((n_channels, N_NEIGHBOURS), np.int16)
    if gain_bits.mean() < MIN_GAIN_BITS:
        return weights
    weights[:, :n_lags] = _to_fixed(solved, WEIGHT_BITS, MAX_WEIGHT_SUM)
    weights[gain_bits <= MIN_GAIN_BITS / 4] = 0
    return weights


def _fit_coefficients(values: Floats, order: int) -> NDArray[np.int16]:
    """Least squares over all samples with a complete past, so nothing is assumed at the edges of short stretches."""
    n_channels, steps, segments = values.shape
    flat = values.reshape(n_channels, -1)
    products = np.zeros((n_channels, order + 1, order + 1))
    for lag in range(order + 1):
        now, before = flat[:, lag * segments :], flat[:, : (steps - lag) * segments]
        inner = (order - lag) * segments
        total = np.einsum("ct,ct->c", now[:, inner:], before[:, inner:]).astype(np.float64)
        # Pairs i steps earlier: add the i pairs at the front, subtract the i pairs at the end.
        edge = now[:, :inner] * before[:, :inner]
        front = edge.reshape(n_channels, order - lag, segments).sum(axis=2)[:, ::-1]
        edge = now[:, now.shape[1] - inner :] * before[:, before.shape[1] - inner :]
        end = edge.reshape(n_channels, order - lag, segments).sum(axis=2)[:, ::-1]
        moved = np.cumsum(front.astype(np.float64) - end, axis=1)
        place = np.arange(order + 1 - lag)
        products[:, place, place + lag] = total[:, None] + np.pad(moved, ((0, 0), (1, 0)))
        products[:, place + lag, place] = products[:, place, place + lag]
    normal, row = products[:, 1:, 1:].copy(), np.arange(order)
    normal[:, row, row] = normal[:, row, row] * (1 + RIDGE) + 1
    solved = np.linalg.solve(normal, products[:, 0, 1:, None])[:, :, 0]
    return _to_fixed(solved.astype(np.float64), COEFFICIENT_BITS, MAX_COEFFICIENT_SUM)


def _to_fixed(real: NDArray[np.float64], bits: int, largest_sum: int) -> NDArray[np.int16]:
    """Round to fixed point; a row that could overflow becomes zero, so it predicts nothing."""
    scaled = np.rint(real * (1 << bits))
    safe = np.isfinite(scaled).all(axis=1) & (np.abs(scaled).sum(axis=1) <= largest_sum)
    return np.where(safe[:, None], scaled, 0).astype(np.int16)
