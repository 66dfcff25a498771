from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import WaterKind, WaterRecord, water_bars
from tests.unit.cingulum.figures.elements import overlapping_texts, parsed, tips, words
from tests.unit.cingulum.figures.samples import a_water_record, days

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_kinds_due_and_what_is_missing_are_in_the_key() -> None:
    assert {"in the task", "supplement", "due", "missing"} <= set(words(water_bars(a_water_record())))


def test_the_number_of_days_is_written_above() -> None:
    assert "n = 28 days" in words(water_bars(a_water_record()))


def test_missing_water_is_framed_and_described() -> None:
    figure = water_bars(WaterRecord(days(2), [1.0, 1.0], (WaterKind("in the task", [0.4, 1.2]),)))
    assert "2 Mar: 0.60 mL missing" in tips(figure)
    assert figure.description.endswith(
        "Less than due on 1 of 2 days with water due; most missing 0.60 mL on 2 Mar."
    )


def test_nothing_is_missing_on_a_day_with_no_water_due() -> None:
    figure = water_bars(WaterRecord(days(1), [np.nan], (WaterKind("in the task", [0.0]),)))
    assert "missing" not in words(figure)
    assert "due" not in words(figure)


def test_the_table_sums_the_water() -> None:
    kinds = (WaterKind("in the task", [0.4]), WaterKind("supplement", [0.5]))
    figure = water_bars(WaterRecord(days(1), [1.0], kinds))
    assert figure.table.columns == ("day", "due (mL)", "in the task (mL)", "supplement (mL)", "given (mL)")
    assert figure.table.rows == (("2026-03-02", 1.0, 0.4, 0.5, 0.9),)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(anything, anything, anything), max_size=9), st.sampled_from([320, 640]))
def test_the_figure_is_well_formed_for_any_water(
    rows: list[tuple[float, float, float]], width_px: int
) -> None:
    due, task, rest = ([row[k] for row in rows] for k in range(3))
    kinds = (WaterKind("in the task", task), WaterKind("supplement", rest))
    figure = water_bars(WaterRecord(days(len(rows)), due, kinds), width_px=width_px)
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
