"""The criteria engine: conditions as data, what is missing in words, unknown never passed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis.criteria import (
    Abandonment,
    Comparison,
    CriterionCondition,
    Ladder,
    Over,
    SessionMeasures,
    Stage,
    abandonment_status,
    check,
    judge,
)

KEEN = CriterionCondition("trials", "n_trials", "each", ">", 200)
SKILLED = CriterionCondition("performance", "performance", "each", ">=", 0.8, scale=100, unit="%")
SYMMETRIC = CriterionCondition("bias", "bias", "window", "<", 10, magnitude=True)
LADDER = Ladder(
    name="some task",
    start="new",
    stages=(
        Stage("novice", (KEEN,), n_sessions=2, kinds=("shaping",)),
        Stage("expert", (KEEN, SKILLED, SYMMETRIC), n_sessions=2),
    ),
    implied={"test": "novice"},
    abandonments=(Abandonment("stopped", while_status="new", kind="shaping", after_sessions=5),),
)


def a_session(label: str, kind: str = "shaping", **measures: float | None) -> SessionMeasures:
    return SessionMeasures(label, kind, {"n_trials": 300, "performance": 0.85} | measures)


def test_each_stage_needs_its_number_of_sessions() -> None:
    verdict = judge(LADDER, [a_session("Mon")], {"bias": 0.0})
    assert verdict.status == "new"
    assert verdict.next is not None
    assert verdict.next.missing == ("shaping sessions: 1, must be at least 2",)


def test_the_highest_stage_passed_is_the_status() -> None:
    verdict = judge(LADDER, [a_session("Mon"), a_session("Tue")], {"bias": -3.0})
    assert (verdict.status, verdict.next) == ("expert", None)


def test_only_the_last_sessions_count() -> None:
    days = [a_session("Mon", n_trials=5), a_session("Tue"), a_session("Wed")]
    assert judge(LADDER, days, {"bias": 12.0}).status == "novice"


def test_a_bias_to_either_side_is_too_much() -> None:
    answers = [check(SYMMETRIC, (), {"bias": bias}).passed for bias in (-10.0, -9.9, 9.9, 10.0)]
    assert answers == [False, True, True, False]


def test_missing_conditions_are_shown_in_readable_units() -> None:
    days = [a_session("Mon", performance=0.914), a_session("Tue", performance=0.731)]
    answer = check(SKILLED, days, {})
    assert answer.missing == "performance: 73.1 % on Tue, must be at least 80 % in each session"
    assert answer.value == 0.731


def test_an_unknown_measure_does_not_pass() -> None:
    answer = check(SKILLED, [a_session("Mon"), a_session("Tue", performance=None)], {})
    assert answer.passed is None
    assert answer.missing == "performance: not known on Tue, must be at least 80 % in each session"
    assert check(SYMMETRIC, (), {"bias": float("nan")}).passed is None


def test_a_kind_of_session_implies_the_status_it_requires() -> None:
    assert judge(LADDER, [a_session("Mon", "test", n_trials=3)], {}).status == "novice"


def test_any_looks_for_one_session_and_where_narrows_the_choice() -> None:
    condition = CriterionCondition("trials there", "n_trials", "any", ">", 200, where="there")
    days = [a_session("Mon", there=0), a_session("Tue", there=1, n_trials=250)]
    assert check(condition, days, {}).passed
    assert check(condition, days[:1], {}).passed is None


def test_count_counts_sessions_that_have_it() -> None:
    condition = CriterionCondition("there", "there", "count", ">=", 2)
    days = [a_session("Mon", there=1), a_session("Tue", there=None), a_session("Wed", there=True)]
    assert check(condition, days, {}).value == 2


def test_an_animal_is_abandoned_after_so_many_sessions_without_progress() -> None:
    assert abandonment_status(LADDER, "new", {"shaping": 5}) == "stopped"
    assert abandonment_status(LADDER, "new", {"shaping": 4, "test": 9}) is None
    assert abandonment_status(LADDER, "novice", {"shaping": 50}) is None


def test_no_sessions_are_the_start_of_the_ladder() -> None:
    assert judge(LADDER, [], {}).status == "new"


MEASURES = st.one_of(st.none(), st.floats(allow_infinity=True, allow_nan=True))


@settings(max_examples=100)
@given(
    st.lists(MEASURES, max_size=4),
    st.sampled_from(["each", "any", "count", "window"]),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.booleans(),
    st.floats(-100, 100),
)
def test_any_measures_give_an_answer_that_is_json(
    values: list[float | None], over: Over, comparison: Comparison, magnitude: bool, limit: float
) -> None:
    condition = CriterionCondition("x", "x", over, comparison, limit, magnitude=magnitude)
    days = [SessionMeasures(str(i), "kind", {"x": value}) for i, value in enumerate(values)]
    answer = check(condition, days, {"x": values[0]} if values else {})
    json.dumps(answer.to_dict(), allow_nan=False)
    assert (answer.missing is None) == (answer.passed is True)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1000), min_size=2, max_size=2), st.floats(0, 500))
def test_more_trials_never_lower_the_status(n_trials: list[float], more: float) -> None:
    before, after = (
        judge(
            LADDER, [a_session(str(i), n_trials=n + extra) for i, n in enumerate(n_trials)], {"bias": 0.0}
        ).status
        for extra in (0.0, more)
    )
    assert LADDER.order.index(after) >= LADDER.order.index(before)


def test_a_limit_itself_is_above_nothing() -> None:
    assert check(KEEN, [a_session("Mon", n_trials=200)], {}).passed is False
    assert check(KEEN, [a_session("Mon", n_trials=201)], {}).passed is True
    assert check(SKILLED, [a_session("Mon", performance=0.8)], {}).value == pytest.approx(0.8)
