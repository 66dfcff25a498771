"""Inputs and outputs of the two kernels: the residuals of a chunk, and how they were predicted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ESCAPE = 255  # as the number of a symbol: of 0, -1, 1, -2 ... the last
ESCAPE_BYTE = 128  # as the byte of a symbol: -128
MAX_SHIFT = 8


class Residuals(NamedTuple):
    """A chunk's residuals as symbols; rows follow the coding order of the channels.

    symbols   (n_channels, n_samples) uint8: residual without its low bits; -128, an escape, if it
              is outside -127 ... 127
    numbered  whether symbols are numbers (0, 1, 2, 3 ... 255 for 0, -1, 1, -2 ... -128) and not
              two's complement
    shifts    (n_channels,) uint8: number of low bits that are stored separately
    escapes   (n_channels,) int64: number of symbols that are escapes
    escaped   int16: the escaped residuals without their low bits, channel after channel
    low       uint8: low bits of each channel that has any, lowest bit first, one plane per bit
    """

    symbols: NDArray[np.uint8]
    numbered: bool
    shifts: NDArray[np.uint8]
    escapes: NDArray[np.int64]
    escaped: NDArray[np.int16]
    low: NDArray[np.uint8]


class Prediction(NamedTuple):
    """How samples are predicted, all in integers; see `fit.Predictor`.

    segments   number of interleaved parts of the chunk: a row has the first samples of all parts,
               then the second ones ...; the remaining samples follow at the end
    """

    weights: NDArray[np.int16]
    coefficients: NDArray[np.int16]
    segments: int


class Streams(NamedTuple):
    """The rANS streams of some channels.

    states   (n_channels, n_ways) uint64: where decoding starts
    words    uint32: all streams together
    places   (n_channels,) int64: where each starts in `words`
    """

    states: NDArray[np.uint64]
    words: NDArray[np.uint32]
    places: NDArray[np.int64]


def low_bytes(shifts: Any, n_samples: int) -> Any:
    """Number of bytes of a channel's low bits: one plane per bit, each of an even number of bytes.

    >>> int(low_bytes(3, 10))
    6
    """
    return np.asarray(shifts, np.int64) * plane_bytes(n_samples)


def plane_bytes(n_samples: int) -> int:
    """Number of bytes of one bit of every sample of a channel.

    >>> plane_bytes(16), plane_bytes(17)
    (2, 4)
    """
    return -(-n_samples // 16) * 2


def choose_shift(absolute_sum: int, n_samples: int) -> int:
    """How many low bits of a channel are stored separately, so that few residuals exceed a symbol.

    The rule is 255 * 2^shift >= 10 times the mean magnitude, which is 4 standard deviations of a normal distribution.

    >>> [choose_shift(total, 1_000) for total in (0, 25_000, 26_000, 20_000_000)]
    [0, 0, 1, 8]
    """
    shift = 0
    while shift < MAX_SHIFT and 10 * absolute_sum > (255 << shift) * n_samples:
        shift += 1
    return shift
