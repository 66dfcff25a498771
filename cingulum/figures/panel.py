"""One pair of axes on a sheet: converts values to marks in px; labels are placed once everything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cingulum.figures import labels
from cingulum.figures.frame import Frame
from cingulum.figures.inputs import Floats
from cingulum.figures.lettering import LABEL_PX, shortened
from cingulum.figures.marks import area_path, line_path, marker
from cingulum.figures.png import data_uri
from cingulum.figures.svg import clean, element, number
from cingulum.figures.themes import AREAS

_FINE_PX = 4.0  # narrower bars have no outline: it would be most of them


@dataclass(frozen=True, slots=True)
class Bracket:
    """A group of rows from `start` to `end` on the y axis, named at the right edge."""

    label: str
    role: str
    start: float
    end: float


class Panel(Frame):
    """A plot below the content of the sheet; draw on it, then `close` it.

    Coordinates are in the data's units, one array each for x and y; NaN interrupts a line and hides a point.
    """

    def line(
        self,
        x: Floats,
        y: Floats,
        role: str,
        *,
        label: str = "",
        dash: str = "",
        width: float = 1.0,
        shape: str = "",
    ) -> None:
        """Draw a line; `label` is written beside it, `width` is in multiples of the theme's stroke.

        `shape` is that of its points, for the key.
        """
        path = np.column_stack([self.px(x), self.py(y)])
        pen: dict[str, str | float] = {**self.theme.stroke(role), "stroke-width": self.theme.line_px * width}
        pen |= {"stroke-dasharray": dash} if dash else self.theme.dash(role)
        drawn = line_path(path)
        if drawn:
            self.marks.append(element("path", {"d": drawn, **pen, "stroke-linejoin": "round"}))
            self._name(label, role, path[np.isfinite(path).all(axis=1)], "line", shape=shape, dash=dash)

    def points(
        self,
        x: Floats,
        y: Floats,
        role: str,
        *,
        shape: str = "circle",
        size_px: float = 4.0,
        titles: tuple[str, ...] = (),
        label: str = "",
        same_label: bool = False,
    ) -> None:
        """Draw points; `titles` (one each) show on hovering.

        `same_label` makes them the last named line's own, so that its label may be near them.
        """
        path = np.column_stack([self.px(x), self.py(y)])
        for n, (at_x, at_y) in enumerate(path):
            if np.isfinite(at_x) and np.isfinite(at_y):
                tip = (element("title", {}, clean(titles[n])),) if titles else ()
                self.marks.append(marker(self.theme, shape, (float(at_x), float(at_y)), size_px, role, *tip))
        rim = (size_px + 1) * np.array([[0, 0], [-1, -1], [-1, 1], [1, -1], [1, 1]])
        path = (path[np.isfinite(path).all(axis=1)][:, None, :] + rim).reshape(-1, 2)
        if same_label and self._labels:
            self.keep_clear(path, owner=len(self._labels) - 1)
        else:
            self._name(label, role, path, "point", shape=shape)

    def error_bars(self, x: Floats, low: Floats, high: Floats, role: str) -> None:
        """Draw an upright bar from low to high at each x; it belongs to the last named line or points."""
        for at_x, top, bottom in zip(self.px(x), self._inside(high), self._inside(low), strict=True):
            if np.isfinite([at_x, top, bottom]).all():
                ends = {"x1": float(at_x), "y1": float(top), "x2": float(at_x), "y2": float(bottom)}
                pen = {
                    **self.theme.stroke(role),
                    "stroke-width": number(max(1.25, self.theme.line_px * 0.65)),
                }
                self.marks.append(element("line", {**ends, **pen}))
                path = labels.sampled(np.array([[at_x, top], [at_x, bottom]]))
                self.keep_clear(path, owner=len(self._labels) - 1)

    def _inside(self, y: Floats) -> Floats:
        """Positions of y values, in px, clipped to the plot: an error bar may reach beyond the axis."""
        return np.clip(self.py(y), self.box.top, self.box.bottom)

    def area(
        self, x: Floats, low: Floats, high: Floats, role: str, *, opacity: float = 0.18, front: bool = False
    ) -> None:
        """Shade between low and high, as for a standard error; `front` lays it over the grid."""
        drawn = area_path(self.px(x), self._inside(low), self._inside(high))
        if drawn:
            shade: dict[str, str | float] = {**self.theme.fill(role), "fill-opacity": opacity}
            (self.marks if front else self.under).append(element("path", {"d": drawn, **shade}))

    def rect(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        role: str,
        *,
        title: str = "",
        opacity: float = 1.0,
    ) -> None:
        """Fill a rectangle between two corners in the data's units."""
        left, right = sorted(self.px(np.array(x)))
        top, bottom = sorted(self.py(np.array(y)))
        shape: dict[str, str | float] = {
            "x": float(left),
            "y": float(top),
            "width": float(right - left),
            "height": float(bottom - top),
            **self.theme.fill(role),
        }
        if role in AREAS and right - left >= _FINE_PX:
            outline = self.theme.stroke("ink")
            shape |= {"stroke": outline["stroke"], "stroke-width": 0.75}
            shape["class"] = f"cg-fill-{role} {outline['class']}"
        if opacity < 1:
            shape["fill-opacity"] = opacity
        tip = (element("title", {}, clean(title)),) if title else ()
        self.marks.append(element("rect", shape, *tip))

    def frame(self, x: tuple[float, float], y: tuple[float, float], role: str, *, title: str) -> None:
        """Draw the dashed outline of a missing amount; a pale area if it is too narrow for dashes."""
        left, right = sorted(self.px(np.array(x)))
        top, bottom = sorted(self.py(np.array(y)))
        if right - left < _FINE_PX:
            self.rect(x, y, role, title=title, opacity=0.4)
            return
        inset = 0.6
        shape: dict[str, str | float] = {
            "x": float(left) + inset,
            "y": float(top) + inset,
            "width": max(float(right - left) - 2 * inset, 0.5),
            "height": max(float(bottom - top) - 2 * inset, 0.5),
            **self.theme.stroke(role),
            "stroke-width": 1.25,
            "stroke-dasharray": "3 2",
        }
        self.marks.append(element("rect", shape, element("title", {}, clean(title))))

    def dots(self, x: Floats, y: Floats, role: str, *, size_px: float = 1.0, colour: str = "") -> None:
        """Draw many small dots as one path, without hover texts; `colour` (#rrggbb) overrules the role's."""
        drawn = "".join(
            f"M{number(float(at_x))} {number(float(at_y))}h0"
            for at_x, at_y in zip(self.px(x), self.py(y), strict=True)
            if np.isfinite(at_x) and np.isfinite(at_y)
        )
        if drawn:
            self.sheet.keeps_colours |= bool(colour)
            own = {"fill": "none", "stroke": colour} if colour else self.theme.stroke(role)
            pen: dict[str, str | float] = {**own, "stroke-width": 2 * size_px}
            self.marks.append(element("path", {"d": drawn, **pen, "stroke-linecap": "round"}))

    def strokes(self, x: Floats, low: Floats, high: Floats, role: str) -> None:
        """Draw many short upright strokes as one path: the spikes of a raster."""
        drawn = "".join(
            f"M{number(float(at_x))} {number(float(top))}V{number(float(bottom))}"
            for at_x, top, bottom in zip(self.px(x), self.py(high), self.py(low), strict=True)
        )
        if drawn:
            self.marks.append(element("path", {"d": drawn, **self.theme.stroke(role), "stroke-width": 1}))

    def cell(self, x: tuple[float, float], y: tuple[float, float], colour: str, *, title: str) -> None:
        """Fill one cell of a heat map with a colour of its own."""
        left, right = sorted(self.px(np.array(x)))
        top, bottom = sorted(self.py(np.array(y)))
        shape: dict[str, str | float] = {
            "x": float(left),
            "y": float(top),
            "width": float(right - left),
            "height": float(bottom - top),
            "fill": colour,
            "class": "cg-stroke-grid",
            "stroke": self.theme.colours["grid"],
            "stroke-width": 0.5,
        }
        self.sheet.keeps_colours = True
        self.marks.append(element("rect", shape, element("title", {}, clean(title))))

    def image(
        self, png: bytes, x: tuple[float, float], y: tuple[float, float], *, crisp: bool = False
    ) -> None:
        """Draw a PNG over a rectangle between two corners in the data's units; its first row is at the top.

        `crisp` keeps the pixels' edges when they are shown larger than they are.
        """
        left, right = sorted(self.px(np.array(x)))
        top, bottom = sorted(self.py(np.array(y)))
        where: dict[str, str | float] = {
            "x": float(left),
            "y": float(top),
            "width": float(right - left),
            "height": float(bottom - top),
            "preserveAspectRatio": "none",
            "href": data_uri(png),
        }
        self.sheet.keeps_colours = True
        if crisp:
            where["image-rendering"] = "pixelated"
        self.marks.append(element("image", where))

    def brackets(self, groups: Sequence[Bracket]) -> None:
        """Draw a bar beside each group of rows, and its name; in the key where names do not fit."""
        sides = [np.sort(self.py(np.array([group.start, group.end]))) for group in groups]
        middles = [float(side.mean()) for side in sides]
        spots = labels.spread(middles, LABEL_PX + 2, self.box.top + 6, self.box.bottom - 6)
        x = self.box.right + 5
        room = self.sheet.width_px - x - 8
        for n, (group, (top, bottom)) in enumerate(zip(groups, sides, strict=True)):
            ends = {"x1": x, "y1": float(top) + 0.5, "x2": x, "y2": float(bottom) - 0.5, "stroke-width": 3}
            self.marks.append(element("line", {**ends, **self.theme.stroke(group.role)}))
            if spots is None:
                self.in_key(group.label, group.role, "patch")
            else:
                words = shortened(group.label, room)
                self._side_texts.append(self.sheet.text(words, x + 6, spots[n] + 4, role=group.role))
