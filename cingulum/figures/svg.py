"""SVG as text: numbers, escaping and elements; the same values give the same text on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

Attributes = Mapping[str, str | float]


class NotFiniteError(ValueError):
    """A coordinate is NaN or infinite: no browser can draw it, and some drop the whole path."""


def number(value: float) -> str:
    """Write a coordinate in px with at most two decimals, which is finer than any screen or printer shows.

    Raises NotFiniteError for NaN and infinities.
    >>> number(12.0), number(0.125), number(-0.001)
    ('12', '0.12', '0')
    """
    if not math.isfinite(value):
        raise NotFiniteError(f"not a coordinate: {value}")
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def clean(text: str) -> str:
    """Escape text for XML, without the characters that XML 1.0 forbids even when escaped.

    >>> clean("P < 0.05\\x00 & n")
    'P &lt; 0.05 &amp; n'
    """
    return escape("".join(char for char in text if _allowed(ord(char))))


def _allowed(code: int) -> bool:
    forbidden_block = 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF)
    return code in (9, 10, 13) or (code >= 32 and not forbidden_block)


def element(name: str, attributes: Attributes, *children: str) -> str:
    """Build one element; attributes keep their order, numbers are written by `number`.

    `children` are SVG text already: pass texts through `clean`.
    >>> element("circle", {"cx": 1.5, "cy": 2, "fill": "red"})
    '<circle cx="1.5" cy="2" fill="red"/>'
    """
    written = "".join(
        f' {key}="{clean(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"
