"""Rules of sessions, surgeries and water restrictions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from libs.common.problem import BadRequest
from libs.common.schemas.times import alyx_time
from services.metadata.domain.actions import (
    check_times,
    end_at_death,
    is_death,
    reference_weight_of,
    twin_notice,
)
from services.metadata.domain.water_administrations import check_alive

START = datetime(2024, 3, 5, 9, tzinfo=UTC)
DEATH = alyx_time("2024-03-05", "UTC")


@pytest.mark.parametrize("end", [None, START, START + timedelta(hours=1)])
def test_an_action_ends_at_its_start_or_later_or_is_open(end: datetime | None) -> None:
    check_times(START, end)


def test_an_action_that_ends_before_its_start_is_refused() -> None:
    with pytest.raises(BadRequest) as refusal:
        check_times(START, START - timedelta(seconds=1))
    assert refusal.value.body()["end_time"] == ["It ends before it starts."]


@pytest.mark.parametrize(
    ("outcome", "end", "death", "expected"),
    [
        ("a", "2024-03-05T10:00:00", None, True),
        ("n", "2024-03-05T10:00:00", None, True),
        ("r", "2024-03-05T10:00:00", None, False),
        (None, "2024-03-05T10:00:00", None, False),
        ("n", None, None, False),
        ("n", "2024-03-05T10:00:00", date(2024, 3, 1), False),
    ],
)
def test_an_ended_surgery_without_recovery_is_a_death(
    outcome: str | None, end: str | None, death: date | None, expected: bool
) -> None:
    assert is_death(outcome, end, death) is expected


def test_a_restriction_ends_at_midnight_of_the_day_of_death() -> None:
    before = START - timedelta(days=1)
    assert end_at_death("2024-03-04T09:00:00", before, DEATH) == (DEATH.text, DEATH.at)


def test_a_restriction_that_started_after_that_midnight_ends_where_it_started() -> None:
    assert end_at_death("2024-03-05T09:00:00", START, DEATH) == ("2024-03-05T09:00:00", START)


def test_a_restriction_copies_the_last_weight_or_is_refused() -> None:
    assert reference_weight_of(23.0) == 23.0
    with pytest.raises(BadRequest) as refusal:
        reference_weight_of(None)
    assert "7 days" in refusal.value.body()["reference_weight"][0]


def test_a_notice_counts_twin_sessions_and_is_absent_without_any() -> None:
    assert twin_notice(0) is None
    assert twin_notice(2) == "!!!2 other session(s) of this subject have the same date and number"


def test_water_is_refused_after_the_day_of_death() -> None:
    check_alive("KS001", date(2024, 3, 5), date(2024, 3, 5))
    check_alive("KS001", None, date(2024, 3, 6))
    with pytest.raises(BadRequest) as refusal:
        check_alive("KS001", date(2024, 3, 5), date(2024, 3, 6))
    assert refusal.value.body()["date_time"] == ["'KS001' died on 2024-03-05."]
