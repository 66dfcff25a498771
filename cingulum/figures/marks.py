"""Paths and point shapes in px."""

from __future__ import annotations

import math

import numpy as np

from cingulum.figures.inputs import Floats
from cingulum.figures.svg import element, number
from cingulum.figures.themes import Theme

SHAPES = ("circle", "square", "triangle", "diamond", "down", "plus")


def line_path(path: Floats) -> str:
    """Write the `d` of a line through points (n, 2); a NaN interrupts it, a single point draws nothing.

    >>> line_path(np.array([[0, 1], [2, 3], [np.nan, 0], [4, 5], [6, 7]]))
    'M0 1L2 3M4 5L6 7'
    """
    written = []
    for run in _runs(path):
        if len(run) > 1:
            points = [f"{number(float(x))} {number(float(y))}" for x, y in run]
            written.append("M" + "L".join(points))
    return "".join(written)


def area_path(x: Floats, low: Floats, high: Floats) -> str:
    """Write the `d` of the area between two lines; a NaN in either divides it.

    >>> area_path(np.array([0.0, 9.0]), np.array([5.0, 6.0]), np.array([1.0, 2.0]))
    'M0 1L9 2L9 6L0 5Z'
    """
    written = []
    for run in _runs(np.column_stack([x, low, high])):
        if len(run) > 1:
            there = [f"{number(float(a))} {number(float(c))}" for a, _, c in run]
            back = [f"{number(float(a))} {number(float(b))}" for a, b, _ in run[::-1]]
            written.append("M" + "L".join(there + back) + "Z")
    return "".join(written)


def _runs(rows: Floats) -> list[Floats]:
    known = np.isfinite(rows).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [rows[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def marker(
    theme: Theme, shape: str, at: tuple[float, float], size_px: float, role: str, *children: str
) -> str:
    """Draw one point; a rim in the background's colour keeps neighbours apart.

    `at` is its centre in px, `shape` is one of SHAPES; with the same `size_px` (a circle's radius) all shapes look
    equally large.
    """
    rim: dict[str, str | float] = {
        "stroke": theme.colours["background"],
        "stroke-width": 1 if size_px >= 3 else 0,
    }
    ink: dict[str, str | float] = {**theme.fill(role), **rim}
    ink["class"] = f"cg-fill-{role} cg-stroke-background"
    if shape == "circle":
        return element("circle", {"cx": at[0], "cy": at[1], "r": size_px, **ink}, *children)
    return element("path", {"d": _outline(shape, *at, size_px), **ink}, *children)


def _outline(shape: str, x: float, y: float, size_px: float) -> str:
    if shape == "plus":
        arm, half = size_px * 1.2, size_px * 0.4
        steps = [(-half, -arm), (half, -arm), (half, -half), (arm, -half), (arm, half), (half, half)]
        steps += [(half, arm), (-half, arm), (-half, half), (-arm, half), (-arm, -half), (-half, -half)]
        corners = [(x + dx, y + dy) for dx, dy in steps]
    else:
        sides, turn, scale = {
            "square": (4, 45.0, 1.27),
            "diamond": (4, 0.0, 1.35),
            "triangle": (3, -90.0, 1.5),
            "down": (3, 90.0, 1.5),
        }[shape]
        angles = [math.radians(turn + 360 * n / sides) for n in range(sides)]
        corners = [(x + size_px * scale * math.cos(a), y + size_px * scale * math.sin(a)) for a in angles]
    return "M" + "L".join(f"{number(a)} {number(b)}" for a, b in corners) + "Z"
