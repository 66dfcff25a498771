"""The recursion in time across channels, for chunks of few segments, such as films: 32 channels per step."""

from __future__ import annotations

from typing import Any

import numpy as np

from cingulum.codec.compiling import compiled
from cingulum.codec.fit import COEFFICIENT_BITS, N_NEIGHBOURS
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

_left_16, _left_up, _right_16 = left(16), left(16 - COEFFICIENT_BITS), right(16)


@compiled
def padded(rows: Any) -> Any:
    """A flat copy of the lines (lines, channels), padded so that vectors may read beyond them; and its line length."""
    n_lines, n = rows.shape
    wider = np.zeros((n_lines, n + LANES), np.int16)
    wider[:, :n] = rows
    return wider.reshape(-1), n + LANES


@compiled
def put_line(line: Any, columns: Any, target: Any) -> None:
    """Copy numbers to their columns; those whose column is -1 are dropped."""
    for k in range(len(columns)):
        if columns[k] >= 0:
            target[columns[k]] = line[k]


@compiled
def turn_places(rows: Any, n_rows: int, n_places: int, tile: Any) -> None:
    """Residuals of some channels into `tile` (places, channels)."""
    flat, stride, lines, width = rows.reshape(-1), rows.shape[1], tile.reshape(-1), tile.shape[1]
    for place in range(0, n_places, 8):
        for k in range(0, n_rows, 16):
            turn_square(flat, (N_NEIGHBOURS + k) * stride + place, stride, lines, place * width + k, width)


@compiled
def put_steps_across(tile: Any, block: Any, steps: Any, filters: Any, square: Any, out: Any) -> None:
    """Samples of some channels, of a number of steps of all segments; see `compiled_backward`.

    `filters` are taps and offsets, padded, and the last four steps of each segment, (segments, 4, padded channels).
    """
    base, columns, straight = block
    first, n_steps, segments, length = steps
    taps, n, offsets, past = filters
    lines, width, flat, n_columns = tile.reshape(-1), tile.shape[1], out.reshape(-1), out.shape[1]
    half = filled(np.int32(1 << 15))
    for k in range(0, len(columns), LANES):
        at = base + k
        c1, c2 = _left_up(widened(load(taps, at))), _left_up(widened(load(taps, n + at)))
        c3, c4 = _left_up(widened(load(taps, 2 * n + at))), _left_up(widened(load(taps, 3 * n + at)))
        added, whole, before = (
            widened(load(offsets, at)),
            straight and k + LANES <= len(columns),
            filled(np.int32(0)),
        )
        for segment in range(segments):
            own = past[segment].reshape(-1)
            y1, y2 = widened(load(own, at)), widened(load(own, n + at))
            y3, y4 = widened(load(own, 2 * n + at)), widened(load(own, 3 * n + at))
            for i in range(n_steps):
                e = _left_16(widened(load(lines, (i * segments + segment) * width + k)))
                if first + i == 0:
                    # A segment starts from the first sample of the previous one; its own is used as its past.
                    before = _right_16(plus(e, _left_16(before)))
                    y1, y2, y3, y4 = before, before, before, before
                else:
                    known = plus(plus(plus(half, e), times(c4, y4)), plus(times(c3, y3), times(c2, y2)))
                    y1, y2, y3, y4 = _right_16(plus(known, times(c1, y1))), y1, y2, y3
                row = segment * length + first + i
                if whole:
                    store(flat, row * n_columns + columns[k], narrowed(plus(y1, added)))
                else:
                    store(square.reshape(-1), 0, narrowed(plus(y1, added)))
                    put_line(square.reshape(-1), columns[k : k + LANES], out[row])
            store(own, at, narrowed(y1))
            store(own, n + at, narrowed(y2))
            store(own, 2 * n + at, narrowed(y3))
            store(own, 3 * n + at, narrowed(y4))
