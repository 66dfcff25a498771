from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import (
    Autocorrelogram,
    PsthSeries,
    TrialGroup,
    TrialRaster,
    autocorrelogram,
    psth,
    trial_raster,
)
from tests.unit.cingulum.figures.elements import marks, overlapping_texts, parsed, words
from tests.unit.cingulum.figures.samples import PSTH_TIMES, a_raster, an_autocorrelogram, some_rates

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_a_raster_has_a_stroke_per_spike_in_the_colour_of_its_group() -> None:
    groups = (TrialGroup("left", 1), TrialGroup("right", 2))
    figure = trial_raster(TrialRaster([0.1, 0.2, 0.3], [0, 1, 2], groups, (-0.5, 1.0)))
    strokes = [marks(figure, "path", role, "stroke")[0].get("d", "") for role in ("s1", "s2")]
    assert [drawn.count("M") for drawn in strokes] == [1, 2]
    assert {"left", "right", "stimulus on"} <= set(words(figure))


def test_spikes_outside_window_and_rows_are_not_counted() -> None:
    raster = TrialRaster([0.1, 5.0, 0.1, np.nan], [0, 0, 9, 0], (TrialGroup("left", 1),), (-0.5, 1.0))
    assert "n = 1 trial, 1 spike" in words(trial_raster(raster))


def test_above_5000_spikes_the_raster_is_one_image() -> None:
    small, large = a_raster((100, 100, 50), 20), a_raster((100, 100, 51), 20)
    assert not marks(trial_raster(small), "image")
    assert len(marks(trial_raster(large), "image")) == 1
    assert len(trial_raster(large).svg) < 60_000


def test_more_groups_than_fit_beside_the_raster_are_named_in_the_key() -> None:
    groups = tuple(TrialGroup(f"group {k}", 1) for k in range(30))
    figure = trial_raster(TrialRaster([0.1], [0], groups, (-0.5, 1.0)), width_px=320)
    assert {f"group {k}" for k in range(30)} <= set(words(figure))
    assert overlapping_texts(figure) == []


def test_firing_rates_are_named_beside_their_lines_and_shaded() -> None:
    figure = psth(PSTH_TIMES, some_rates())
    assert {"left (n = 130)", "right (n = 140)", "error (n = 40)"} <= set(words(figure))
    assert all(marks(figure, "path", role, "fill") for role in ("s1", "s2", "s3"))


def test_the_refractory_period_is_named_and_its_pairs_are_counted() -> None:
    figure = autocorrelogram(an_autocorrelogram())
    assert {"± 1.5 ms", "Pairs of spikes per 1 ms"} <= set(words(figure))
    assert "pairs within 1.5 ms" in figure.description


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(anything, anything), max_size=12),
    st.lists(st.integers(-2, 40), max_size=4),
    st.tuples(st.floats(-10, 10), st.floats(-10, 10)),
)
def test_whatever_the_spikes_the_raster_is_well_formed(
    spikes: list[tuple[float, float]], sizes: list[int], window: tuple[float, float]
) -> None:
    times, rows = ([spike[k] for spike in spikes] for k in range(2))
    groups = tuple(TrialGroup(f"group {k}", n) for k, n in enumerate(sizes))
    figure = trial_raster(TrialRaster(times, rows, groups, window))
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(anything, anything, anything), max_size=10))
def test_whatever_the_rates_psth_and_autocorrelogram_are_well_formed(
    rows: list[tuple[float, float, float]],
) -> None:
    times, rate, sem = ([row[k] for row in rows] for k in range(3))
    drawn = (
        psth(times, [PsthSeries("left", rate, sem, 3)]),
        autocorrelogram(Autocorrelogram(times, rate, 9, 2.0)),
    )
    for figure in drawn:
        parsed(figure)
        assert "nan" not in figure.svg.lower()
        assert overlapping_texts(figure) == []
