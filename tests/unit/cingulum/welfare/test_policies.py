"""What a lab decides, and what becomes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cingulum.welfare import (
    CINGULUM,
    History,
    Implant,
    InvalidHistory,
    InvalidPolicy,
    LabPolicy,
    Phase,
    Restriction,
    Water,
    Weighing,
    assess,
    assess_days,
    assess_many,
    doubts,
    explain,
)
from cingulum.welfare.timeline import MOST_ANIMALS
from tests.unit.cingulum.welfare.makers import LAB, START, a_mouse, day


def test_in_its_first_week_an_animal_is_held_to_the_phases_lines() -> None:
    lab = replace(LAB, phases=(Phase("first week", 0, 6, 0.92, 0.85), Phase("then", 7, None, 0.85, 0.75)))
    mouse = a_mouse([20.0, 18.2, 18.2, 18.2, 18.2, 18.2, 18.2, 18.2])
    assert assess(mouse, day(6), lab).weight_status == 2
    assert assess(mouse, day(7), lab).weight_status == 0


def test_the_end_point_line_can_be_the_labs_own() -> None:
    now = assess(a_mouse([20.0, 15.9]), day(1), replace(LAB, endpoint_line=0.80))
    assert (now.plot_colour, now.weight_status, now.endpoint_line) == ("red", 2, 0.80)


def test_one_line_rules_water_list_colour_minimum_and_alert() -> None:
    """A lab line of 70 % under a floor of 75 %: Alyx uses 70, 70, 75 and 75."""
    lab, mouse = LabPolicy(reference_fraction=0.70), a_mouse([20.0, 14.8])
    now = assess(mouse, day(1), lab)
    assert (now.weight_status, now.plot_colour, now.notify_underweight) == (2, "red", "WARNING")
    assert now.min_weight_g == pytest.approx(15.0)
    assert now.water_rate_ml_per_g == 0.05


def test_alyx_turns_a_lighter_animal_from_red_to_orange_and_cingulum_does_not() -> None:
    lab = LabPolicy(reference_fraction=0.70)
    colours = {
        policy: [
            assess(a_mouse([20.0, weight]), day(1), lab, policy).plot_colour for weight in (16.0, 14.8, 13.9)
        ]
        for policy in ("alyx", "cingulum")
    }
    assert colours == {"alyx": ["green", "red", "orange"], "cingulum": ["green", "red", "red"]}


def test_after_a_restriction_ended_the_reference_keeps_the_implant_worn_then() -> None:
    mouse = a_mouse(
        [22.0, 21.0],
        implants=[Implant(day(-5), 2.0), Implant(day(4), 4.0)],
        restrictions=[Restriction(START, day(3), 22.0)],
    )
    assert assess(mouse, day(5), LAB).reference_weight_minus_implant_g == 20.0
    assert assess(mouse, day(5), LAB, "alyx").reference_weight_minus_implant_g == 18.0


def test_the_default_line_of_a_lab_that_chose_none_is_named_as_default() -> None:
    mouse, lab = a_mouse([20.0, 16.0]), LabPolicy()
    now = assess(mouse, day(1), lab)
    assert now.notify_underweight == "WARNING"
    assert "The lab has not set a line: 85 % of the own reference is used until it does." in doubts(
        now, mouse, lab
    )


def test_an_animal_of_unknown_sex_is_held_to_the_heavier_curve() -> None:
    lab = LabPolicy(growth_fraction=0.85)
    expected = {
        sex: assess(a_mouse(sex=sex, birth_date=date(2024, 2, 5)), day(40), lab).expected_weight_g
        for sex in "MFU"
    }
    assert expected["U"] == max(expected["M"] or 0, expected["F"] or 0)


def test_a_mixed_lab_without_a_birth_date_does_not_halve_the_expected_weight() -> None:
    lab, mouse = LabPolicy(reference_fraction=0.425, growth_fraction=0.425), a_mouse([20.0, 16.0])
    assert assess(mouse, day(1), lab, "alyx").expected_weight_g == pytest.approx(10.0)
    now = assess(mouse, day(1), lab)
    assert (now.expected_weight_g, now.notify_underweight) == (None, "UNKNOWN")
    assert "no birth date" in doubts(now, mouse, lab)[0]


def test_an_animal_never_weighed_is_unknown_and_alarming_not_zero_grams() -> None:
    now = assess(a_mouse([]), day(1), LAB)
    assert (now.last_weight_g, now.percentage_weight, now.expected_water_ml) == (None, None, None)
    assert (now.notify_underweight, now.notify_water_due, now.notify_not_weighed) == ("UNKNOWN", True, True)


def test_a_weighing_below_the_implants_own_mass_is_the_worst_and_doubtful() -> None:
    mouse = a_mouse([20.0, 1.5], implants=[Implant(day(-5), 2.0)])
    now = assess(mouse, day(1), LAB)
    assert (now.percentage_weight, now.weight_status, now.plot_colour) == (0.0, 2, "red")
    assert (
        doubts(now, mouse, LAB)[0]
        == "The last weighing, 1.50 g, is not more than the implant's 2.00 g: check both."
    )


def test_a_weighing_older_than_the_implant_keeps_its_number_and_gets_a_doubt() -> None:
    mouse = a_mouse([20.0, 19.0], implants=[Implant(day(1, 15), 2.0)])
    now = assess(mouse, day(1, 18), LAB)
    assert now.percentage_weight == assess(mouse, day(1, 18), LAB, "alyx").percentage_weight
    assert "The last weighing is older than the implant of 2 April 2024: weigh again." in doubts(
        now, mouse, LAB
    )


def test_a_reference_weighed_long_before_the_restriction_is_doubtful() -> None:
    mouse = a_mouse(weighings=[Weighing(day(-9), 20.0)], restrictions=[Restriction(START)])
    sentence = "The reference is a weighing of 23 March 2024, 9 days before the restriction began."
    assert sentence in doubts(assess(mouse, day(1), LAB), mouse, LAB)


def test_a_list_of_animals_equals_each_animal_alone() -> None:
    zones = [UTC, ZoneInfo("America/New_York"), ZoneInfo("Europe/London")]
    herd = [a_mouse([20.0, 19.0 - n], zone=zone) for n, zone in enumerate(zones)]
    wall_time = day(1, 4).replace(tzinfo=None)
    for at in (day(1, 12), wall_time):
        assert assess_many(herd, at, LAB) == [assess(mouse, at, LAB) for mouse in herd]


def test_each_line_names_its_source() -> None:
    phases = (Phase("first week", 0, 6, 0.92, 0.85),)
    mouse = a_mouse([20.0] * 9)
    for lab, at, action, endpoint in (
        (LAB, 1, "85 %: the highest of the lab's line of 85 %, the floor of 75 %.", "75 %: the floor."),
        (replace(LAB, endpoint_line=0.9), 1, "90 %: the highest of the lab's line of 85 %, the floor of 75 % and its "
         "end point of 90 %.", "90 %: the lab's own."),
        (replace(LAB, phases=phases), 6, "92 %: of the phase 'first week', day 6 of the restriction.",
         "85 %: of the phase 'first week', day 6 of the restriction."),
        (replace(LAB, phases=phases), 7, "85 %: the highest of the lab's line of 85 %, the floor of 75 %.",
         "75 %: the floor."),
    ):  # fmt: skip
        sentences = explain(assess(mouse, day(at), lab), mouse, lab)
        assert sentences["action_line"] == f"Action line {action}"
        assert sentences["endpoint_line"] == f"End-point line {endpoint}"


def test_an_animal_not_born_yet_is_doubtful_and_one_without_birth_date_has_no_age_at_its_reference() -> None:
    unborn = a_mouse(birth_date=date(2024, 6, 1))
    now = assess(unborn, day(1), LAB)
    assert "The birth date is in the future: check it." in doubts(now, unborn, LAB)
    assert assess(a_mouse(), day(1), LAB).reference_age_weeks is None


def test_on_29_february_and_after_it_weeks_are_counted_in_days() -> None:
    mouse = a_mouse(birth_date=date(2024, 2, 29))
    ages = [
        assess(mouse, datetime(2024, month, on, 12, tzinfo=UTC), LAB).age_weeks
        for month, on in ((3, 6), (3, 7), (12, 31))
    ]
    assert ages == [0, 1, 43]
    assert assess(mouse, datetime(2025, 2, 28, 12, tzinfo=UTC), LAB).age_weeks == 52


def test_death_ends_the_restriction_and_the_counting_of_age() -> None:
    mouse = a_mouse([20.0, 15.0], birth_date=date(2024, 1, 1), death_date=date(2024, 4, 3))
    now = assess(mouse, day(30), LAB)
    assert not now.is_water_restricted
    assert (now.age_weeks, now.notify_underweight, now.notify_water_due) == (13, None, False)
    assert "counted until death" in explain(now, mouse, LAB)["age_weeks"]


def test_water_of_a_lab_day_is_summed_by_the_labs_calendar() -> None:
    late_evening = datetime(2024, 4, 3, 3, tzinfo=UTC)
    mouse = a_mouse(water=[Water(late_evening, 0.5)], zone=ZoneInfo("America/New_York"))
    second, third = (assess(mouse, datetime(2024, 4, n, 12, tzinfo=UTC), LAB) for n in (2, 3))
    assert (second.given_water_total_ml, third.given_water_total_ml) == (0.5, 0.0)


def test_23_hours_are_23_hours_when_the_clocks_change() -> None:
    """In the night to 31 March 2024 London's clocks jump from 1:00 to 2:00."""
    london = ZoneInfo("Europe/London")
    start = datetime(2024, 3, 28, 9, tzinfo=london)
    water = Water(datetime(2024, 3, 30, 18, tzinfo=london), 0.3)
    mouse = History([Weighing(start, 20.0)], (), [Restriction(start)], [water], zone=london)
    at = datetime(2024, 3, 31, 17, 30, tzinfo=london)
    assert not assess(mouse, at, LAB).notify_water_due
    assert assess(mouse, at, LAB, "alyx").notify_water_due
    assert assess(mouse, at + timedelta(minutes=30), LAB).notify_water_due


