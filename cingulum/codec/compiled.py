"""The encoding part of `plain`, compiled by numba: one pass over each row while it is in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.compiled_turn import turn_samples
from cingulum.codec.compiling import compiled
from cingulum.codec.fit import COEFFICIENT_BITS, MAX_ORDER, N_NEIGHBOURS, WEIGHT_BITS
from cingulum.codec.parts import ESCAPE, ESCAPE_BYTE, MAX_SHIFT, Prediction, Residuals


def turn(
    samples: NDArray[np.int16], offsets: NDArray[np.int16], order: NDArray[np.int64], segments: int
) -> NDArray[np.int16]:
    rows = np.empty(samples.shape[::-1], np.int16)
    turn_samples(samples, offsets, order, segments, rows)
    return rows


@compiled
def _less_neighbours(rows: Any, channel: int, weights: Any, out: Any) -> None:
    """The row of a channel minus its prediction from the channels before it; `rows` is a ring of nine."""
    half, bits = np.int32(1 << (WEIGHT_BITS - 1)), np.int32(WEIGHT_BITS)
    n = len(rows)
    own, a1, a2 = rows[channel % n], rows[(channel + 8) % n], rows[(channel + 7) % n]
    a3, a4, a5 = rows[(channel + 6) % n], rows[(channel + 5) % n], rows[(channel + 4) % n]
    a6, a7, a8 = rows[(channel + 3) % n], rows[(channel + 2) % n], rows[(channel + 1) % n]
    w1, w2, w3, w4 = np.int32(weights[0]), np.int32(weights[1]), np.int32(weights[2]), np.int32(weights[3])
    w5, w6, w7, w8 = np.int32(weights[4]), np.int32(weights[5]), np.int32(weights[6]), np.int32(weights[7])
    for t in range(len(out)):
        s = np.int32(half + np.int32(w1 * np.int32(a1[t])) + np.int32(w2 * np.int32(a2[t])))
        s = np.int32(s + np.int32(w3 * np.int32(a3[t])) + np.int32(w4 * np.int32(a4[t])))
        s = np.int32(s + np.int32(w5 * np.int32(a5[t])) + np.int32(w6 * np.int32(a6[t])))
        s = np.int32(s + np.int32(w7 * np.int32(a7[t])) + np.int32(w8 * np.int32(a8[t])))
        out[t] = np.int16(np.int32(own[t]) - (s >> bits))


@compiled
def _less_past(own: Any, c: Any, segments: int, out: Any) -> None:
    """The row of a channel minus the prediction of each sample from those before it."""
    n_samples = len(own)
    half = np.int32(1 << (COEFFICIENT_BITS - 1))
    c1, c2, c3, c4 = np.int32(c[0]), np.int32(c[1]), np.int32(c[2]), np.int32(c[3])
    known = MAX_ORDER * segments
    # Shifted views, because numba would test `index - constant` for being negative.
    now, inside, y4 = own[known:], out[known:], own
    y1, y2, y3 = own[known - segments :], own[known - 2 * segments :], own[known - 3 * segments :]
    apart = max(0, n_samples // segments * segments - known)
    if c3 == 0 and c4 == 0:
        for t in range(apart):
            s = np.int32(half + np.int32(c1 * np.int32(y1[t])) + np.int32(c2 * np.int32(y2[t])))
            inside[t] = np.int16(np.int32(now[t]) - (s >> np.int32(COEFFICIENT_BITS)))
    else:
        for t in range(apart):
            s = np.int32(half + np.int32(c1 * np.int32(y1[t])) + np.int32(c2 * np.int32(y2[t])))
            s = np.int32(s + np.int32(c3 * np.int32(y3[t])) + np.int32(c4 * np.int32(y4[t])))
            inside[t] = np.int16(np.int32(now[t]) - (s >> np.int32(COEFFICIENT_BITS)))
    out[0] = own[0]
    for lane in range(1, segments):
        out[lane] = np.int16(own[lane] - own[lane - 1])
    for t in range(segments, min(known, n_samples // segments * segments)):
        out[t] = np.int16(own[t] - _one_predicted(own, c, segments, t % segments, t // segments))
    length = n_samples // segments
    for t in range(length * segments, n_samples):
        step = length + t - length * segments
        out[t] = np.int16(own[t] - _one_predicted(own, c, segments, segments - 1, step))


@compiled
def _one_predicted(own: Any, c: Any, segments: int, lane: int, step: int) -> Any:
    """The prediction of one sample of a segment from the past; the last segment extends to the end of the row."""
    s = np.int32(1 << (COEFFICIENT_BITS - 1))
    length = len(own) // segments
    for lag in range(1, MAX_ORDER + 1):
        before = max(0, step - lag)
        place = before * segments + lane
        if before >= length:
            place = length * segments + before - length
        s = np.int32(s + np.int32(c[lag - 1]) * np.int32(own[place]))
    return s >> np.int32(COEFFICIENT_BITS)


@compiled
def _absolute_sum(row: Any) -> Any:
    added = np.int64(0)
    for t in range(len(row)):
        added += np.int64(abs(np.int32(row[t])))
    return added


@compiled
def _symbols(row: Any, shift: Any, symbols: Any) -> None:
    bits, beyond = np.int16(shift), np.uint8(ESCAPE_BYTE)
    for t in range(len(row)):
        high = np.int16(row[t] >> bits)
        symbols[t] = np.uint8(high) if np.int16(-128) < high < np.int16(128) else beyond


@compiled
def _numbers(row: Any, shift: Any, symbols: Any) -> Any:
    """Numbers of a channel's symbols; how many are escapes."""
    bits, escapes = np.int16(shift), np.int32(0)
    for t in range(len(row)):
        high = np.int16(row[t] >> bits)
        number = min(np.uint16((high << np.int16(1)) ^ (high >> np.int16(15))), np.uint16(ESCAPE))
        symbols[t] = np.uint8(number)
        escapes += np.int32(number == np.uint16(ESCAPE))
    return escapes


