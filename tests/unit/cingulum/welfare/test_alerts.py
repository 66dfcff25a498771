"""Alerts, and when they repeat."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cingulum.welfare import Restriction, Water, assess
from cingulum.welfare.alerts import AlertKind, Decision, alerts, free_days, repeats, training_alert
from tests.unit.cingulum.welfare.makers import LAB, START, a_mouse, day


def kinds(mouse_weights: list[float], n: int, **other: object) -> list[AlertKind]:
    mouse = a_mouse(mouse_weights, **other)
    return [alert.kind for alert in alerts(assess(mouse, day(n, 12), LAB), mouse, LAB)]


def test_a_healthy_watered_weighed_animal_raises_nothing() -> None:
    assert kinds([20.0, 19.5], 1, water=[Water(day(1, 10), 0.9)]) == []


def test_an_animal_below_its_line_without_water_raises_both() -> None:
    assert kinds([20.0, 16.5], 1) == [AlertKind.UNDERWEIGHT, AlertKind.WATER_DUE]


def test_the_first_animal_without_any_water_does_not_silence_the_reminder() -> None:
    """The reference crashes here, and all animals after it in the nightly job go unchecked."""
    assert AlertKind.WATER_DUE in kinds([20.0, 19.5], 1)


def test_an_animal_at_its_end_point_needs_a_decision_within_a_day_of_that_weighing() -> None:
    mouse = a_mouse([20.0, 14.5, 14.0])
    sentences = {alert.kind: alert.sentence for alert in alerts(assess(mouse, day(2, 8), LAB), mouse, LAB)}
    assert (
        sentences[AlertKind.END_POINT]
        == "Below its end point of 75 %: a named person has to decide by 3 April 2024 at 09:00."
    )
    late = [alert.kind for alert in alerts(assess(mouse, day(2, 12), LAB), mouse, LAB)]
    assert AlertKind.DECISION_OVERDUE in late


def test_a_decision_answers_the_end_point_until_the_next_spell() -> None:
    mouse = a_mouse([20.0, 14.5, 16.0, 14.5])
    decided = Decision(day(1, 11), "A. Vet", "free water for two days")
    first, second = (
        {alert.kind for alert in alerts(assess(mouse, day(n, 12), LAB), mouse, LAB, [decided])}
        for n in (1, 3)
    )
    assert AlertKind.END_POINT not in first
    assert AlertKind.END_POINT in second


@pytest.mark.parametrize(("by", "reason"), [("", "well"), ("A. Vet", " ")])
def test_a_decision_without_name_or_reason_is_none(by: str, reason: str) -> None:
    with pytest.raises(ValueError, match="name of the person who decided, and the reason"):
        Decision(START, by, reason)


def test_a_lab_can_limit_restricted_days_and_require_free_days() -> None:
    lab = replace(LAB, max_restricted_days=20, min_free_days_per_30=8)
    mouse = a_mouse([20.0])
    at = day(25)
    sentences = {alert.kind: alert.sentence for alert in alerts(assess(mouse, at, lab), mouse, lab)}
    assert sentences[AlertKind.RESTRICTED_TOO_LONG] == "Restricted for 25 days, at most 20 are allowed."
    assert (
        sentences[AlertKind.TOO_FEW_FREE_DAYS]
        == "4 of the last 30 days were free of restriction, 8 are required."
    )


def test_a_day_with_an_hour_of_restriction_is_not_free() -> None:
    mouse = a_mouse(restrictions=[Restriction(START, START + timedelta(days=2, hours=1))])
    assert free_days(mouse, day(10)) == 27
    assert free_days(mouse, day(0, 8)) == 30


def test_the_same_title_is_not_sent_again_within_the_hour() -> None:
    mouse = a_mouse([20.0, 16.5])
    alert = alerts(assess(mouse, day(1, 12), LAB), mouse, LAB)[0]
    assert repeats(alert, day(1, 12), [(alert.title, day(1, 11, 1))], mouse)
    assert not repeats(alert, day(1, 12), [(alert.title, day(1, 11))], mouse)
    assert not repeats(alert, day(1, 12), [("another", day(1, 11, 30))], mouse)


def test_a_missing_weighing_is_reported_every_time() -> None:
    mouse = a_mouse([20.0])
    alert = next(a for a in alerts(assess(mouse, day(1), LAB), mouse, LAB) if a.kind is AlertKind.NOT_WEIGHED)
    assert not repeats(alert, day(1), [(alert.title, day(1))], mouse)


def test_under_alyx_only_its_own_alerts_are_raised() -> None:
    mouse = a_mouse([20.0, 14.0])
    now = assess(mouse, day(1, 12), LAB, "alyx")
    assert {alert.kind for alert in alerts(now, mouse, LAB)} == {AlertKind.UNDERWEIGHT, AlertKind.WATER_DUE}


def test_a_week_of_five_training_days_needs_no_reminder() -> None:
    week = [date(2024, 4, 8) + timedelta(days=n) for n in range(5)]
    assert training_alert(week, date(2024, 4, 13), "KM_011") is None
    assert training_alert([*week[:4], week[0], date(2024, 4, 14)], date(2024, 4, 14), "KM_011") is not None


def test_a_dead_animal_raises_nothing() -> None:
    mouse = a_mouse([20.0, 14.0], death_date=date(2024, 4, 2))
    assert alerts(assess(mouse, day(3), LAB), mouse, LAB) == ()
