from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.figures import Implant, Restriction, WeightLine, WeightRecord, weight_curve
from tests.unit.cingulum.figures.elements import marks, overlapping_texts, parsed, tips, words
from tests.unit.cingulum.figures.samples import a_weight_record, days

anything = st.floats(allow_nan=True, allow_infinity=True)
any_day = st.dates(date(1990, 1, 1), date(2090, 1, 1))


def test_lines_implant_and_restriction_are_named_in_the_figure() -> None:
    texts = words(weight_curve(a_weight_record()))
    assert {"expected", "85 %", "75 %", "implant 2.93 g", "water restriction"} <= set(texts)


def test_a_weighing_below_a_limit_changes_shape_and_names_the_limit() -> None:
    times = days(3)
    limit = WeightLine("80 %", times, [20.0, 20.0, 20.0], "warn")
    figure = weight_curve(WeightRecord(times, [24.0, 19.5, 20.0], limits=(limit,)))
    assert len(marks(figure, "circle", "s1")) == 2
    assert len(marks(figure, "path", "warn", "fill")) == 1
    assert tips(figure)[1] == "2026-03-03: 19.5 g, below 80 %"
    assert "1 of them below a limit" in figure.description


def test_the_lowest_limit_crossed_is_the_one_named() -> None:
    times = days(2)
    limits = (
        WeightLine("80 %", times, [20.0, 20.0], "warn"),
        WeightLine("floor", times, [18.0, 18.0], "bad"),
    )
    figure = weight_curve(WeightRecord(times, [21.0, 17.0], limits=limits))
    assert figure.table.rows[1][-1] == "below floor"


def test_a_limit_applies_only_to_the_days_it_is_known_for() -> None:
    limit = WeightLine("80 %", days(2), [30.0, 30.0])
    figure = weight_curve(WeightRecord([date(2026, 5, 1)], [24.0], limits=(limit,)))
    assert figure.table.rows[0][-1] == ""


def test_an_unknown_weight_is_not_drawn_but_stays_in_the_table() -> None:
    figure = weight_curve(WeightRecord(days(3), [24.0, np.nan, 25.0]))
    assert len(marks(figure, "circle", "s1")) == 2
    assert len(figure.table.rows) == 3
    assert "n = 2 weighings, last 25.0 g" in words(figure)


def test_weighings_are_put_in_order_of_time() -> None:
    late, early = (datetime(2026, 4, day, 9, tzinfo=UTC) for day in (6, 5))
    figure = weight_curve(WeightRecord([late, early], [23.0, 24.0]))
    assert [row[0] for row in figure.table.rows] == ["2026-04-05 09:00", "2026-04-06 09:00"]


def test_a_restriction_that_ended_before_the_first_weighing_is_not_shown() -> None:
    old = replace(a_weight_record(), restrictions=(Restriction(date(2025, 1, 1), date(2025, 2, 1)),))
    assert "water restriction" not in words(weight_curve(old))


def test_several_restrictions_too_short_for_their_name_are_explained_once_in_the_key() -> None:
    when = days(300)
    short = tuple(Restriction(when[k], when[k + 5]) for k in (20, 100, 200))
    figure = weight_curve(WeightRecord(when, np.full(300, 24.0), restrictions=short), width_px=320)
    assert words(figure).count("water restriction") == 1
    assert len(marks(figure, "rect", "band")) == 4


def test_a_single_weighing_is_drawn_at_its_own_day() -> None:
    figure = weight_curve(WeightRecord([date(2026, 4, 5)], [24.0]), width_px=320)
    assert "5 Apr" in words(figure)
    assert "n = 1 weighing, last 24.0 g" in words(figure)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(any_day, anything), max_size=12),
    st.lists(st.tuples(any_day, anything), max_size=4),
    any_day,
    anything,
    st.sampled_from([320, 640]),
)
def test_whatever_was_written_down_the_figure_is_well_formed(
    weighings: list[tuple[date, float]],
    limit: list[tuple[date, float]],
    day: date,
    implant_g: float,
    width_px: int,
) -> None:
    line = WeightLine("80 %", [point[0] for point in limit], [point[1] for point in limit])
    record = WeightRecord(
        [weighing[0] for weighing in weighings],
        [weighing[1] for weighing in weighings],
        line,
        (line,),
        (Implant(day, implant_g),),
        (Restriction(day),),
    )
    figure = weight_curve(record, width_px=width_px)
    parsed(figure)
    assert "nan" not in figure.svg.lower()
    assert overlapping_texts(figure) == []