@compiled
def _count(symbols: Any, partial: Any, counts: Any) -> None:
    """How often each byte occurs."""
    n_samples = len(symbols)
    # Four tables, so that an increment need not wait for the previous one of the same counter.
    partial[:] = 0
    whole = n_samples // 4
    for t in range(whole):
        partial[0, symbols[4 * t]] += np.uint32(1)
        partial[1, symbols[4 * t + 1]] += np.uint32(1)
        partial[2, symbols[4 * t + 2]] += np.uint32(1)
        partial[3, symbols[4 * t + 3]] += np.uint32(1)
    for t in range(4 * whole, n_samples):
        partial[0, symbols[t]] += np.uint32(1)
    for symbol in range(256):
        counts[symbol] = np.int64(partial[0, symbol]) + np.int64(partial[1, symbol])
        counts[symbol] += np.int64(partial[2, symbol]) + np.int64(partial[3, symbol])


@compiled
def _spill_low(row: Any, shift: int, low: Any) -> None:
    size = len(low) // shift
    for bit in range(shift):
        plane = low[bit * size : (bit + 1) * size]
        for i in range(len(row) // 8):
            eight = row[8 * i : 8 * i + 8]
            byte = np.uint32(0)
            for k in range(8):
                byte |= ((np.uint32(np.uint16(eight[k])) >> np.uint32(bit)) & np.uint32(1)) << np.uint32(k)
            plane[i] = np.uint8(byte)
        for t in range(len(row) // 8 * 8, len(row)):
            plane[t // 8] |= np.uint8(((row[t] >> bit) & 1) << (t % 8))


@compiled
def _spill_escaped(symbols: Any, escape: int, row: Any, shift: int, escaped: Any) -> None:
    used = 0
    for t in range(len(row)):
        if symbols[t] == escape:
            escaped[used] = row[t] >> shift
            used += 1


@compiled
def _room(array: Any, used: int, more: int) -> Any:
    if used + more <= len(array):
        return array
    larger = np.zeros(2 * (used + more), array.dtype)
    larger[:used] = array[:used]
    return larger


@compiled
def _forward(rows: Any, prediction: Any, numbered: bool, symbols: Any, shifts: Any, counts: Any) -> Any:
    weights, coefficients, segments = prediction
    n_channels, n_samples = rows.shape
    residuals = np.empty(n_samples, np.int16)
    # The residuals of prediction, of this channel and of the eight before it.
    surprises = np.zeros((N_NEIGHBOURS + 1, n_samples), np.int16)
    partial = np.empty((4, 256), np.uint32)
    escaped, low = np.zeros(4_096, np.int16), np.zeros(4_096, np.uint8)
    n_escaped, n_low = 0, 0
    for channel in range(n_channels):
        own = surprises[channel % (N_NEIGHBOURS + 1)]
        _less_past(rows[channel], coefficients[channel], segments, own)
        if weights[channel].any():
            _less_neighbours(surprises, channel, weights[channel], residuals)
            row = residuals
        else:
            row = own
        size, shift = _absolute_sum(row), 0
        while shift < MAX_SHIFT and 10 * size > (255 << shift) * n_samples:
            shift += 1
        shifts[channel] = shift
        escape = ESCAPE if numbered else ESCAPE_BYTE
        if numbered:
            counts[channel, escape] = _numbers(row, shift, symbols[channel])
        else:
            _symbols(row, shift, symbols[channel])
            _count(symbols[channel], partial, counts[channel])
        more = counts[channel, escape]
        if more:
            escaped = _room(escaped, n_escaped, more)
            _spill_escaped(symbols[channel], escape, row, shift, escaped[n_escaped : n_escaped + more])
            n_escaped += more
        if shift:
            more = shift * ((n_samples + 15) // 16 * 2)
            low = _room(low, n_low, more)
            _spill_low(row, shift, low[n_low : n_low + more])
            n_low += more
    return escaped[:n_escaped], low[:n_low]


def forward(
    rows: NDArray[np.int16], prediction: Prediction, *, numbered: bool
) -> tuple[Residuals, NDArray[np.int64]]:
    symbols = np.empty(rows.shape, np.uint8)
    shifts = np.empty(len(rows), np.uint8)
    counts = np.empty((len(rows), 256), np.int64)
    escaped, low = _forward(rows, prediction, numbered, symbols, shifts, counts)
    escapes = counts[:, ESCAPE if numbered else ESCAPE_BYTE]
    return Residuals(symbols, numbered, shifts, escapes, escaped, low), counts
