from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import DriftMap, drift_map
from tests.unit.cingulum.figures.elements import marks, overlapping_texts, parsed, words
from tests.unit.cingulum.figures.samples import a_drift_map

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_above_5000_spikes_the_drift_map_is_one_image() -> None:
    assert not marks(drift_map(a_drift_map(5000)), "image")
    large = drift_map(a_drift_map(5001))
    assert len(marks(large, "image")) == 1
    assert marks(large, "image")[0].get("href", "").startswith("data:image/png;base64,")


def test_the_amplitudes_behind_the_shades_are_written_below() -> None:
    texts = words(drift_map(DriftMap([0.0, 1.0, 2.0], [20.0, 40.0, 60.0], [80.0, 90.0, 100.0])))
    assert {"Amplitude", "80.4", "99.6 µV"} <= set(texts)


def test_spikes_of_unknown_amplitude_are_drawn_without_a_ramp() -> None:
    figure = drift_map(DriftMap([0.0, 1.0], [20.0, 40.0], [None, None]))
    assert "n = 2 spikes" in words(figure)
    assert "Amplitude" not in words(figure)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(anything, anything, anything), max_size=12), st.sampled_from([1, 3000]))
def test_whatever_the_spikes_the_drift_map_is_well_formed(
    spikes: list[tuple[float, float, float]], repeats: int
) -> None:
    times, depths, sizes = ([spike[k] for spike in spikes] * repeats for k in range(3))
    figure = drift_map(DriftMap(times, depths, sizes))
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
