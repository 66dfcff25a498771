from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import ChronometricSeries, chronometric_curve
from tests.unit.cingulum.figures.elements import marks, overlapping_texts, parsed, tips, words
from tests.unit.cingulum.figures.samples import a_chronometric_series

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_the_meaning_of_the_bars_is_written_below() -> None:
    figure = chronometric_curve([a_chronometric_series("all")], spread="95 % bootstrap interval")
    assert "Points: medians, bars: 95 % bootstrap interval." in words(figure)
    assert "95 % bootstrap interval from (s)" in figure.table.columns


def test_a_point_with_an_unknown_spread_has_no_bar() -> None:
    series = ChronometricSeries("all", [-100, 100], [0.3, 0.4], [0.2, np.nan], [0.5, np.nan], [40, 40])
    figure = chronometric_curve([series])
    assert len(marks(figure, "line", "s1", "stroke")) == 1
    assert tips(figure) == ["all: contrast −100 %, 0.30 s, n = 40", "all: contrast 100 %, 0.40 s, n = 40"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[anything] * 5), max_size=8), st.sampled_from([320, 640]))
def test_whatever_the_numbers_the_figure_is_well_formed(
    rows: list[tuple[float, float, float, float, float]], width_px: int
) -> None:
    contrast, median, low, high, n = ([row[k] for row in rows] for k in range(5))
    figure = chronometric_curve(
        [ChronometricSeries("all", contrast, median, low, high, n)], width_px=width_px
    )
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
