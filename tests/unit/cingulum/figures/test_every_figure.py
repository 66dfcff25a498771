"""What holds for every figure, whatever it shows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from cingulum.figures import THEME_NAMES, Figure, TooNarrowError, UnknownThemeError
from tests.unit.cingulum.figures.elements import overlapping_texts, parsed, texts_off_the_sheet, words
from tests.unit.cingulum.figures.samples import EMPTY, FULL, Drawn

every_figure = pytest.mark.parametrize("draw", FULL.values(), ids=FULL.keys())
every_empty_figure = pytest.mark.parametrize("draw", EMPTY.values(), ids=EMPTY.keys())
NOT_A_NUMBER = re.compile(r"\b(nan|inf|infinity|none)\b", re.IGNORECASE)


@every_figure
@pytest.mark.parametrize("width_px", [280, 320, 480, 640, 1200])
def test_no_text_touches_another_or_leaves_the_sheet(draw: Drawn, width_px: int) -> None:
    figure = draw(width_px=width_px)
    assert overlapping_texts(figure) == []
    assert texts_off_the_sheet(figure) == []


@every_figure
def test_the_same_numbers_give_the_same_text(draw: Drawn) -> None:
    assert draw().svg == draw().svg


@every_figure
@pytest.mark.parametrize("theme", THEME_NAMES)
def test_a_screen_reader_finds_title_and_description(draw: Drawn, theme: str) -> None:
    figure = draw(theme=theme)
    root = parsed(figure)
    labels = [root.find(f".//*[@id='{key}']") for key in root.get("aria-labelledby", "").split()]
    assert root.get("role") == "img"
    assert [label.text for label in labels if label is not None] == [figure.title, figure.description]


@every_figure
def test_two_figures_of_one_page_do_not_share_ids(draw: Drawn) -> None:
    first, second = (set(re.findall(r'id="([^"]+)"', draw(width_px=width).svg)) for width in (320, 640))
    assert first
    assert not first & second


@every_figure
def test_the_numbers_are_in_a_table_below(draw: Drawn) -> None:
    figure = draw()
    html = figure.html()
    assert figure.svg in html
    assert html.count("<tr>") == len(figure.table.rows) + 1
    assert "<summary>" in html
    assert not NOT_A_NUMBER.search(figure.table.html())


@every_figure
def test_a_finite_figure_names_no_colour_outside_its_theme(draw: Drawn) -> None:
    light, dark = draw(theme="light").svg, draw(theme="dark").svg
    assert light != dark
    assert "#14181d" in dark
    assert "#14181d" not in light


@every_empty_figure
def test_empty_data_draw_a_figure_with_a_notice(draw: Callable[[], Figure]) -> None:
    figure = draw()
    assert any("No " in text for text in words(figure))
    assert "No " in figure.description
    assert not NOT_A_NUMBER.search(figure.svg.replace('fill="none"', ""))
    assert overlapping_texts(figure) == []


@every_figure
def test_a_figure_refuses_a_width_that_cannot_be_read(draw: Drawn) -> None:
    with pytest.raises(TooNarrowError, match="280"):
        draw(width_px=200)


@every_figure
def test_a_figure_refuses_a_theme_it_does_not_know(draw: Drawn) -> None:
    with pytest.raises(UnknownThemeError, match="high-contrast"):
        draw(theme="sepia")
