from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import (
    ContrastByDay,
    UnequalLengthsError,
    contrast_by_day,
)
from tests.unit.cingulum.figures.elements import overlapping_texts, parsed, tips, words
from tests.unit.cingulum.figures.samples import a_contrast_by_day, days

anything = st.floats(allow_nan=True, allow_infinity=True)
any_day = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def test_the_heat_map_shows_each_cell_on_hovering() -> None:
    figure = contrast_by_day(ContrastByDay(days(1), [-100, 100], [[0.1, 0.9]], [[40, 42]]))
    assert tips(figure) == ["2 Mar, −100 %: 0.10 (n = 40)", "2 Mar, 100 %: 0.90 (n = 42)"]


def test_a_contrast_not_shown_on_a_day_is_a_dot_and_explained() -> None:
    assert "Dots: contrast not shown on that day." in words(contrast_by_day(a_contrast_by_day()))
    full = contrast_by_day(ContrastByDay(days(1), [-100, 100], [[0.1, 0.9]], [[40, 42]]))
    assert "Dots: contrast not shown on that day." not in words(full)


def test_a_grid_of_another_shape_is_refused() -> None:
    with pytest.raises(UnequalLengthsError, match="2 days, 1 contrasts"):
        contrast_by_day(ContrastByDay(days(2), [0.0], [[0.5]], [[10]]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(any_day, max_size=4),
    st.lists(anything, max_size=4),
    st.lists(anything, min_size=16, max_size=16),
    st.lists(anything, min_size=16, max_size=16),
)
def test_whatever_the_cells_the_heat_map_is_well_formed(
    when: list[date], contrasts: list[float], shares: list[float], counts: list[float]
) -> None:
    shape = (len(when), len(contrasts))
    size = shape[0] * shape[1]
    grids = (np.array(values[:size]).reshape(shape) for values in (shares, counts))
    figure = contrast_by_day(ContrastByDay(when, contrasts, *grids))
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
