"""Every text of the style sheet reaches 4.5:1 on what it stands on, every control's border 3:1, by light and dark."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from cingulum.figures.themes import contrast_ratio
from services.portal.pages import rendering

_TOKEN = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
SHEET = (Path(rendering.HERE) / "static" / "portal.css").read_text()
LIGHT = dict(_TOKEN.findall(SHEET.partition("@media")[0]))
DARK = dict(_TOKEN.findall(SHEET.partition("@media")[2].partition("*, *::before")[0]))
TEXTS = ("ink", "soft", "link", "good", "bad", "warn")
PAIRS = [
    *product(TEXTS, ("page", "surface", "code"), [4.5]),
    *product(("ink",), ("bad-surface", "note-surface"), [4.5]),
    ("on-action", "action", 4.5),
    *product(("control", "focus"), ("page", "surface"), [3.0]),
]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_is_enough(tokens: dict[str, str]) -> None:
    assert set(LIGHT) == set(DARK)
    low = {
        (front, back): round(contrast_ratio(tokens[front], tokens[back]), 2)
        for front, back, least in PAIRS
        if contrast_ratio(tokens[front], tokens[back]) < least
    }
    assert not low
