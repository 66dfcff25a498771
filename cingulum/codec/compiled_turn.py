"""Transposes samples to rows, compiled: squares of numbers are transposed within 64-bit registers."""

from __future__ import annotations

from typing import Any

import numpy as np

from cingulum.codec.compiling import compiled, load64, store64

TILE = 128  # places of rows per block

_16, _32 = np.uint64(16), np.uint64(32)
_LOW_16, _LOW_32 = np.uint64(0x0000FFFF0000FFFF), np.uint64(0x00000000FFFFFFFF)


@compiled
def _swap(a: Any, b: Any, distance: Any, low: Any) -> Any:
    """Exchange the high parts of `a` with the low parts of `b`."""
    t = ((a >> distance) ^ b) & low
    return a ^ (t << distance), b ^ t


@compiled
def turn_words(source: Any, n_lines: int, width: int, target: Any, size: int, at: int) -> None:
    """Transpose the 16-bit numbers `source` (i, k), four by four: number (i, k) becomes target[at + k * size + i].

    `target` is flat. `n_lines` lines of the source and `width` numbers of each are used.
    """
    taken, stride = source.reshape(-1), source.shape[1]
    lines, columns = n_lines // 4 * 4, width // 4 * 4
    for k in range(0, columns, 4):
        to = at + k * size
        for i in range(0, lines, 4):
            here = i * stride + k
            x0, x1 = load64(taken, here), load64(taken, here + stride)
            x2, x3 = load64(taken, here + 2 * stride), load64(taken, here + 3 * stride)
            x0, x1 = _swap(x0, x1, _16, _LOW_16)
            x2, x3 = _swap(x2, x3, _16, _LOW_16)
            x0, x2 = _swap(x0, x2, _32, _LOW_32)
            x1, x3 = _swap(x1, x3, _32, _LOW_32)
            store64(target, to + i, x0)
            store64(target, to + i + size, x1)
            store64(target, to + i + 2 * size, x2)
            store64(target, to + i + 3 * size, x3)
    for k in range(width):
        for i in range(lines if k < columns else 0, n_lines):
            target[at + k * size + i] = source[i, k]


@compiled
def together(columns: Any) -> bool:
    """Whether columns are adjacent."""
    apart = columns[0] < 0
    for k in range(len(columns)):
        apart = apart or columns[k] != columns[0] + k
    return not apart


@compiled
def turn_samples(samples: Any, offsets: Any, order: Any, segments: int, rows: Any) -> None:
    """See `plain.turn`."""
    n_samples, n_channels = samples.shape
    length = n_samples // segments
    tile = np.empty((TILE, n_channels), np.int16)
    flat, side_by_side = rows.reshape(-1), together(order)
    lane, at, step = 0, 0, 0
    for start in range(0, n_samples, TILE):
        count = min(TILE, n_samples - start)
        for i in range(count):
            line, sample = tile[i], samples[at]
            if side_by_side:
                for k in range(n_channels):
                    line[k] = np.int16(sample[k] - offsets[k])
            else:
                for k in range(n_channels):
                    line[k] = np.int16(sample[order[k]] - offsets[order[k]])
            lane, at = lane + 1, at + length
            if start + i + 1 >= length * segments:
                at = start + i + 1  # the remaining samples continue the last segment
            elif lane == segments:
                lane, step = 0, step + 1
                at = step
        turn_words(tile, count, n_channels, flat, n_samples, start)
