"""The axes of a plot: lines, ticks, as many labels as fit without overlap, and the name of the x axis."""

from __future__ import annotations

import numpy as np

from cingulum.figures.area import Area
from cingulum.figures.lettering import LABEL_PX, TICK_PX, shortened, text_width_px
from cingulum.figures.scales import Tick
from cingulum.figures.sheet import EDGE_PX
from cingulum.figures.svg import element, number

TICK_MARK_PX = 4.0


def axes(area: Area) -> list[str]:
    """Draw both axes of an area, above its marks, and move its sheet below them."""
    box, sheet, theme = area.box, area.sheet, area.theme
    axis = f"M{number(box.left)} {number(box.top)}V{number(box.bottom)}H{number(box.right)}"
    parts = [*_y_words(area), *_x_axis(area)]
    parts.append(element("path", {"d": axis, **theme.stroke("ink"), "stroke-width": 1}))
    bottom = box.bottom + TICK_MARK_PX + TICK_PX + LABEL_PX + 6
    words = shortened(area.x_label, sheet.width_px - 2 * EDGE_PX)
    half = text_width_px(words) / 2
    middle = min(max((box.left + box.right) / 2, EDGE_PX + half), sheet.width_px - EDGE_PX - half)
    parts.append(sheet.text(words, middle, bottom, anchor="middle"))
    sheet.y = bottom + 2
    return parts


def grid_lines(area: Area) -> list[str]:
    """Draw a horizontal line at each y tick, below the marks, if the area has a grid."""
    box, parts = area.box, []
    for tick in area.y_ticks if area.grid else []:
        y = float(area.py(np.array([tick.value]))[0])
        ends = {"x1": box.left, "y1": y, "x2": box.right, "y2": y, "stroke-width": 1}
        parts.append(element("line", {**ends, **area.theme.stroke("grid")}))
    return parts


def _y_words(area: Area) -> list[str]:
    parts = []
    for tick in area.y_ticks:
        y = float(area.py(np.array([tick.value]))[0]) + TICK_PX * 0.35
        parts.append(area.sheet.text(tick.label, area.box.left - 7, y, role="muted", anchor="end"))
    return parts


def _x_axis(area: Area) -> list[str]:
    box, parts = area.box, []
    ticks = _x_ticks(area)
    labelled = _fitting(ticks, area)
    for tick in ticks:
        x = float(area.px(np.array([tick.value]))[0])
        ends = {"x1": x, "y1": box.bottom, "x2": x, "y2": box.bottom + TICK_MARK_PX, "stroke-width": 1}
        parts.append(element("line", {**ends, **area.theme.stroke("ink")}))
        if tick in labelled:
            y = box.bottom + TICK_MARK_PX + TICK_PX + 1
            parts.append(area.sheet.text(tick.label, x, y, role="muted", anchor="middle"))
    return parts


def _x_ticks(area: Area) -> list[Tick]:
    width = area.box.right - area.box.left
    for count in range(max(2, int(width // 36)), 1, -1):
        ticks = area.x.ticks(count)
        if len(_fitting(ticks, area, gap_px=16.0)) == sum(bool(tick.label) for tick in ticks):
            return ticks
    return area.x.ticks(2)


def _fitting(ticks: list[Tick], area: Area, gap_px: float = 6.0) -> list[Tick]:
    """Keep the ticks whose labels are on the sheet and do not overlap."""
    visible, last = [], 2.0 - gap_px
    for tick in ticks:
        x = float(area.px(np.array([tick.value]))[0])
        half = text_width_px(tick.label, TICK_PX) / 2
        if tick.label and x - half >= last + gap_px and x + half <= area.sheet.width_px - 2:
            visible.append(tick)
            last = x + half
    return visible
