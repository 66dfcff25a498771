"""The sheet of a figure: title, note, panels, key, and the finished `Figure`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cingulum.figures.lettering import (
    FONT_FAMILY,
    LABEL_PX,
    LINE_EM,
    TITLE_PX,
    shortened,
    text_width_px,
    wrapped,
)
from cingulum.figures.marks import marker
from cingulum.figures.svg import clean, element
from cingulum.figures.tables import Table
from cingulum.figures.themes import ThemeName, theme_named

MIN_WIDTH_PX = 280
EDGE_PX = 10.0
_SWATCH_PX = 22.0
# Only this module writes it: in texts and attributes from outside, quotes are escaped.
_ROLE_CLASSES = re.compile(r' class="cg-[^"]*"')


class TooNarrowError(ValueError):
    """Below 280 px axes and labels cannot be read."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A finished figure: the SVG, its description, and its numbers.

    `svg` is self-contained (a file, an `<img>`) and may be inlined; it is drawn for `width_px`, text at 12 px, so
    choose the width it will be shown at rather than scaling it down. The same input gives the same text.
    """

    svg: str
    title: str
    description: str
    table: Table
    theme: ThemeName
    width_px: int
    height_px: int

    def html(self) -> str:
        """Write a `<figure>` with the SVG and its data table folded below it; needs no script."""
        return (
            f'<figure class="cingulum-figure">{self.svg}'
            f"<details><summary>Data of this figure</summary>{self.table.html()}</details></figure>"
        )


KeyMark = Literal["line", "point", "patch", "frame"]


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One entry of a key: the name, the shape of its points, the dash of its line."""

    label: str
    role: str
    mark: KeyMark = "line"
    shape: str = ""
    dash: str = ""


