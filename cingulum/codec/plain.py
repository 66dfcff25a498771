"""The arithmetic of the format in numpy alone: always there, and the text that explains it best.

Rows are channels in coding order. A row holds the first samples of all segments, then the second
ones, so that all segments take a step in time together. `compiled` has the same functions for
numba; the two agree bit for bit. All arithmetic on samples is modulo 2^16.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cingulum.codec.errors import CodecError
from cingulum.codec.fit import COEFFICIENT_BITS, MAX_ORDER, N_NEIGHBOURS, WEIGHT_BITS
from cingulum.codec.parts import (
    ESCAPE,
    ESCAPE_BYTE,
    Prediction,
    Residuals,
    choose_shift,
    low_bytes,
    plane_bytes,
)

Int16s = NDArray[np.int16]
Int32s = NDArray[np.int32]
BLOCK_STEPS = 64  # of all segments of BLOCK_CHANNELS: what is at work stays in the third-level cache
BLOCK_CHANNELS = 512
BLOCK_ROWS = 16  # of which all symbols stay in the cache
BLOCK_NUMBERS = 480_000  # of 32 bits each, three times, at work at a time, in the third-level cache


def turn(samples: Int16s, offsets: Int16s, order: NDArray[np.int64], segments: int) -> Int16s:
    """Rows of channels in coding order, offsets taken off, from (n_samples, n_channels)."""
    n_samples, n_channels = samples.shape
    rows = np.empty((n_channels, n_samples), np.int16)
    length = n_samples // segments
    moved = not np.array_equal(order, np.arange(n_channels))
    apart = samples[: length * segments].reshape(segments, length, n_channels)
    for first in range(0, length, BLOCK_STEPS):
        block = apart[:, first : first + BLOCK_STEPS] - offsets
        steps = rows[:, first * segments : (first + block.shape[1]) * segments]
        steps.reshape(n_channels, -1, segments)[...] = (block[..., order] if moved else block).transpose(
            2, 1, 0
        )
    rows[:, length * segments :] = (samples[length * segments :] - offsets)[:, order].T
    return rows


def forward(rows: Int16s, prediction: Prediction, *, numbered: bool) -> tuple[Residuals, NDArray[np.int64]]:
    """Symbols of every sample's residual, and how often each byte occurs in each channel.

    Symbols that are numbered are not counted, but for escapes.
    """
    n_channels, n_samples = rows.shape
    symbols = np.empty(rows.shape, np.uint8)
    counts = np.empty((n_channels, 256), np.int64)
    shifts = np.empty(n_channels, np.uint8)
    escaped, low = [np.empty(0, np.int16)], [np.empty(0, np.uint8)]
    escape = ESCAPE if numbered else ESCAPE_BYTE
    residuals = _less_past(rows, prediction)
    # From the last channel on, so that those before it still contain their residuals.
    for channel in np.flatnonzero(prediction.weights.any(axis=1))[::-1].tolist():
        residuals[channel] -= _from_neighbours(residuals, prediction.weights, channel)
    # Here and below: memory is allocated once, because the kernel clears each new allocation page by page.
    room = np.empty((2, _block_rows(rows.shape), n_samples), np.int16)
    for some in _blocks(rows.shape):
        high, coded = residuals[some], symbols[some]
        number, sign = room[:, : len(high)]
        sizes = np.abs(high, out=number).view(np.uint16).sum(axis=1, dtype=np.int64).tolist()
        shifts[some] = [choose_shift(size, n_samples) for size in sizes]
        low += [
            _low_bits(row, shift) for row, shift in zip(high, shifts[some].tolist(), strict=True) if shift
        ]
        high >>= shifts[some, None]
        np.bitwise_xor(np.left_shift(high, 1, out=number), np.right_shift(high, 15, out=sign), out=number)
        if numbered:
            np.minimum(number.view(np.uint16), ESCAPE, out=coded, casting="unsafe")
            counts[some, escape] = np.count_nonzero(coded == escape, axis=1)
        else:
            coded[...] = np.where(number.view(np.uint16) < ESCAPE, high, ESCAPE_BYTE)
            counts[some] = [np.bincount(row, minlength=256) for row in coded]
        if counts[some, escape].any():
            escaped.append(high[coded == escape])
    parts = (counts[:, escape], np.concatenate(escaped), np.concatenate(low))
    return Residuals(symbols, numbered, shifts, *parts), counts


def _block_rows(shape: tuple[int, ...]) -> int:
    """Channels at a time: all of them would not fit the cache, and few make short steps, between which threads wait."""
    return min(shape[0], max(1, BLOCK_NUMBERS // shape[1]))


def _blocks(shape: tuple[int, ...]) -> list[slice]:
    step = _block_rows(shape)
    return [slice(first, first + step) for first in range(0, shape[0], step)]


def _from_neighbours(rows: Int16s, weights: Int16s, channel: int) -> Int16s:
    total = np.zeros(rows.shape[1], np.int32)
    for lag in range(1, min(N_NEIGHBOURS, channel) + 1):
        if weights[channel, lag - 1]:
            total += np.int32(weights[channel, lag - 1]) * rows[channel - lag].astype(np.int32)
    return ((total + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS).astype(np.int16)


def _less_past(rows: Int16s, prediction: Prediction) -> Int16s:
    """The residuals of predicting each channel from its past."""
    residuals, segments = np.empty_like(rows), prediction.segments
    n_samples = rows.shape[1]
    before, apart = MAX_ORDER * segments, n_samples // segments * segments
    room = np.empty((3, _block_rows(rows.shape), before + n_samples), np.int32)
    for some in _blocks(rows.shape):
        taps = prediction.coefficients[some].astype(np.int32)
        # The first sample of each segment is used for all samples before it.
        wide, work = room[0, : len(taps)], room[1:, : len(taps)]
        wide[:, :before].reshape(len(taps), MAX_ORDER, segments)[...] = rows[some, None, :segments]
        wide[:, before:] = rows[some]
        predicted = _predict(wide[:, : before + apart], taps, segments, work)
        np.subtract(
            rows[some, :apart], predicted, out=residuals[some, :apart], dtype=np.int16, casting="unsafe"
        )
        residuals[some, 0] = rows[some, 0]
        residuals[some, 1:segments] = rows[some, 1:segments] - rows[some, : segments - 1]
        last = wide[:, apart + segments - 1 : apart + before : segments]
        rest = np.concatenate([last, wide[:, before + apart :]], axis=1)
        predicted = _predict(rest, taps, 1, work)
        np.subtract(
            rows[some, apart:], predicted, out=residuals[some, apart:], dtype=np.int16, casting="unsafe"
        )
    return residuals


def _predict(wide: Int32s, taps: Int32s, distance: int, work: Int32s) -> Int32s:
    """Predict each sample from 4 times `distance` on by the samples 1, 2 ... 4 times `distance` before it.

    The result is a part of `work`, which has space for two like `wide`.
    """
    start, end = MAX_ORDER * distance, wide.shape[1]
    total, term = work[0, :, : end - start], work[1, :, : end - start]
    total.fill(1 << (COEFFICIENT_BITS - 1))
    for lag in (np.flatnonzero(taps.any(axis=0)) + 1).tolist():
        total += np.multiply(
            taps[:, lag - 1, None], wide[:, start - lag * distance : end - lag * distance], out=term
        )
    total >>= COEFFICIENT_BITS
    return total


def _low_bits(row: Int16s, shift: int) -> NDArray[np.uint8]:
    planes = np.zeros((shift, plane_bytes(len(row))), np.uint8)
    for bit in range(shift):
        packed = np.packbits((row >> bit).astype(np.uint8) & 1, bitorder="little")
        planes[bit, : len(packed)] = packed
    return planes.reshape(-1)


def _surprises(parts: Residuals) -> Int16s:
    """Residuals, one row per channel; CodecError where escapes are more or fewer than their values."""
    n_samples = parts.symbols.shape[1]
    rows = np.empty(parts.symbols.shape, np.int16)
    escape, used = ESCAPE if parts.numbered else ESCAPE_BYTE, 0
    halves, others = np.empty((2, min(BLOCK_ROWS, len(rows)), n_samples), np.uint8)
    for first in range(0, len(rows), BLOCK_ROWS):
        symbols, some = parts.symbols[first : first + BLOCK_ROWS], rows[first : first + BLOCK_ROWS]
        half, other = halves[: len(some)], others[: len(some)]
        if parts.numbered:
            np.right_shift(symbols, 1, out=half)
            np.negative(np.bitwise_and(symbols, 1, out=other), out=other)
            np.copyto(some, np.bitwise_xor(half, other, out=half).view(np.int8))
        else:
            np.copyto(some, symbols.view(np.int8))
        places = np.flatnonzero(np.equal(symbols, escape, out=other.view(np.bool_)))
        escapes = parts.escapes[first : first + BLOCK_ROWS]
        if not np.array_equal(np.bincount(places // n_samples, minlength=len(some)), escapes):
            raise CodecError("a channel has more or fewer escapes than its header states")
        some.reshape(-1)[places] = parts.escaped[used : used + len(places)]
        used += len(places)
    low_end = np.cumsum(low_bytes(parts.shifts, n_samples))
    for channel in np.flatnonzero(parts.shifts).tolist():
        shift = int(parts.shifts[channel])
        first = low_end[channel] - low_bytes(shift, n_samples)
        rows[channel] <<= shift
        planes = parts.low[first : low_end[channel]].reshape(shift, plane_bytes(n_samples))
        for bit, plane in enumerate(planes):
            bits = np.unpackbits(plane, count=n_samples, bitorder="little")
            rows[channel] |= bits.astype(np.int16) << bit
    return rows


def backward(
    parts: Residuals, prediction: Prediction, offsets: Int16s, columns: NDArray[np.int64], n_columns: int
) -> Int16s:
    """Undo `forward` and `turn`: samples (n_samples, n_columns), the channel of each row in its column.

    Rows whose column is -1 are only needed by their neighbours.
    """
    rows = _surprises(parts)
    for channel in np.flatnonzero(prediction.weights.any(axis=1)).tolist():
        rows[channel] += _from_neighbours(rows, prediction.weights, channel)
    out = np.empty((rows.shape[1], n_columns), np.int16)
    for first in range(0, len(rows), BLOCK_CHANNELS):
        some = slice(first, first + BLOCK_CHANNELS)
        _integrate(
            rows[some], prediction.coefficients[some], prediction.segments, offsets[some], columns[some], out
        )
    return out


def _integrate(
    rows: Int16s,
    coefficients: Int16s,
    segments: int,
    offsets: Int16s,
    columns: NDArray[np.int64],
    out: Int16s,
) -> None:
    """Samples of some channels into their columns: all segments and channels take each step together.

    Numbers are stored shifted 16 bits to the left: shifting them back rounds down and wraps.
    """
    n_channels, n_samples = rows.shape
    length = n_samples // segments
    order = max(1, int(np.flatnonzero(coefficients.any(axis=0)).max(initial=0)) + 1)
    taps = coefficients.T[:order, None].astype(np.int32) << (16 - COEFFICIENT_BITS)
    side_by_side = np.repeat(taps, segments, axis=1).reshape(order, -1)
    lines = np.empty((min(BLOCK_STEPS, length) + order, segments, n_channels), np.int32)
    flat = lines.reshape(len(lines), -1)
    predicted = np.zeros((order, *lines.shape[1:]), np.int32)  # of the next samples, from those so far
    apart = out[: length * segments].reshape(segments, length, -1)
    for first in range(0, length, BLOCK_STEPS):
        steps = min(BLOCK_STEPS, length - first)
        block = lines[:steps]
        here = rows[:, first * segments : (first + steps) * segments]
        np.copyto(block, here.reshape(n_channels, steps, segments).transpose(1, 2, 0))
        if first == 0:
            # A segment starts from the first sample of the previous one, which is used for all samples before it.
            np.cumsum(block[0], axis=0, dtype=np.int16, out=block[0])
            predicted[...] = block[0] * np.cumsum(taps[::-1], axis=0, dtype=np.int32)[::-1]
        _steps(flat[: steps + order], side_by_side, predicted.reshape(order, -1), int(first == 0))
        block += offsets
        _store(block.transpose(1, 0, 2), columns, apart[:, first : first + steps])
    rest = np.concatenate([rows[:, length * segments :].T, np.zeros((order, n_channels), np.int32)])
    _steps(rest, taps.reshape(order, -1), predicted[:, -1].copy(), 0)
    rest += offsets
    _store(rest[: len(rest) - order], columns, out[length * segments :])


def _steps(lines: Int32s, taps: Int32s, predicted: Int32s, known: int) -> None:
    """Samples from the residuals of prediction, in place; the last lines, as many as taps, are scratch space.

    `predicted` holds what earlier samples predict of the first lines, and then what these predict of the next;
    the first `known` lines are samples.
    """
    order = len(taps)
    target = lines[known : len(lines) - order]
    target <<= 16
    target += 1 << 15
    lines[len(lines) - order :] = 0
    lines[known : known + order] += predicted
    term = np.empty_like(taps)
    # Few long calls, because threads wait for one another at the end of each call.
    for step in range(known, len(lines) - order):
        line, next_ones = lines[step], lines[step + 1 : step + 1 + order]
        np.right_shift(line, 16, out=line)
        np.multiply(line, taps, out=term)
        np.add(next_ones, term, out=next_ones)
    np.copyto(predicted, lines[len(lines) - order :])


def _store(samples: Int32s, columns: NDArray[np.int64], out: Int16s) -> None:
    first = int(columns[0])
    if first >= 0 and (np.diff(columns) == 1).all():
        np.copyto(out[..., first : first + len(columns)], samples, casting="unsafe")
    else:
        chosen = columns >= 0
        out[..., columns[chosen]] = samples[..., chosen].astype(np.int16)
