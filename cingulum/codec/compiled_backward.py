"""Samples from residuals, compiled: tiles of some channels and steps, which stay in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.compiled_across import padded, put_line, put_steps_across, turn_places
from cingulum.codec.compiled_residuals import low_bits, put_residuals
from cingulum.codec.compiled_turn import together
from cingulum.codec.compiling import compiled
from cingulum.codec.errors import CodecError
from cingulum.codec.fit import COEFFICIENT_BITS, MAX_ORDER, N_NEIGHBOURS
from cingulum.codec.parts import Prediction, Residuals
from cingulum.codec.vectors import (
    LANES,
    filled,
    left,
    load,
    narrowed,
    plus,
    right,
    store,
    times,
    turn_square,
    widened,
)

ROWS = 128  # channels per tile; up to twice as many, minus one, in the last
STEPS = 32  # steps per tile, of all segments
FEW_SEGMENTS = 16  # with fewer segments, most of a vector would be empty
UP = 16 - COEFFICIENT_BITS
Y_STRIDE = (
    STEPS * LANES + LANES
)  # of a channel; not a power of two, because lines would then evict each other from the cache

_left_16, _right_16 = left(16), right(16)


@compiled
def _filtered2(e: Any, at: Any, taps: Any, added: int, past: Any, y: Any) -> None:
    """Samples of LANES segments, order 2: `past` is the last four steps, `y` has LANES numbers per step.

    `at` is (first step, steps, numbers from one to the next). Numbers are stored shifted 16 bits to the left:
    shifting them back rounds down and wraps.
    """
    first, n_steps, stride = at
    c1, c2 = filled(np.int32(taps[0]) << UP), filled(np.int32(taps[1]) << UP)
    half, offset = filled(np.int32(1 << 15)), filled(np.int32(added))
    y1, y2 = widened(load(past, 0)), widened(load(past, LANES))
    for i in range(first, n_steps):
        now = plus(half, _left_16(widened(load(e, i * stride))))
        predicted = _right_16(plus(plus(now, times(c2, y2)), times(c1, y1)))
        y1, y2 = predicted, y1
        store(y, i * LANES, narrowed(plus(predicted, offset)))
    store(past, 0, narrowed(y1))
    store(past, LANES, narrowed(y2))


@compiled
def _filtered4(e: Any, at: Any, taps: Any, added: int, past: Any, y: Any) -> None:
    """The same for order 4."""
    first, n_steps, stride = at
    c1, c2 = filled(np.int32(taps[0]) << UP), filled(np.int32(taps[1]) << UP)
    c3, c4 = filled(np.int32(taps[2]) << UP), filled(np.int32(taps[3]) << UP)
    half, offset = filled(np.int32(1 << 15)), filled(np.int32(added))
    y1, y2 = widened(load(past, 0)), widened(load(past, LANES))
    y3, y4 = widened(load(past, 2 * LANES)), widened(load(past, 3 * LANES))
    for i in range(first, n_steps):
        now = plus(plus(half, _left_16(widened(load(e, i * stride)))), times(c4, y4))
        known = plus(now, plus(times(c3, y3), times(c2, y2)))
        predicted = _right_16(plus(known, times(c1, y1)))
        y1, y2, y3, y4 = predicted, y1, y2, y3
        store(y, i * LANES, narrowed(plus(predicted, offset)))
    store(past, 0, narrowed(y1))
    store(past, LANES, narrowed(y2))
    store(past, 2 * LANES, narrowed(y3))
    store(past, 3 * LANES, narrowed(y4))


@compiled
def _begin(e: Any, past: Any) -> None:
    """The first step: a segment starts from the first sample of the previous one; its own first sample is its past.

    `past` is (block of LANES segments, step before, segment).
    """
    before = np.int16(0)
    for segment in range(past.shape[0] * LANES):
        before = np.int16(before + e[segment])
        for lag in range(MAX_ORDER):
            past[segment // LANES, lag, segment % LANES] = before


@compiled
def _go_on(e: Any, taps: Any, past: Any, added: Any, column: Any) -> None:
    """The remaining samples of a channel: they continue its last segment, whose last four samples are in `past`."""
    y1, y2, y3, y4 = past[0], past[1], past[2], past[3]
    c1, c2, c3, c4 = np.int32(taps[0]), np.int32(taps[1]), np.int32(taps[2]), np.int32(taps[3])
    for t in range(len(column)):
        s = np.int32(np.int32(1 << (COEFFICIENT_BITS - 1)) + np.int32(c1 * np.int32(y1)))
        s = np.int32(np.int32(s + np.int32(c2 * np.int32(y2))) + np.int32(c3 * np.int32(y3)))
        s = np.int32(s + np.int32(c4 * np.int32(y4))) >> np.int32(COEFFICIENT_BITS)
        y1, y2, y3, y4 = np.int16(np.int32(e[t]) + s), y1, y2, y3
        column[t] = np.int16(y1 + added)


@compiled
def _put(y: Any, shape: Any, columns: Any, square: Any, out: Any, place: Any) -> None:
    """Copy samples of some channels, steps and segments to their positions in `out`.

    `shape` counts them; `place` is (sample of the first step and segment, samples of a segment).
    """
    n_rows, n_steps, lanes = shape
    start, length = place
    flat, width, straight = out.reshape(-1), out.shape[1], together(columns) and n_rows >= 16
    for i in range(n_steps):
        for lane in range(0, lanes, 8):
            at, first = i * LANES + lane, start + i + lane * length
            if straight and lane + 8 <= lanes:
                for k in range(0, n_rows, 16):
                    row = min(k, n_rows - 16)
                    to = first * width + columns[row]
                    turn_square(y, row * Y_STRIDE + at, Y_STRIDE, flat, to, width * length)
            else:
                for k in range(0, n_rows, 16):
                    turn_square(y, k * Y_STRIDE + at, Y_STRIDE, square.reshape(-1), 0, 16)
                    for j in range(min(8, lanes - lane)):
                        put_line(square[j], columns[k : k + 16], out[first + j * length])


@compiled
def _put_steps(rows: Any, block: Any, steps: Any, filters: Any, work: Any, out: Any) -> None:
    """Samples of some channels, of a number of steps of all segments, from their residuals.

    `steps` is (first, number of them, segments, samples of a segment).
    """
    base, n_rows = block
    first, n_steps, segments, length = steps
    coefficients, offsets, columns, past = filters
    y, square = work
    for lane in range(0, segments, LANES):
        for k in range(n_rows):
            e, own, taps = rows[N_NEIGHBOURS + k, lane:], y[k * Y_STRIDE :], coefficients[base + k]
            before, added = past[base + k, lane // LANES], offsets[base + k]
            if first == 0:
                if lane == 0:
                    _begin(e, past[base + k])
                for segment in range(LANES):
                    own[segment] = np.int16(before[0, segment] + added)
            at = (int(first == 0), n_steps, segments)
            if taps[2] == 0 and taps[3] == 0:
                _filtered2(e, at, taps, added, before.reshape(-1), own)
            else:
                _filtered4(e, at, taps, added, before.reshape(-1), own)
        shape = (n_rows, n_steps, min(LANES, segments - lane))
        _put(y, shape, columns[base : base + n_rows], square, out, (first + lane * length, length))


@compiled
def _put_remainder(rows: Any, block: Any, last: Any, filters: Any, out: Any) -> None:
    """The samples after the last segment, of some channels, from their residuals.

    `last` is (segments, whether channels take their steps together, past of either way).
    """
    base, n_rows = block
    segments, across, past, past_across = last
    coefficients, offsets, columns, _ = filters
    for k in range(n_rows):
        channel = base + k
        if columns[channel] >= 0:
            if across:
                known = past_across[segments - 1, :, channel]
            else:
                known = past[channel, (segments - 1) // LANES, :, (segments - 1) % LANES]
            column = out[:, columns[channel]]
            _go_on(rows[N_NEIGHBOURS + k], coefficients[channel], known, offsets[channel], column)


@compiled
def _low_bits(parts: Any) -> Any:
    """Low bits of the channels that have any, a byte per sample, and the row of each of them."""
    symbols, _, shifts, _, _, low = parts
    plane = (symbols.shape[1] + 15) // 16 * 2
    row_of, n_shifted, at = np.zeros(len(shifts), np.int64), 0, 0
    for channel in range(len(shifts)):
        if shifts[channel]:
            row_of[channel] = n_shifted
            n_shifted += 1
    rows = np.empty((max(1, n_shifted), 8 * plane), np.uint8)  # channels without any point at the first
    for channel in range(len(shifts)):
        if shifts[channel]:
            low_bits(low, at, shifts[channel], rows[row_of[channel]])
            at += np.int64(shifts[channel]) * plane
    return rows, row_of


@compiled
def _sizes(n_channels: int, segments: int) -> Any:
    """Whether channels, not segments, take their steps together; and the number of steps per tile."""
    across = segments < FEW_SEGMENTS and segments < n_channels
    return across, STEPS * (LANES // segments) if across else STEPS


@compiled
def _backward(parts: Any, prediction: Any, offsets: Any, columns: Any, out: Any) -> bool:
    symbols, numbered, shifts, escapes, escaped, _ = parts
    weights, coefficients, segments = prediction
    n_channels, size = symbols.shape
    length = size // segments
    across, steps = _sizes(n_channels, segments)
    lows, low_row = _low_bits(parts)
    end_escape = np.cumsum(escapes)
    next_escape = end_escape - escapes
    stored = (symbols, numbered, shifts, lows, low_row, weights)
    spilled = (next_escape, end_escape, escaped, np.empty((steps + 1) * segments, np.int64))
    rows = np.zeros((N_NEIGHBOURS + 2 * ROWS, (steps + 1) * segments + 2 * LANES), np.int16)
    work = (np.zeros(1 if across else 2 * ROWS * Y_STRIDE, np.int16), np.empty((8, 16), np.int16))
    taps, line = padded(coefficients.T)
    tile = np.empty((steps * segments + 8 if across else 1, 2 * ROWS), np.int16)
    blocks = (segments + LANES - 1) // LANES
    past = np.zeros((1 if across else n_channels, blocks, MAX_ORDER, LANES), np.int16)
    past_across = np.zeros((segments, MAX_ORDER, line if across else 1), np.int16)
    filters = (coefficients, offsets, columns, past)
    filters_across = (taps, line, padded(offsets.reshape(1, -1))[0], past_across)
    for first in range(0, length + 1, steps):
        n_steps = min(steps, length - first)
        start, inside = first * segments, n_steps * segments
        count = size - start if first + steps > length else inside  # the last one includes the remainder
        at = (first, n_steps, segments, length)
        rows[:N_NEIGHBOURS] = 0
        base = 0
        while base < n_channels:
            n_rows = n_channels - base if n_channels - base < 2 * ROWS else ROWS
            put_residuals(stored, spilled, (base, n_rows, start, count), rows)
            some = columns[base : base + n_rows]
            if across:
                turn_places(rows, n_rows, inside, tile)
                put_steps_across(tile, (base, some, together(some)), at, filters_across, work[1], out)
            else:
                _put_steps(rows, (base, n_rows), at, filters, work, out)
            if count > inside:
                last = (segments, across, past, past_across)
                rest = out[segments * length :]
                _put_remainder(rows[:, inside:count], (base, n_rows), last, filters, rest)
            for k in range(N_NEIGHBOURS):
                rows[k, :count] = rows[n_rows + k, :count]
            base += n_rows
    return bool((next_escape == end_escape).all())


def backward(
    parts: Residuals,
    prediction: Prediction,
    offsets: NDArray[np.int16],
    columns: NDArray[np.int64],
    n_columns: int,
) -> NDArray[np.int16]:
    out = np.empty((parts.symbols.shape[1], n_columns), np.int16)
    if not _backward(parts, prediction, offsets, columns, out):
        raise CodecError("a channel has more or fewer escapes than its header states")
    return out
