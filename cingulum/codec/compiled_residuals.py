"""Symbols to residuals, compiled: adds low bits, escapes and neighbours, for some channels at some places."""

from __future__ import annotations

from typing import Any

import numpy as np

from cingulum.codec.compiling import compiled, load64
from cingulum.codec.fit import N_NEIGHBOURS, WEIGHT_BITS
from cingulum.codec.parts import ESCAPE, ESCAPE_BYTE
from cingulum.codec.vectors import LANES, filled, load, narrowed, plus, right, store, times, widened

_right_weight = right(WEIGHT_BITS)


@compiled
def low_bits(low: Any, at: int, shift: int, row: Any) -> None:
    """Bits of a channel's planes, one byte per sample; `row` is as long as its planes."""
    spread, bit_of = np.uint64(0x0101010101010101), np.uint64(0x8040201008040201)
    full, ones = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x0101010101010101)
    size = len(row) // 8
    wide = row.view(np.uint64)
    wide[:] = np.uint64(0)
    for bit in range(shift):
        plane = low[at + bit * size : at + (bit + 1) * size]
        for i in range(size):
            apart = (np.uint64(plane[i]) * spread) & bit_of
            wide[i] |= (((apart + full) >> np.uint64(7)) & ones) << np.uint64(bit)


@compiled
def _widen(symbols: Any, numbered: bool, low: Any, shift: int, own: Any) -> None:
    """Symbols as 16-bit numbers, with their low bits."""
    count, taken = len(own), symbols.view(np.int8)
    if numbered:
        for t in range(count):
            number = np.int16(symbols[t])
            own[t] = (number >> np.int16(1)) ^ -(number & np.int16(1))
        if shift:
            for t in range(count):
                own[t] = np.int16((own[t] << shift) | np.int16(low[t]))
        return
    if shift:
        for t in range(count):
            own[t] = np.int16((np.int16(taken[t]) << shift) | np.int16(low[t]))
    else:
        for t in range(count):
            own[t] = taken[t]


@compiled
def _find_escapes(symbols: Any, escape: Any, start: int, count: int, places: Any) -> int:
    """Write the places of the byte `escape` among `count` symbols from `start` into `places`; return their number."""
    pattern = np.uint64(escape) * np.uint64(0x0101010101010101)
    ones, tops = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
    n_escapes = 0
    for i in range(0, count, 8):
        n = min(8, count - i)
        if n == 8:
            # A byte is zero where less than one borrows from it.
            x = load64(symbols, start + i) ^ pattern
            if ((x - ones) & ~x & tops) == np.uint64(0):
                continue
        for k in range(i, i + n):
            if symbols[start + k] == escape:
                places[n_escapes] = k
                n_escapes += 1
    return n_escapes


@compiled
def _put_escapes(
    symbols: Any, at: int, escape: Any, channel: int, shift: Any, spilled: Any, own: Any
) -> None:
    """Copy a channel's escaped values to its row; none if there are more escapes than values (detected later)."""
    next_escape, end_escape, escaped, places = spilled
    n_escapes = _find_escapes(symbols, escape, at, len(own), places)
    if next_escape[channel] + n_escapes > end_escape[channel]:
        end_escape[channel] = -1
        return
    low = np.int16((1 << shift) - 1)
    for i in range(n_escapes):
        value = escaped[next_escape[channel] + i] << shift
        own[places[i]] = np.int16(value | (own[places[i]] & low))
    next_escape[channel] += n_escapes


@compiled
def _neighbours(rows: Any, stride: int, k: int, weights: Any, count: int) -> None:
    """Add to row k + 8 its prediction from the eight rows before it; `rows` is flat and padded to whole vectors."""
    half = filled(np.int32(1 << (WEIGHT_BITS - 1)))
    w1, w2, w3, w4 = filled(weights[0]), filled(weights[1]), filled(weights[2]), filled(weights[3])
    w5, w6, w7, w8 = filled(weights[4]), filled(weights[5]), filled(weights[6]), filled(weights[7])
    first = k * stride
    for at in range(first, first + count, LANES):
        s = plus(half, times(w8, widened(load(rows, at))))
        s = plus(s, times(w7, widened(load(rows, at + stride))))
        s = plus(s, times(w6, widened(load(rows, at + 2 * stride))))
        s = plus(s, times(w5, widened(load(rows, at + 3 * stride))))
        s = plus(s, times(w4, widened(load(rows, at + 4 * stride))))
        s = plus(s, times(w3, widened(load(rows, at + 5 * stride))))
        s = plus(s, times(w2, widened(load(rows, at + 6 * stride))))
        s = plus(s, times(w1, widened(load(rows, at + 7 * stride))))
        own = at + 8 * stride
        store(rows, own, plus(load(rows, own), narrowed(_right_weight(s))))


@compiled
def put_residuals(parts: Any, spilled: Any, block: Any, rows: Any) -> None:
    """Write residuals of some channels at some places to `rows`, which begin with those of the eight previous channels.

    `block` is (first channel, number of them, first place, number of them).
    """
    symbols, numbered, shifts, lows, low_row, weights = parts
    base, n_rows, start, count = block
    size = symbols.shape[1]
    flat, stride = symbols.reshape(-1), rows.shape[1]
    escape = np.uint8(ESCAPE if numbered else ESCAPE_BYTE)
    for k in range(n_rows):
        channel = base + k
        at, own, shift = channel * size + start, rows[N_NEIGHBOURS + k, :count], shifts[channel]
        low = lows[low_row[channel], start : start + count]
        _widen(flat[at : at + count], numbered, low, shift, own)
        _put_escapes(flat, at, escape, channel, shift, spilled, own)
        if weights[channel].any():
            _neighbours(rows.reshape(-1), stride, k, weights[channel], count)