def test_a_time_without_offset_is_the_labs_and_the_first_of_two_when_clocks_go_back() -> None:
    """On 3 November 2024 in New York 1:30 happens twice; the first is 5:30 UTC."""
    zone = ZoneInfo("America/New_York")
    twice = datetime(2024, 11, 3, 5, 30, tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    mouse = History([Weighing(twice, 20.0)], zone=zone)
    assert assess(mouse, datetime(2024, 11, 3, 5, 30, tzinfo=UTC), LAB).last_weight_g == 20.0
    assert assess(mouse, datetime(2024, 11, 3, 5, 29, tzinfo=UTC), LAB).last_weight_g is None


def test_a_colony_larger_than_one_search_can_hold_is_assessed_in_parts() -> None:
    colony = [a_mouse([20.0, weight]) for weight in np.linspace(14, 20, MOST_ANIMALS + 50)]
    tables = assess_days(colony, [date(2024, 4, 2)], LAB)
    assert [table.percentage[0] for table in tables] == [
        assess(mouse, day(1, 12), LAB).percentage_weight for mouse in colony
    ]
    assert assess_days([], [date(2024, 4, 2)], LAB) == []


def test_rules_are_data_so_a_lab_may_mix_its_own() -> None:
    by_day = replace(CINGULUM, compare_by="day")
    mouse = a_mouse([20.0, 19.0])
    assert assess(mouse, day(1, 6), LAB).last_weight_g == 20.0
    assert assess(mouse, day(1, 6), LAB, by_day).last_weight_g == 19.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference_fraction": 85.0},
        {"floor_fraction": float("nan")},
        {"endpoint_line": -0.1},
        {"water_ml_per_g": 0.06},
        {"phases": (Phase("a", 0, None, 0.9, 0.8), Phase("b", 3, None, 0.9, 0.8))},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy):
        LabPolicy(**wrong)


@pytest.mark.parametrize(
    ("first", "last", "action", "endpoint"), [(-1, 2, 0.9, 0.8), (3, 2, 0.9, 0.8), (0, 2, 0.7, 0.8)]
)
def test_a_phase_that_makes_no_sense_is_refused(
    first: int, last: int, action: float, endpoint: float
) -> None:
    with pytest.raises(InvalidPolicy):
        Phase("odd", first, last, action, endpoint)


def test_an_unknown_policy_is_refused_by_name() -> None:
    with pytest.raises(InvalidPolicy, match="there is no policy 'hearsay'"):
        assess(a_mouse(), day(0), LAB, "hearsay")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), 1e9])
def test_a_weight_no_animal_has_is_refused(weight: float) -> None:
    with pytest.raises(InvalidHistory):
        Weighing(START, weight)
