from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import PsychometricFit, PsychometricSeries, UnequalLengthsError, psychometric_curve
from cingulum.figures.psychometric import wilson_interval
from tests.unit.cingulum.figures.elements import marks, overlapping_texts, parsed, tips, words
from tests.unit.cingulum.figures.samples import a_series, blocks

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_one_series_is_named_beside_its_line_with_its_parameters_in_the_subtitle() -> None:
    figure = psychometric_curve([a_series("all trials")])
    assert "all trials" in words(figure)
    assert "n = 440 trials · bias 0 %, threshold 18 %, lapses 0.05 and 0.06" in words(figure)
    assert len(marks(figure, "circle", "s1")) == 11


def test_each_block_has_its_own_shape_and_colour() -> None:
    figure = psychometric_curve(blocks())
    assert len(marks(figure, "circle", "s1")) >= 11
    assert len(marks(figure, "path", "s2", "fill")) >= 11
    assert len(marks(figure, "path", "s3", "fill")) >= 11
    assert {"20 % left", "50 % left", "80 % left"} <= set(words(figure))


def test_hovering_shows_the_counts_of_a_point() -> None:
    figure = psychometric_curve([PsychometricSeries("all", [-100, 100], [3, 38], [40, 40])])
    assert tips(figure) == [
        "all: contrast −100 %, 3 of 40 to the right (0.07)",
        "all: contrast 100 %, 38 of 40 to the right (0.95)",
    ]


def test_a_contrast_never_shown_is_left_out() -> None:
    figure = psychometric_curve([PsychometricSeries("all", [-100, 0, 100], [3, 0, 38], [40, 0, 40])])
    assert len(figure.table.rows) == 2


def test_a_fit_that_failed_draws_points_without_a_curve() -> None:
    unknown = PsychometricFit(float("nan"), 18.0, 0.1, 0.1)
    figure = psychometric_curve([PsychometricSeries("all", [-100, 100], [3, 38], [40, 40], unknown)])
    assert "n = 80 trials · no fit" in words(figure)
    assert "all" in words(figure)


def test_arrays_of_unequal_lengths_are_refused_by_name() -> None:
    with pytest.raises(UnequalLengthsError, match="block 20"):
        psychometric_curve([PsychometricSeries("block 20", [0], [1, 2], [3])])


def test_wilson_agrees_with_published_values() -> None:
    low, high = wilson_interval([81, 0], [263, 10])
    np.testing.assert_allclose(low, [0.2553, 0.0], atol=2e-4)
    np.testing.assert_allclose(high, [0.3662, 0.2775], atol=2e-4)


def test_a_fit_that_misses_the_choices_is_noted() -> None:
    """A session in which the animal did not see to it: bounds of plots hold the curve far from its points."""
    contrasts, right, trials = [-100, -50, 50, 100], [22, 29, 32, 33], [82] * 4
    bad_fit = PsychometricFit(50.0, 50.0, 0.2, 0.2)
    figure = psychometric_curve([PsychometricSeries("all trials", contrasts, right, trials, bad_fit)])
    sentence = "all trials: the fit misses the interval at 3 of 4 contrasts."
    assert sentence in words(figure)
    assert figure.description.endswith(sentence)
    assert not any("misses" in text for text in words(psychometric_curve([a_series()])))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(anything, anything, anything), max_size=8),
    st.tuples(anything, anything, anything, anything),
    st.sampled_from([320, 640]),
)
def test_whatever_the_numbers_the_figure_is_well_formed(
    rows: list[tuple[float, float, float]], fit: tuple[float, ...], width_px: int
) -> None:
    contrast, right, trials = ([row[k] for row in rows] for k in range(3))
    series = PsychometricSeries("x & y", contrast, right, trials, PsychometricFit(*fit))
    figure = psychometric_curve([series], width_px=width_px)
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
