from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import (
    Criterion,
    Milestone,
    PerformanceRecord,
    performance_by_day,
)
from tests.unit.cingulum.figures.elements import overlapping_texts, parsed, words
from tests.unit.cingulum.figures.samples import a_performance_record, days

anything = st.floats(allow_nan=True, allow_infinity=True)
any_day = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def test_criteria_and_milestones_are_named_in_the_figure() -> None:
    texts = set(words(performance_by_day(a_performance_record())))
    assert {"trained 1a: 80 %", "trained 1b: 90 %", "trained 1a", "trained 1b", "ready for ephys"} <= texts


def test_the_description_contains_first_last_and_best() -> None:
    figure = performance_by_day(PerformanceRecord(days(3), [0.5, 0.9, 0.8], [100, 100, 100]))
    assert figure.description.endswith("first 50 %, last 80 %, best 90 %.")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(any_day, anything, anything), max_size=10),
    anything,
    any_day,
    st.sampled_from([320, 640]),
)
def test_whatever_the_sessions_performance_is_well_formed(
    rows: list[tuple[date, float, float]], line: float, day: date, width_px: int
) -> None:
    record = PerformanceRecord(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        (Criterion("goal", line),),
        (Milestone("reached", day),),
    )
    figure = performance_by_day(record, width_px=width_px)
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
