"""What must hold for every animal that can be written down."""

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.welfare import (
    History,
    Implant,
    LabPolicy,
    Phase,
    Restriction,
    Water,
    Weighing,
    assess,
    assess_days,
    daily,
    doubts,
    explain,
)

ZONES = st.sampled_from(
    [UTC, ZoneInfo("America/New_York"), ZoneInfo("Europe/London"), ZoneInfo("Australia/Lord_Howe")]
)
NAIVE = st.datetimes(datetime(2023, 12, 1), datetime(2024, 6, 30))  # noqa: DTZ001 - wall times are meant
TIMES = NAIVE | NAIVE.map(lambda at: at.replace(tzinfo=UTC))
WEIGHTS = st.floats(0, 60) | st.sampled_from([0.0, 20.0, 17.0]) | st.floats(0, 1e6)
FRACTIONS = st.sampled_from([0.0, 0.425, 0.75, 0.85, 1.0]) | st.floats(0, 1)
POLICY = st.sampled_from(["alyx", "cingulum"])


@st.composite
def restrictions(draw: Callable[..., Any]) -> Restriction:
    start = draw(TIMES)
    lasting = draw(st.none() | st.timedeltas(timedelta(days=-2), timedelta(days=60)))
    return Restriction(start, None if lasting is None else start + lasting, draw(st.just(0.0) | WEIGHTS))


HISTORIES = st.builds(
    History,
    weighings=st.lists(st.builds(Weighing, TIMES, WEIGHTS), max_size=6),
    implants=st.lists(st.builds(Implant, TIMES, st.floats(0, 5) | WEIGHTS), max_size=3),
    restrictions=st.lists(restrictions(), max_size=3),
    water=st.lists(st.builds(Water, TIMES, st.none() | st.floats(0, 3), st.booleans()), max_size=6),
    sex=st.sampled_from(["M", "F", "U"]),
    birth_date=st.none() | st.dates(date(2021, 1, 1), date(2024, 7, 1)),
    death_date=st.none() | st.dates(date(2024, 1, 1), date(2024, 7, 1)),
    zone=ZONES,
)
PHASES = st.just(()) | st.just((Phase("first week", 0, 6, 0.9, 0.8), Phase("then", 7, None, 0.85, 0.75)))
LABS = st.builds(LabPolicy, FRACTIONS, FRACTIONS, FRACTIONS, phases=PHASES)


@settings(max_examples=100, deadline=None)
@given(HISTORIES, TIMES, LABS, POLICY)
def test_every_history_gets_an_answer_of_finite_numbers_and_a_sentence_for_each(
    history: History, at: datetime, lab: LabPolicy, policy: str
) -> None:
    now = assess(history, at, lab, policy)
    values = asdict(now)
    assert all(isfinite(value) for value in values.values() if isinstance(value, float))
    assert history.birth_date is not None or now.reference_age_weeks is None
    sentences = explain(now, history, lab)
    assert sentences.keys() == {name for name in values if not name.endswith("_row")} - {"at", "policy"}
    for sentence in sentences.values():
        assert "nan" not in sentence
        assert sentence.endswith(".")
    assert all(doubt.endswith(".") for doubt in doubts(now, history, lab))


@settings(max_examples=100, deadline=None)
@given(HISTORIES, TIMES, LABS, POLICY, st.builds(Water, TIMES, st.none() | st.floats(0, 3), st.booleans()))
def test_more_water_never_lowers_the_total_nor_raises_what_remains(
    history: History, at: datetime, lab: LabPolicy, policy: str, more: Water
) -> None:
    before = assess(history, at, lab, policy)
    after = assess(replace(history, water=[*history.water, more]), at, lab, policy)
    assert after.given_water_total_ml >= before.given_water_total_ml
    assert after.given_water_session_ml >= before.given_water_session_ml
    if before.remaining_water_ml is not None:
        assert after.remaining_water_ml is not None
        assert after.remaining_water_ml <= before.remaining_water_ml


COLOURS = {"green": 0, "orange": 1, "red": 2}
LEVELS = {None: 0, "ATTENTION": 1, "WARNING": 2}


@settings(max_examples=100, deadline=None)
@given(HISTORIES, LABS, st.floats(0, 60), st.floats(0, 60))
def test_a_lighter_animal_never_looks_better(
    history: History, lab: LabPolicy, first: float, other: float
) -> None:
    """The newest weighing comes after every start, so that only the animal gets lighter and not its reference."""
    last = datetime(2024, 8, 1, 9, tzinfo=UTC)
    alive = replace(history, death_date=None)
    light, heavy = (
        assess(replace(alive, weighings=[*history.weighings, Weighing(last, weight)]), last, lab)
        for weight in sorted((first, other))
    )
    assert (light.percentage_weight is None) == (heavy.percentage_weight is None)
    if light.percentage_weight is None or heavy.percentage_weight is None:
        assert light.notify_underweight == heavy.notify_underweight
        return
    assert light.percentage_weight <= heavy.percentage_weight
    assert (light.weight_status or 0) >= (heavy.weight_status or 0)
    assert COLOURS[light.plot_colour] >= COLOURS[heavy.plot_colour]
    assert LEVELS[light.notify_underweight] >= LEVELS[heavy.notify_underweight]
    assert light.water_rate_ml_per_g >= heavy.water_rate_ml_per_g


@settings(max_examples=60, deadline=None)
@given(HISTORIES, LABS, POLICY)
def test_a_table_of_days_equals_each_day_alone(history: History, lab: LabPolicy, policy: str) -> None:
    days = [date(2024, 3, 9) + timedelta(days=n) for n in range(3)]
    for row in daily(history, days, lab, policy):
        assert row == assess(history, row.at, lab, policy)


@settings(max_examples=60, deadline=None)
@given(st.lists(HISTORIES, max_size=4), LABS, POLICY)
def test_animals_assessed_together_do_not_mix(herd: list[History], lab: LabPolicy, policy: str) -> None:
    days = [date(2024, 3, 9) + timedelta(days=n) for n in range(3)]
    together = assess_days(herd, days, lab, policy)
    assert len(together) == len(herd)
    for history, table in zip(herd, together, strict=True):
        (alone,) = assess_days([history], days, lab, policy)
        for column in fields(table):
            if column.name != "moments":
                assert np.array_equal(
                    getattr(table, column.name), getattr(alone, column.name), equal_nan=True
                )
