"""Estimates the width of text without a font: by DejaVu Sans, the widest of the usual screen fonts.

A label placed by these widths also fits in Arial, Helvetica, Segoe UI and Roboto, with a little more space.
"""

from __future__ import annotations

FONT_FAMILY = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
TICK_PX = 12.0
LABEL_PX = 12.0
TITLE_PX = 15.0
LINE_EM = 1.3

# Advance widths in em; a character not listed counts as wide as a capital M.
_WIDTHS = {
    0.30: "'ijlIJ",
    0.36: " ,./:;\\|-f·",
    0.41: "()[]!tr²",
    0.50: '"*_`–°',
    0.56: "s?zcLFk",
    0.64: "vxyPTYaeo$0123456789ESbdghnpqu{}µμσéüöäèñ",
    0.70: "KABVXZCR",
    0.79: "UNHD&GOQ",
    0.84: "w#+<=>^~×−±≥≤→",
    0.99: "%mWM@",
}
_EM = {char: width for width, chars in _WIDTHS.items() for char in chars}
_WIDE_EM = 0.87
_BOLD = 1.1


def text_width_px(text: str, size_px: float = LABEL_PX, *, bold: bool = False) -> float:
    """Give a width in px that the text does not exceed in the usual fonts.

    >>> text_width_px("25 %", 10.0)
    26.3
    """
    width_em = sum(_EM.get(char, _WIDE_EM) for char in text)
    return round(width_em * size_px * (_BOLD if bold else 1.0), 6)


def wrapped(text: str, width_px: float, size_px: float = LABEL_PX, *, bold: bool = False) -> list[str]:
    """Break text at spaces into lines no wider than `width_px`; a single longer word is cut with an ellipsis.

    >>> wrapped("weight against what is expected", 110.0)
    ['weight against', 'what is expected']
    """
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width_px(joined, size_px, bold=bold) <= width_px:
            lines[-1] = joined
        else:
            lines.append(shortened(word, width_px, size_px, bold=bold))
    return lines


def shortened(text: str, width_px: float, size_px: float = LABEL_PX, *, bold: bool = False) -> str:
    """Cut text to a width, ending in … where something is missing.

    >>> shortened("KS014_long_nickname", 60.0)
    'KS014_l…'
    """
    if text_width_px(text, size_px, bold=bold) <= width_px:
        return text
    short = text
    while short and text_width_px(short + "…", size_px, bold=bold) > width_px:
        short = short[:-1]
    return short + "…"
