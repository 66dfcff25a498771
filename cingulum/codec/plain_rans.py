"""Asymmetric numeral systems (rANS) in numpy: all states of all channels take one step together.

A channel has some states; the symbols 0 and 1 belong to the first, 2 and 3 to the second, and so on in turn.
All of them read one stream of 32-bit words. Before each pair of symbols a state is at least 2^31 and below 2^63;
frequencies sum to 2^12, so that two symbols never need more than one word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.parts import Streams
from cingulum.codec.symbol_tables import BYTE_OF

Symbols = NDArray[np.uint8]
PROBABILITY_BITS = 12
LOWEST_STATE = 1 << 31
MANY_WAYS, FEW_WAYS = 8, 2
BLOCK_CHANNELS = 512
LONG_ROW = 20_000  # from this number of samples on, eight states are worth their bytes

_BITS = np.uint64(PROBABILITY_BITS)
_WORD = np.uint64(32)
_ALL = np.uint64(1 << PROBABILITY_BITS)


def ways_for(n_samples: int) -> int:
    """States per channel: each takes 8 bytes, and allows a processor to decode one more symbol at a time.

    >>> ways_for(30_000), ways_for(10_000)
    (8, 2)
    """
    return MANY_WAYS if n_samples >= LONG_ROW else FEW_WAYS


def rans_encode(
    symbols: Symbols, frequencies: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32]]:
    """Final states (n_channels, ways), numbers of words (n_channels,), and all words in the order of reading."""
    n_channels, n_samples = symbols.shape
    ways = ways_for(n_samples)
    starts = np.cumsum(frequencies, axis=1, dtype=np.uint64) - frequencies
    place_of = np.argsort(BYTE_OF)
    by_byte, start_by_byte = frequencies[:, place_of].astype(np.uint64), starts[:, place_of]
    states = np.full((ways, n_channels), LOWEST_STATE, np.uint64)
    channel = np.arange(n_channels)
    n_pairs = -(-n_samples // 2)
    words, emitted = np.empty((n_pairs, n_channels), np.uint32), np.zeros((n_pairs, n_channels), np.bool_)
    for pair in range(n_pairs - 1, -1, -1):
        both = [symbols[:, at] for at in range(2 * pair, min(2 * pair + 2, n_samples))]
        share = [by_byte[channel, symbol] for symbol in both]
        state = states[pair % ways]
        room = share[0] * (share[1] if len(share) == 2 else _ALL)
        full = state >> np.uint64(63 - 2 * PROBABILITY_BITS) >= room
        words[pair], emitted[pair] = state.astype(np.uint32), full
        state = np.where(full, state >> _WORD, state)
        for symbol, frequency in zip(reversed(both), reversed(share), strict=True):
            state = ((state // frequency) << _BITS) + start_by_byte[channel, symbol] + state % frequency
        states[pair % ways] = state
    return states.T.copy(), emitted.sum(axis=0), words.T[emitted.T]


def rans_decode(
    streams: Streams, frequencies: NDArray[np.uint32], n_samples: int
) -> tuple[Symbols, NDArray[np.uint64], NDArray[np.int64]]:
    """Symbols (n_channels, n_samples), and the states and places after decoding."""
    symbols = np.empty((len(streams.states), n_samples), np.uint8)
    states, places = streams.states.copy(), streams.places.copy()
    for first in range(0, len(symbols), BLOCK_CHANNELS):
        some = slice(first, first + BLOCK_CHANNELS)
        symbols[some] = _decode(states[some], streams.words, places[some], frequencies[some], n_samples).T
    return symbols, states, places


def _decode(
    states: NDArray[np.uint64],
    words: NDArray[np.uint32],
    places: NDArray[np.int64],
    frequencies: NDArray[np.uint32],
    n_samples: int,
) -> Symbols:
    """Symbols (n_samples, n_channels); states and places are advanced to the end."""
    n_channels, ways = states.shape
    times = frequencies.reshape(-1)
    wide = frequencies.astype(np.uint64)
    symbol_at = np.repeat(np.tile(BYTE_OF, n_channels), times)
    frequency_at = np.repeat(wide.reshape(-1), times)
    start_at = np.repeat((np.cumsum(wide, axis=1) - wide).reshape(-1), times)
    base, last = (np.arange(n_channels) << PROBABILITY_BITS)[None, :], len(words) - 1
    turned = states.T.copy()
    symbols = np.empty((n_samples, n_channels), np.uint8)
    for first in range(0, n_samples, 2 * ways):
        count = min(2 * ways, n_samples - first)
        now = turned[: -(-count // 2)]
        for odd in range(min(2, count)):
            some = now[: (count + 1 - odd) // 2]
            slot = some & (_ALL - np.uint64(1))
            at = base + slot.astype(np.int64)
            symbols[first + odd : first + count : 2] = symbol_at[at]
            some[...] = frequency_at[at] * (some >> _BITS) + slot - start_at[at]
        low = now < np.uint64(LOWEST_STATE)
        taken = np.cumsum(low, axis=0)
        refill = (now << _WORD) | words[np.minimum(places + taken - low, last)]
        now[...] = np.where(low, refill, now)
        places += taken[-1]
    states[...] = turned.T
    return symbols
