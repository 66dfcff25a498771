from __future__ import annotations

import pytest

from cingulum.figures import THEME_NAMES, stylesheet
from cingulum.figures.themes import SERIES, contrast_ratio, theme_named
from tests.unit.cingulum.figures.samples import FULL


@pytest.mark.parametrize("name", THEME_NAMES)
def test_every_colour_that_letters_are_written_in_is_readable(name: str) -> None:
    theme = theme_named(name)
    least = 7.0 if name == "high-contrast" else 4.5
    for ground in ("background", "band"):
        for role in ("ink", "muted", "warn", "bad", *SERIES):
            ratio = contrast_ratio(theme.colours[role], theme.colours[ground])
            assert ratio >= (least if ground == "background" else 4.5), (role, ground)


@pytest.mark.parametrize("name", ["print", "high-contrast"])
def test_where_colour_may_be_missing_each_series_has_its_own_dash(name: str) -> None:
    dashes = [theme_named(name).dash(role).get("stroke-dasharray", "") for role in SERIES]
    assert len(set(dashes)) == len(SERIES)


def test_the_stylesheet_lets_the_page_choose_and_otherwise_the_system() -> None:
    css = stylesheet()
    assert ':root[data-theme="dark"]{--cg-background:#14181d' in css
    assert "@media (prefers-color-scheme:dark){:root:not([data-theme]){--cg-background:#14181d" in css
    assert "@media print{" in css


def test_a_line_follows_the_page_and_an_image_keeps_the_theme_it_was_drawn_in() -> None:
    assert 'class="cg-' in FULL["weight curve"]().svg
    for name in ("contrast by day", "drift map", "drift map as image", "trial raster as image"):
        assert 'class="cg-' not in FULL[name]().svg
