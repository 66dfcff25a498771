"""The rANS coder of `plain_rans`, compiled, with eight states in parallel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.compiling import compiled, high_product
from cingulum.codec.parts import Streams
from cingulum.codec.plain_rans import LOWEST_STATE, MANY_WAYS, PROBABILITY_BITS, ways_for
from cingulum.codec.symbol_tables import BYTE_OF

_BITS, _WORD = np.uint64(PROBABILITY_BITS), np.uint64(32)
_SLOTS = np.uint64((1 << PROBABILITY_BITS) - 1)
_LOW = np.uint64(LOWEST_STATE)
_8, _20 = np.uint64(8), np.uint64(20)


@compiled
def _prepare(frequencies: Any, byte_of: Any, table: Any) -> None:
    """Per byte: frequency, its inverse, the shift of the inverse, the number to be added, and the complement.

    The quotient of a state below 2^63 and a frequency above 1 is exactly the upper half of the product with
    the inverse, shifted. For 1 the upper half is one too small, which the added number corrects.
    """
    start = np.uint64(0)
    unit = np.uint64(1)
    for number in range(256):
        f = np.uint64(frequencies[number])
        row = table[byte_of[number]]
        row[0], row[4] = f, np.uint64(4096) - f
        if f < np.uint64(2):
            row[1], row[2], row[3] = ~np.uint64(0), np.uint64(0), start + np.uint64(4095)
        else:
            shift = np.uint64(0)
            while f > unit << shift:
                shift += unit
            # ceil(2^(63 + shift) / f), in two divisions of 64 bits.
            top = unit << (shift + np.uint64(31))
            whole, rest = top // f, (top % f) << _WORD
            row[1] = (whole << _WORD) + (rest + f - unit) // f
            row[2], row[3] = shift - unit, start
        start += f


@compiled
def _push(x: Any, row: Any) -> Any:
    quotient = high_product(x, row[1]) >> (row[2] & np.uint64(63))
    return x + row[3] + quotient * row[4]


@compiled
def _encode_channel(symbols: Any, table: Any, words: Any, states: Any) -> int:
    """Write words from the end of `words`; returns where they begin."""
    n_samples, ways = len(symbols), len(states)
    states[:] = _LOW
    at = len(words) - 1
    pair = n_samples // 2
    if n_samples % 2:
        row = table[symbols[n_samples - 1]]
        x = states[pair % ways]
        if x >> np.uint64(51) >= row[0]:
            words[at] = np.uint32(x)
            at -= 1
            x >>= _WORD
        states[pair % ways] = _push(x, row)
    way = pair % ways
    for t in range(pair - 1, -1, -1):
        way = ways - 1 if way == 0 else way - 1
        first, second = table[symbols[2 * t]], table[symbols[2 * t + 1]]
        x = states[way]
        words[at] = np.uint32(x)
        full = x >> np.uint64(39) >= first[0] * second[0]
        at -= int(full)
        x = x >> _WORD if full else x
        states[way] = _push(_push(x, second), first)
    return at + 1


@compiled
def _rans_encode(symbols: Any, frequencies: Any, byte_of: Any, states: Any, out: Any) -> Any:
    n_channels, n_samples = symbols.shape
    lengths = np.zeros(n_channels, np.int64)
    words = np.empty(n_samples // 2 + 2, np.uint32)
    table = np.zeros((256, 5), np.uint64)
    used = 0
    for channel in range(n_channels):
        _prepare(frequencies[channel], byte_of, table)
        first = _encode_channel(symbols[channel], table, words, states[channel])
        n_words = len(words) - first
        out[used : used + n_words] = words[first:]
        lengths[channel] = n_words
        used += n_words
    return lengths


def rans_encode(
    symbols: NDArray[np.uint8], frequencies: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32]]:
    n_channels, n_samples = symbols.shape
    states = np.empty((n_channels, ways_for(n_samples)), np.uint64)
    words = np.empty(n_channels * (n_samples // 2 + 1), np.uint32)
    lengths = _rans_encode(symbols, frequencies, BYTE_OF, states, words)
    return states, lengths, words[: int(lengths.sum())]


@compiled
def _fill(frequencies: Any, byte_of: Any, table: Any) -> None:
    """Per slot: symbol, frequency, and place of the slot among those of the symbol."""
    slot = 0
    for number in range(256):
        f = np.uint32(frequencies[number])
        entry = np.uint32(byte_of[number]) | (f << np.uint32(8))
        for bias in range(f):
            table[slot] = entry | (np.uint32(bias) << np.uint32(20))
            slot += 1


@compiled
def _pop(x: Any, entry: Any) -> Any:
    e = np.uint64(entry)
    return ((e >> _8) & _SLOTS) * (x >> _BITS) + (e >> _20)


@compiled
def _refilled(x: Any, word: Any) -> Any:
    return (x << _WORD) | np.uint64(word) if x < _LOW else x


@compiled
def _decode_eight(words: Any, place: Any, states: Any, table: Any, symbols: Any) -> Any:
    """Decode sixteen symbols at a time while enough words remain; returns (symbols, place)."""
    x0, x1, x2, x3 = states[0], states[1], states[2], states[3]
    x4, x5, x6, x7 = states[4], states[5], states[6], states[7]
    p, t, n, last = np.uint64(place), 0, len(symbols) - 15, np.uint64(max(8, len(words)) - 8)
    while t < n and p < last:
        out = symbols[t : t + 16]
        t += 16
        e0, e1, e2, e3 = table[x0 & _SLOTS], table[x1 & _SLOTS], table[x2 & _SLOTS], table[x3 & _SLOTS]
        e4, e5, e6, e7 = table[x4 & _SLOTS], table[x5 & _SLOTS], table[x6 & _SLOTS], table[x7 & _SLOTS]
        out[0], out[2], out[4], out[6] = np.uint8(e0), np.uint8(e1), np.uint8(e2), np.uint8(e3)
        out[8], out[10], out[12], out[14] = np.uint8(e4), np.uint8(e5), np.uint8(e6), np.uint8(e7)
        x0, x1, x2, x3 = _pop(x0, e0), _pop(x1, e1), _pop(x2, e2), _pop(x3, e3)
        x4, x5, x6, x7 = _pop(x4, e4), _pop(x5, e5), _pop(x6, e6), _pop(x7, e7)
        e0, e1, e2, e3 = table[x0 & _SLOTS], table[x1 & _SLOTS], table[x2 & _SLOTS], table[x3 & _SLOTS]
        e4, e5, e6, e7 = table[x4 & _SLOTS], table[x5 & _SLOTS], table[x6 & _SLOTS], table[x7 & _SLOTS]
        out[1], out[3], out[5], out[7] = np.uint8(e0), np.uint8(e1), np.uint8(e2), np.uint8(e3)
        out[9], out[11], out[13], out[15] = np.uint8(e4), np.uint8(e5), np.uint8(e6), np.uint8(e7)
        x0, x1, x2, x3 = _pop(x0, e0), _pop(x1, e1), _pop(x2, e2), _pop(x3, e3)
        x4, x5, x6, x7 = _pop(x4, e4), _pop(x5, e5), _pop(x6, e6), _pop(x7, e7)
        low, w = x0 < _LOW, words[p]
        x0, p = _refilled(x0, w), p + np.uint64(low)
        low, w = x1 < _LOW, words[p]
        x1, p = _refilled(x1, w), p + np.uint64(low)
        low, w = x2 < _LOW, words[p]
        x2, p = _refilled(x2, w), p + np.uint64(low)
        low, w = x3 < _LOW, words[p]
        x3, p = _refilled(x3, w), p + np.uint64(low)
        low, w = x4 < _LOW, words[p]
        x4, p = _refilled(x4, w), p + np.uint64(low)
        low, w = x5 < _LOW, words[p]
        x5, p = _refilled(x5, w), p + np.uint64(low)
        low, w = x6 < _LOW, words[p]
        x6, p = _refilled(x6, w), p + np.uint64(low)
        low, w = x7 < _LOW, words[p]
        x7, p = _refilled(x7, w), p + np.uint64(low)
    states[0], states[1], states[2], states[3] = x0, x1, x2, x3
    states[4], states[5], states[6], states[7] = x4, x5, x6, x7
    return t, np.int64(p)


@compiled
def _decode_rest(words: Any, place: int, states: Any, table: Any, symbols: Any, done: int) -> int:
    """Decode the symbols from `done` on, one by one; returns the place in `words`."""
    n_samples, ways, last = len(symbols), len(states), len(words) - 1
    for pair in range(done // 2, (n_samples + 1) // 2):
        x = states[pair % ways]
        for t in range(2 * pair, min(2 * pair + 2, n_samples)):
            e = table[x & _SLOTS]
            symbols[t] = np.uint8(e)
            x = _pop(x, e)
        if x < _LOW:
            x = (x << _WORD) | np.uint64(words[min(place, last)])
            place += 1
        states[pair % ways] = x
    return place


@compiled
def _rans_decode(states: Any, words: Any, places: Any, frequencies: Any, byte_of: Any, symbols: Any) -> None:
    table = np.empty(4096, np.uint32)
    for channel in range(len(symbols)):
        _fill(frequencies[channel], byte_of, table)
        done, place = 0, places[channel]
        if states.shape[1] == MANY_WAYS:
            done, place = _decode_eight(words, place, states[channel], table, symbols[channel])
        places[channel] = _decode_rest(words, place, states[channel], table, symbols[channel], done)


def rans_decode(
    streams: Streams, frequencies: NDArray[np.uint32], n_samples: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]:
    symbols = np.empty((len(streams.states), n_samples), np.uint8)
    states, places = streams.states.copy(), streams.places.copy()
    _rans_decode(states, streams.words, places, frequencies, BYTE_OF, symbols)
    return symbols, states, places
