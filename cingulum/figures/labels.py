"""Places line labels: they touch nothing, and are nearer to their own line than to any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cingulum.figures.inputs import Floats

GAP_PX = 5.0
_CLEAR_PX = 2.0
_SAMPLE_PX = 4.0
_FAR_PX = 40.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in px; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Named:
    """A line with its name beside it: the path (n, 2) in px, and the size of the text in px."""

    path: Floats
    width_px: float
    height_px: float


def sampled(path: Floats, step_px: float = _SAMPLE_PX) -> Floats:
    """Walk along a path (n, 2) and return points no further apart than `step_px`.

    >>> sampled(np.array([[0.0, 0.0], [8.0, 0.0]])).tolist()
    [[0.0, 0.0], [4.0, 0.0], [8.0, 0.0]]
    """
    if len(path) < 2:
        return path
    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    # Very long paths (a zigzag over thousands of bins) are thinned, as their labels are placed elsewhere anyway.
    stops = np.linspace(0.0, along[-1], min(int(np.ceil(along[-1] / step_px)), 4000) + 1)
    stops = np.union1d(stops, along[:: max(1, len(along) // 4000)])
    return np.column_stack([np.interp(stops, along, path[:, axis]) for axis in (0, 1)])


def placed(lines: Sequence[Named], marks: Sequence[tuple[int, Floats]], box: Box) -> list[Box] | None:
    """Find a free rectangle for each line's name, or None if not all fit: then a key is needed.

    `marks` are (owner, points (n, 2) in px): everything that text must not touch; the owner is the index of
    a line, or -1 for none.
    >>> line = np.array([[0.0, 50.0], [200.0, 50.0]])
    >>> placed([Named(line, 40.0, 12.0)], [(0, sampled(line))], Box(0, 0, 200, 100))
    [Box(left=157.0, top=33.0, right=197.0, bottom=45.0)]
    """
    crowd = _crowd(marks, box)
    free = [_clear(_candidates(line, box), crowd, box) for line in lines]
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        boxes: dict[int, Box] = {}
        for index in order:
            best = _best(index, free[index], marks, list(boxes.values()))
            if best is None:
                break
            boxes[index] = best
        if len(boxes) == len(lines):
            return [boxes[index] for index in range(len(lines))]
    return None


def _crowd(marks: Sequence[tuple[int, Floats]], box: Box) -> NDArray[np.int64]:
    """Count the points above and left of each px of the box, so that four look-ups count those in a rectangle."""
    shape = (int(box.bottom - box.top) + 2, int(box.right - box.left) + 2)
    counts = np.zeros(shape, dtype=np.int64)
    for _, points in marks:
        column, row = np.floor(points - (box.left, box.top)).astype(np.int64).T
        inside = (column >= 0) & (row >= 0) & (column < shape[1] - 1) & (row < shape[0] - 1)
        np.add.at(counts, (row[inside] + 1, column[inside] + 1), 1)
    sums: NDArray[np.int64] = counts.cumsum(axis=0).cumsum(axis=1)
    return sums


def _clear(rects: Floats, crowd: NDArray[np.int64], box: Box) -> Floats:
    """Keep the rectangles with no point inside nor within the clearance around them."""
    grown = rects + np.array([-1.0, -1.0, 1.0, 1.0]) * _CLEAR_PX - np.array([box.left, box.top] * 2)
    edges = np.concatenate([np.floor(grown[:, :2]), np.ceil(grown[:, 2:])], axis=1).astype(np.int64)
    left, right = (np.clip(edges[:, side], 0, crowd.shape[1] - 1) for side in (0, 2))
    top, bottom = (np.clip(edges[:, side], 0, crowd.shape[0] - 1) for side in (1, 3))
    inside = crowd[bottom, right] - crowd[top, right] - crowd[bottom, left] + crowd[top, left]
    free: Floats = rects[inside == 0]
    return free


def _best(index: int, rects: Floats, marks: Sequence[tuple[int, Floats]], taken: Sequence[Box]) -> Box | None:
    for other in taken:
        apart = (
            (rects[:, 0] > other.right + GAP_PX)
            | (rects[:, 2] < other.left - GAP_PX)
            | (rects[:, 1] > other.bottom + _CLEAR_PX)
            | (rects[:, 3] < other.top - _CLEAR_PX)
        )
        rects = rects[apart]
    own, others = (
        [points for owner, points in marks if (owner == index) is mine and owner >= 0]
        for mine in (True, False)
    )
    if len(rects) == 0 or not own:
        return None
    to_own = _distances(rects, np.concatenate(own))
    near = to_own <= 3 * GAP_PX
    rects, to_own = rects[near], to_own[near]
    to_others = np.full(len(rects), _FAR_PX)
    if others and len(rects):
        to_others = np.minimum(_distances(rects, np.concatenate(others)), _FAR_PX)
    free = to_others > 1.6 * to_own + _CLEAR_PX
    if not free.any():
        return None
    # Far from the other lines first; then towards the right end, where readers finish reading a line.
    score = np.where(free, np.round(to_others) + rects[:, 2] / 1e3, -np.inf)
    left, top, right, bottom = (float(side) for side in rects[int(np.argmax(score))])
    return Box(left, top, right, bottom)


def _candidates(line: Named, box: Box) -> Floats:
    anchors = sampled(line.path, 8.0)[-400:]
    wide, high = line.width_px, line.height_px
    corners = [(dx, dy) for dx in (-wide - GAP_PX, -wide / 2, GAP_PX) for dy in (-high - GAP_PX, GAP_PX)]
    corners += [(GAP_PX, -high / 2), (-wide - GAP_PX, -high / 2)]
    corners += [(2 * GAP_PX, -high / 2), (-wide - 2 * GAP_PX, -high / 2)]
    lefts = np.concatenate([anchors[:, 0] + dx for dx, _ in corners])
    tops = np.concatenate([anchors[:, 1] + dy for _, dy in corners])
    rects = np.column_stack([lefts, tops, lefts + wide, tops + high])
    inside = (
        (rects[:, 0] >= box.left)
        & (rects[:, 1] >= box.top)
        & (rects[:, 2] <= box.right)
        & (rects[:, 3] <= box.bottom)
    )
    return rects[inside]


def _distances(rects: Floats, points: Floats) -> Floats:
    """Distance of each rectangle to the nearest point, 0 inside."""
    if len(points) == 0:
        return np.full(len(rects), np.inf)
    x, y = np.unique(np.round(points), axis=0).T
    across = np.maximum(np.maximum(rects[:, :1] - x, x - rects[:, 2:3]), 0.0)
    down = np.maximum(np.maximum(rects[:, 1:2] - y, y - rects[:, 3:4]), 0.0)
    nearest: Floats = np.hypot(across, down).min(axis=1)
    return nearest


def lanes(spans: Sequence[tuple[float, float]], gap_px: float = GAP_PX) -> list[int]:
    """Give each span (left, right, in px) the first lane in which it overlaps no earlier one.

    >>> lanes([(0, 50), (40, 90), (60, 99)])
    [0, 1, 0]
    """
    taken: list[list[tuple[float, float]]] = []
    chosen = []
    for left, right in spans:
        lane = next(
            (
                n
                for n, others in enumerate(taken)
                if all(right + gap_px <= a or b + gap_px <= left for a, b in others)
            ),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((left, right))
        chosen.append(lane)
    return chosen


def spread(centres: Sequence[float], gap_px: float, low: float, high: float) -> list[float] | None:
    """Move sorted centres until they are `gap_px` apart, by one pass in each direction.

    None if they do not fit between low and high.
    >>> spread([10.0, 12.0, 90.0], 15.0, 0.0, 100.0)
    [10.0, 25.0, 90.0]
    """
    if (len(centres) - 1) * gap_px > high - low:
        return None
    moved = []
    floor = low
    for centre in centres:
        moved.append(max(centre, floor))
        floor = moved[-1] + gap_px
    ceiling = high
    for n in range(len(moved) - 1, -1, -1):
        moved[n] = min(moved[n], ceiling)
        ceiling = moved[n] - gap_px
    return moved
