"""Codes with holes: recordings that were rescaled use few of the integers they span.

Open Ephys stores 2.34 uV steps of a probe in units of 0.195 uV, so one code in twelve occurs.
Ranks of the codes are as smooth as the probe's own counts; a table translates them back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_CODES = 4_096
MAX_OCCUPIED = 0.4
PROBED_ROWS = 96


def find_code_book(samples: NDArray[Any], digital: NDArray[np.int64]) -> NDArray[np.int16] | None:
    """Sorted codes of an int16 chunk (n_samples, n_channels) when under 40 % of its span occurs.

    Digital channels have codes of their own and are ignored.

    >>> no_channels = np.array([], int)
    >>> find_code_book(np.array([[-24, 0, 12], [12, 120, 132]] * 30, "<i2"), no_channels).tolist()
    [-24, 0, 12, 120, 132]
    >>> find_code_book(np.arange(90, dtype="<i2").reshape(30, 3), no_channels) is None
    True
    """
    volts = np.setdiff1d(np.arange(samples.shape[1]), digital)
    if len(samples) * len(volts) < 64:
        return None
    probed = samples[:: max(1, len(samples) // PROBED_ROWS)]
    # Part of the chunk suffices: near the middle, where samples are many, it has all codes, or holes.
    near = np.sort(probed[:, volts], axis=None)
    near = near[len(near) // 20 : len(near) - len(near) // 20]
    if not _has_holes(_codes(near), MAX_OCCUPIED):
        return None
    codes = _codes(samples[:, volts])
    if len(codes) > min(MAX_CODES, samples.size // 8) or not _has_holes(codes, MAX_OCCUPIED):
        return None
    return codes


def _codes(samples: NDArray[Any]) -> NDArray[np.int16]:
    occurs = np.zeros(1 << 16, np.bool_)
    occurs[samples.view(np.uint16)] = True
    return np.sort(np.flatnonzero(occurs).astype(np.uint16).view(np.int16))


def _has_holes(codes: NDArray[np.int16], most: float) -> bool:
    span = int(codes[-1]) - int(codes[0]) + 1
    return len(codes) > 1 and len(codes) < most * span


def rank_table(codes: NDArray[np.int16]) -> NDArray[np.int16]:
    """Rank of each code by its 16 bits; meaningless where a code does not occur."""
    table = np.zeros(1 << 16, np.int16)
    table[codes.view(np.uint16)] = np.arange(len(codes), dtype=np.int16)
    return table
