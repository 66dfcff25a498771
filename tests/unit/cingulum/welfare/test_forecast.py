"""The forecast of an animal's weight from its trend."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.welfare import LabPolicy, Weighing
from cingulum.welfare.forecast import forecast
from tests.unit.cingulum.welfare.makers import LAB, START, a_mouse, day


def test_a_steady_fall_crosses_where_a_straight_line_does() -> None:
    """2 points a day from 100 %: 85 % is reached 7.5 days after the start."""
    outlook = forecast(a_mouse([20.0, 19.6, 19.2, 18.8]), day(3), LAB)
    assert outlook.state == "falling"
    assert outlook.crosses_at is not None
    assert abs(outlook.crosses_at - (START + timedelta(days=7.5))) <= timedelta(hours=1)
    assert outlook.earliest is not None
    assert outlook.latest is not None
    assert outlook.earliest < outlook.crosses_at < outlook.latest


def test_a_noisier_scale_gives_wider_bounds_for_the_same_trend() -> None:
    calm = forecast(a_mouse([20.0, 19.6, 19.2, 18.8, 18.4]), day(4), LAB)
    noisy = forecast(a_mouse([20.2, 19.2, 19.4, 18.6, 18.6]), day(4), LAB)
    assert calm.slope_se is not None
    assert noisy.slope_se is not None
    assert calm.slope_se < noisy.slope_se
    assert calm.earliest is not None
    assert noisy.earliest is not None
    assert noisy.earliest < calm.earliest


def test_a_gaining_animal_is_steady_and_its_chance_small() -> None:
    outlook = forecast(a_mouse([18.0, 18.2, 18.4, 18.5]), day(3), LAB)
    assert (outlook.state, outlook.crosses_at) == ("steady", None)
    assert outlook.chance is not None
    assert outlook.chance < 0.05


def test_an_animal_below_its_line_is_not_forecast_to_cross_it() -> None:
    assert forecast(a_mouse([20.0, 18.0, 16.5]), day(2), LAB).state == "below"
    assert forecast(a_mouse([16.0]), day(0), LAB).state == "below"


def test_two_weighings_give_no_trend() -> None:
    outlook = forecast(a_mouse([20.0, 19.0]), day(1), LAB)
    assert (outlook.state, outlook.slope) == ("unknown", None)
    assert outlook.sentence == "No forecast: 2 weighings over 1.0 days are too few for a trend."


def test_three_weighings_within_an_hour_give_no_trend() -> None:
    weighings = [Weighing(START + timedelta(minutes=20 * n), 20.0 - n) for n in range(3)]
    assert forecast(a_mouse(weighings=weighings), day(1), LAB).state == "unknown"


def test_an_unknown_percentage_has_no_forecast() -> None:
    outlook = forecast(a_mouse([20.0, 19.0, 18.0]), day(2), LabPolicy(growth_fraction=0.85))
    assert (outlook.state, outlook.chance) == ("unknown", None)


def test_weighings_before_the_restriction_do_not_count_in_its_trend() -> None:
    before = [Weighing(day(-n), 26.0 + n) for n in (1, 2, 3)]
    after = [Weighing(day(n), 20.0) for n in range(4)]
    outlook = forecast(a_mouse(weighings=[*before, *after]), day(3), LAB)
    assert (outlook.state, outlook.n_weighings) == ("steady", 4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 40), max_size=8), st.floats(0, 1), st.floats(1, 30), st.floats(0.5, 0.99))
def test_any_weights_get_a_forecast_whose_bounds_are_in_order(
    weights: list[float], line: float, horizon_days: float, confidence: float
) -> None:
    at = datetime(2024, 4, 1 + len(weights), 9, tzinfo=UTC)
    outlook = forecast(a_mouse(weights), at, LAB, line=line, horizon_days=horizon_days, confidence=confidence)
    assert outlook.sentence.endswith(".")
    assert "nan" not in outlook.sentence
    if outlook.crosses_at is not None:
        assert outlook.earliest is not None
        assert at <= outlook.earliest <= outlook.crosses_at
        assert outlook.latest is None or outlook.crosses_at <= outlook.latest