class Sheet:
    """Collects the elements of a figure from top to bottom; `y` is the position of the next one, in px.

    `keeps_colours` is set by images and heat maps: their shades belong to the theme they were drawn in, so the
    whole figure keeps that theme, also inline on a page with another one.
    """

    def __init__(self, title: str, subtitle: str, theme: str, width_px: int) -> None:
        if width_px < MIN_WIDTH_PX:
            raise TooNarrowError(f"width_px is {width_px}; figures need at least {MIN_WIDTH_PX}")
        self.theme = theme_named(theme)
        self.width_px = width_px
        self.title = title
        self.parts: list[str] = []
        self.y = EDGE_PX
        self.keeps_colours = False
        self._paragraph(title, TITLE_PX, "ink", bold=True)
        self._paragraph(subtitle, LABEL_PX, "muted")

    @property
    def narrow(self) -> bool:
        """Whether this is a phone's width, at which figures omit optional elements."""
        return self.width_px < 480

    def text(
        self,
        words: str,
        x: float,
        y: float,
        *,
        role: str = "ink",
        anchor: str = "start",
        size_px: float = LABEL_PX,
        bold: bool = False,
        halo: bool = False,
    ) -> str:
        """Write one line of text with its baseline at y; a halo keeps it legible over grid lines."""
        attributes: dict[str, str | float] = {"x": x, "y": y, "font-size": size_px, **self.theme.fill(role)}
        if anchor != "start":
            attributes["text-anchor"] = anchor
        if bold:
            attributes["font-weight"] = "bold"
        if halo:
            halo_colour = self.theme.stroke("background")
            attributes["class"] += f" {halo_colour['class']}"  # type: ignore[operator]
            attributes |= {
                "stroke": halo_colour["stroke"],
                "stroke-width": 3,
                "stroke-linejoin": "round",
                "paint-order": "stroke",
            }
        return element("text", attributes, clean(words))

    def _paragraph(self, words: str, size_px: float, role: str, *, bold: bool = False) -> None:
        for line in wrapped(words, self.width_px - 2 * EDGE_PX, size_px, bold=bold):
            self.y += size_px
            self.parts.append(self.text(line, EDGE_PX, self.y, role=role, size_px=size_px, bold=bold))
            self.y += size_px * (LINE_EM - 1)

    def note(self, words: str) -> None:
        """Write a paragraph in the muted colour below the content."""
        self.y += 4
        self._paragraph(words, LABEL_PX - 1, "muted")

    def key(self, entries: Sequence[KeyEntry]) -> None:
        """Write a key in as many rows as it needs."""
        x, row_px = EDGE_PX, LABEL_PX * 1.5
        most = self.width_px - 2 * EDGE_PX
        for n, entry in enumerate(entries):
            label = shortened(entry.label, most - _SWATCH_PX - 6)
            wide = _SWATCH_PX + 6 + text_width_px(label) + 14
            if n == 0 or x + wide - 14 > self.width_px - EDGE_PX:
                x = EDGE_PX
                self.y += row_px
            self.parts.append(self._swatch(entry, x, self.y - LABEL_PX * 0.35))
            self.parts.append(self.text(label, x + _SWATCH_PX + 6, self.y))
            x += wide

    def _swatch(self, entry: KeyEntry, x: float, y: float) -> str:
        if entry.mark == "patch":
            box = {"x": x, "y": y - 5, "width": _SWATCH_PX, "height": 10}
            outline: dict[str, str | float] = {"stroke": self.theme.colours["ink"], "stroke-width": 0.75}
            fill = self.theme.fill(entry.role)
            fill["class"] += " cg-stroke-ink"
            return element("rect", {**box, **fill, **outline})
        if entry.mark == "frame":
            box = {"x": x, "y": y - 5, "width": _SWATCH_PX, "height": 10, "stroke-width": 1.25}
            return element("rect", {**box, **self.theme.stroke(entry.role), "stroke-dasharray": "3 2"})
        if entry.mark == "point":
            return marker(self.theme, entry.shape or "circle", (x + _SWATCH_PX / 2, y), 4, entry.role)
        line = {"x1": x, "y1": y, "x2": x + _SWATCH_PX, "y2": y, "stroke-width": self.theme.line_px}
        dash = {"stroke-dasharray": entry.dash} if entry.dash else self.theme.dash(entry.role)
        drawn = element("line", {**line, **self.theme.stroke(entry.role), **dash})
        if entry.shape:
            drawn += marker(self.theme, entry.shape, (x + _SWATCH_PX / 2, y), 4, entry.role)
        return drawn

    def ramp(self, name: str, low: str, high: str, colours: Sequence[str]) -> None:
        """Write the legend of an image's colours: the name, the lowest value, all colours, the highest value."""
        self.y += LABEL_PX * 1.5
        x = EDGE_PX
        for words in (name, low):
            self.parts.append(self.text(words, x, self.y))
            x += text_width_px(words) + 8
        wide = min(96.0, self.width_px - EDGE_PX - x - 8 - text_width_px(high))
        step = wide / len(colours)
        for n, colour in enumerate(colours):
            box = {"x": x + n * step, "y": self.y - 10, "width": step + 0.3, "height": 11}
            self.parts.append(element("rect", {**box, "fill": colour, "shape-rendering": "crispEdges"}))
        frame = {"x": x, "y": self.y - 10, "width": wide, "height": 11, "stroke-width": 0.75}
        self.parts.append(element("rect", {**frame, **self.theme.stroke("muted")}))
        self.parts.append(self.text(high, x + wide + 8, self.y))

    def empty(self, why: str) -> None:
        """Draw a frame with the reason why there are no data."""
        top, height = self.y + 8, 120.0
        frame = {"x": EDGE_PX, "y": top, "width": self.width_px - 2 * EDGE_PX, "height": height, "rx": 4}
        self.parts.append(element("rect", {**frame, **self.theme.fill("band")}))
        lines = wrapped(why, self.width_px - 4 * EDGE_PX)
        y = top + height / 2 - (len(lines) - 1) * LABEL_PX * LINE_EM / 2 + LABEL_PX * 0.35
        for line in lines:
            self.parts.append(self.text(line, self.width_px / 2, y, role="ink", anchor="middle"))
            y += LABEL_PX * LINE_EM
        self.y = top + height

    def finished(self, description: str, table: Table) -> Figure:
        """Close the sheet: ids come from the content, so that two figures of a page do not share them."""
        height = int(self.y + EDGE_PX + 0.999)
        background = {"x": 0, "y": 0, "width": self.width_px, "height": height}
        body = element("rect", {**background, **self.theme.fill("background")}) + "\n" + "\n".join(self.parts)
        if self.keeps_colours:
            body = _ROLE_CLASSES.sub("", body)
        words = self.title + "\0" + description
        key = "cg-" + hashlib.sha256((words + body).encode("utf-8", "replace")).hexdigest()[:10]
        size: dict[str, str | float] = {"width": self.width_px, "height": height}
        root: dict[str, str | float] = {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {self.width_px} {height}",
            **size,
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
            "class": "cingulum-svg",
            "font-family": FONT_FAMILY,
        }
        svg = element(
            "svg",
            root,
            "\n",
            element("title", {"id": f"{key}-title"}, clean(self.title)),
            "\n",
            element("desc", {"id": f"{key}-desc"}, clean(description)),
            "\n",
            body,
            "\n",
        )
        return Figure(svg, self.title, description, table, self.theme.name, self.width_px, height)
