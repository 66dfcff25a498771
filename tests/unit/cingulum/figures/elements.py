"""What an outsider sees in a figure: its words, where they stand, its marks, its hover texts."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree as ET

from cingulum.figures import Figure
from cingulum.figures.lettering import text_width_px

SVG = "{http://www.w3.org/2000/svg}"


def parsed(figure: Figure) -> ET.Element:
    """Read the SVG as XML, which fails where it is not well formed."""
    return ET.fromstring(figure.svg)  # noqa: S314 -- the text was made a line ago, by the code under test


def words(figure: Figure) -> list[str]:
    """Every text written in the figure, from back to front."""
    return ["".join(text.itertext()) for text in parsed(figure).iter(f"{SVG}text")]


def tips(figure: Figure) -> list[str]:
    """The texts that show on hovering over a mark."""
    return [title.text or "" for title in parsed(figure).iter(f"{SVG}title")][1:]


def marks(figure: Figure, tag: str, role: str = "", attribute: str = "fill") -> list[ET.Element]:
    """Elements of one kind in one role."""
    css_class = f"cg-{attribute}-{role}" if role else ""
    return [element for element in parsed(figure).iter(SVG + tag) if css_class in element.get("class", "")]


def text_boxes(figure: Figure) -> list[tuple[str, float, float, float, float]]:
    """Each text with left, top, right, bottom in px, as the widest usual font would write it."""
    boxes = []
    for text in parsed(figure).iter(f"{SVG}text"):
        content, size = "".join(text.itertext()), float(text.get("font-size", "12"))
        wide = text_width_px(content, size, bold=text.get("font-weight") == "bold")
        left = float(text.get("x", "0")) - wide * {"middle": 0.5, "end": 1.0}.get(
            text.get("text-anchor", ""), 0.0
        )
        base = float(text.get("y", "0"))
        boxes.append((content, left, base - 0.75 * size, left + wide, base + 0.2 * size))
    return boxes


def overlapping_texts(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that run into one another."""
    return [
        (a[0], b[0])
        for a, b in combinations(text_boxes(figure), 2)
        if a[1] < b[3] - 0.5 and b[1] < a[3] - 0.5 and a[2] < b[4] - 0.5 and b[2] < a[4] - 0.5
    ]


def texts_off_the_sheet(figure: Figure) -> list[str]:
    """Texts that do not fit on the sheet."""
    return [
        box[0]
        for box in text_boxes(figure)
        if box[1] < -0.5 or box[3] > figure.width_px + 0.5 or box[4] > figure.height_px
    ]
