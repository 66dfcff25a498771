"""Four sets of colours, by role; figures use roles, never colours.

Every element carries its colour twice: as a presentation attribute (so the file is self-contained, also under
a content security policy that forbids inline styles) and as a class such as `cg-fill-s1`, which outranks the
attribute once a page includes `stylesheet()`: inline figures then follow the reader's theme (except
heat maps and embedded images, which keep the theme they were drawn in).

The six series colours can be distinguished with the common kinds of colour blindness, and each has a contrast of at
least 4.5:1 with its background (7:1 in high contrast), since labels are written in them. Shape or dash always shows the
same as the colour; areas (a1 to a3) differ in lightness and have an outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

ThemeName = Literal["light", "dark", "high-contrast", "print"]
THEME_NAMES: tuple[ThemeName, ...] = get_args(ThemeName)

SERIES = ("s1", "s2", "s3", "s4", "s5", "s6")
AREAS = ("a1", "a2", "a3")
_ROLES = ("background", "ink", "muted", "grid", "band", *SERIES, "warn", "bad", *AREAS)

Rgb = tuple[int, int, int]


class UnknownThemeError(ValueError):
    """No theme has this name."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of the roles as #rrggbb, the widths of strokes in px, and the two colour ramps of images.

    `diverging` runs low, middle, high; `sequential` from nothing to most.
    """

    name: ThemeName
    colours: Mapping[str, str]
    line_px: float
    diverging: tuple[str, str, str]
    sequential: tuple[str, str]
    dashes: tuple[str, ...] = field(default=("", "", "", "", "", ""))

    def fill(self, role: str) -> dict[str, str]:
        """Give the attributes that fill with a role's colour."""
        return {"class": f"cg-fill-{role}", "fill": self.colours[role]}

    def stroke(self, role: str) -> dict[str, str]:
        """Give the attributes that stroke with a role's colour."""
        return {"class": f"cg-stroke-{role}", "fill": "none", "stroke": self.colours[role]}

    def dash(self, role: str) -> dict[str, str]:
        """Give the dash of a series' line; empty if colours alone distinguish the lines well enough."""
        dash = self.dashes[SERIES.index(role)] if role in SERIES else ""
        return {"stroke-dasharray": dash} if dash else {}


def _theme(
    name: ThemeName,
    colours: str,
    *,
    line_px: float,
    diverging: tuple[str, str, str],
    sequential: tuple[str, str],
    dashes: tuple[str, ...] = ("",) * 6,
) -> Theme:
    named = MappingProxyType(dict(zip(_ROLES, colours.split(), strict=True)))
    return Theme(name, named, line_px, diverging, sequential, dashes)


_DASHES = ("", "7 3", "2 2.5", "10 3 2 3", "5 5", "1 3")

_THEMES: Mapping[str, Theme] = MappingProxyType(
    {
        "light": _theme(
            "light",
            "#ffffff #1b1f24 #57606a #e4e7eb #eef1f4 "
            "#0a5ea8 #b3470b #0b7050 #8a3b86 #6d5a00 #4a4f57 #9a5b00 #b3261e "
            "#0a5ea8 #93cfb8 #f2d58a",
            line_px=2.0,
            diverging=("#b3470b", "#f4f4f2", "#0a5ea8"),
            sequential=("#ffffff", "#0b2440"),
        ),
        "dark": _theme(
            "dark",
            "#14181d #e8ebef #a3adb8 #2b323a #222930 "
            "#6cb6f5 #f5985b #4fc79b #d99ad6 #d8c04a #bac1c9 #f0b13c #ff8a80 "
            "#6cb6f5 #2c6e58 #8d7d33",
            line_px=2.0,
            diverging=("#f5985b", "#2b323a", "#6cb6f5"),
            sequential=("#14181d", "#e4f1ff"),
        ),
        "high-contrast": _theme(
            "high-contrast",
            "#000000 #ffffff #ffffff #5c5c5c #333333 "
            "#ffff00 #00ffff #ff9eff #7cff7c #ffb366 #ffffff #ffb366 #ff7a7a "
            "#007878 #8a2be2 #8a6d00",
            line_px=2.75,
            diverging=("#ffb366", "#3c3c3c", "#00ffff"),
            sequential=("#000000", "#ffffff"),
            dashes=_DASHES,
        ),
        "print": _theme(
            "print",
            "#ffffff #000000 #404040 #dcdcdc #ececec "
            "#000000 #5a5a5a #2b2b2b #6b6b6b #404040 #000000 #404040 #000000 "
            "#5a5a5a #c8c8c8 #ffffff",
            line_px=1.5,
            diverging=("#ffffff", "#a8a8a8", "#1a1a1a"),
            sequential=("#ffffff", "#000000"),
            dashes=_DASHES,
        ),
    }
)


def theme_named(name: str) -> Theme:
    """Look a theme up. Raises UnknownThemeError, whose text lists the names.

    >>> theme_named("dark").colours["background"]
    '#14181d'
    """
    if name not in _THEMES:
        raise UnknownThemeError(f"no theme {name!r}; there are {', '.join(THEME_NAMES)}")
    return _THEMES[name]


def mix(low: str, high: str, share: float) -> str:
    """Mix two #rrggbb colours; share 0 gives `low`, 1 gives `high`.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    parts = (round(a + (b - a) * share) for a, b in zip(rgb(low), rgb(high), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def rgb(colour: str) -> Rgb:
    """Split #rrggbb into its three bytes.

    >>> rgb("#0a5ea8")
    (10, 94, 168)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast_ratio(first: str, other: str) -> float:
    """Contrast of two #rrggbb colours as WCAG 2.2 defines it, from 1 (same) to 21 (black on white).

    >>> contrast_ratio("#000000", "#ffffff")
    21.0
    """
    lighter, darker = sorted((_luminance(first), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def stylesheet() -> str:
    """Write the CSS by which inline figures follow the page: serve it as one bundled file.

    `<html data-theme="dark">` chooses a theme; without it the reader's system does (dark mode, more contrast,
    printing). Figures served as `<img>` keep the colours they were drawn in.
    >>> stylesheet().splitlines()[-1]
    '.cg-stroke-a3{stroke:var(--cg-a3)}'
    """
    lines = [f":root{{{_variables('light')}}}"]
    for query, name in (
        ("(prefers-color-scheme:dark)", "dark"),
        ("(prefers-contrast:more)", "high-contrast"),
        ("print", "print"),
    ):
        lines.append(f"@media {query}{{:root:not([data-theme]){{{_variables(name)}}}}}")
    lines += [f':root[data-theme="{name}"]{{{_variables(name)}}}' for name in THEME_NAMES]
    lines += [f".cg-fill-{role}{{fill:var(--cg-{role})}}" for role in _ROLES]
    lines += [f".cg-stroke-{role}{{stroke:var(--cg-{role})}}" for role in _ROLES]
    return "\n".join(lines)


def _variables(name: str) -> str:
    return ";".join(f"--cg-{role}:{colour}" for role, colour in _THEMES[name].colours.items())
