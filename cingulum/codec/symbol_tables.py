"""Tables of symbol frequencies of a channel, in few bytes and as exact integers.

A frequency is stored as its level on a scale with steps of about 9 %, as the difference to the level of the
previous symbol, one byte per symbol. Reading gives integers that sum to 4096, the same on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOTAL = 4_096
N_SYMBOLS = 256
BLOCK_CHANNELS = 4_096  # channels per step: intermediate arrays take 30 times the bytes of the levels
# Symbols are numbered 0, -1, 1, -2 ..., so that rare ones come last; their bytes are two's complement.
BYTE_OF: NDArray[np.uint8] = np.where(
    np.arange(256) % 2, 255 - np.arange(256) // 2, np.arange(256) // 2
).astype(np.uint8)


@cache
def scale() -> NDArray[np.int64]:
    """Frequency of each level: 0, 1, 2 ... then each about 9 % above the previous one, up to 4096.

    >>> scale()[:14].tolist(), scale()[-1].item(), len(scale())
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 4096, 84)
    """
    steps = [0]
    while steps[-1] < TOTAL:
        steps.append(min(TOTAL, max(steps[-1] + 1, steps[-1] * 140 // 128)))
    return np.array(steps, np.int64)


def levels_of(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Level of each symbol, (n_channels, 256), from the counts of its number; never 0 if it occurred."""
    share = counts * TOTAL / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    middles = (scale()[1:] + scale()[:-1]) / 2
    levels = np.searchsorted(middles, share).astype(np.uint8)
    return np.where((counts > 0) & (levels == 0), np.uint8(1), levels)


def frequencies_of(levels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Frequencies (n_channels, 256) that sum to 4096, from levels.

    Each becomes `f * 4096 // sum`, at least 1 where the level is not 0; the difference to 4096 is added to the first
    of the largest, or subtracted from it if small ones were raised. A symbol that would have all 4096 leaves one to
    the next, so that frequencies fit 12 bits.
    """
    frequencies = np.empty(levels.shape, np.uint32)
    for first in range(0, len(levels), BLOCK_CHANNELS):
        some = slice(first, first + BLOCK_CHANNELS)
        frequencies[some] = _frequencies(levels[some])
    return frequencies


def _frequencies(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    weights = scale()[levels]
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    frequencies = np.where(weights > 0, np.maximum(weights * TOTAL // total, 1), 0)
    largest = frequencies.argmax(axis=1)
    rows = np.arange(len(frequencies))
    frequencies[rows, largest] += TOTAL - frequencies.sum(axis=1)
    alone = np.flatnonzero(frequencies[rows, largest] == TOTAL)
    frequencies[alone, largest[alone]], frequencies[alone, (largest[alone] + 1) % N_SYMBOLS] = TOTAL - 1, 1
    if frequencies.min(initial=0) < 0:
        raise ValueError("a symbol table is impossible")
    return frequencies


def pack_levels(levels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bytes]:
    """(last symbol that occurs, of each channel; differences of levels up to it, of all channels)."""
    occurs = levels > 0
    last = (N_SYMBOLS - 1 - occurs[:, ::-1].argmax(axis=1)).astype(np.uint8)
    differences = np.diff(levels, axis=1, prepend=np.uint8(0)).astype(np.uint8)
    used = np.arange(N_SYMBOLS)[None, :] <= last[:, None]
    return last, differences[used].tobytes()


def unpack_levels(last: NDArray[np.uint8], packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo `pack_levels`; ValueError when the bytes cannot come from it."""
    used = np.arange(N_SYMBOLS)[None, :] <= last[:, None].astype(np.int64)
    if int(used.sum()) != len(packed):
        raise ValueError("the symbol tables do not have the length in their header")
    differences = np.zeros(used.shape, np.uint8)
    differences[used] = packed
    levels: NDArray[Any] = np.cumsum(differences, axis=1, dtype=np.uint8)
    levels[~used] = 0
    if levels.max(initial=0) >= len(scale()):
        raise ValueError("a symbol table has a level above the scale")
    return levels
