"""Times on the clock of a lab."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from libs.common.problem import BadRequest
from services.metadata.domain.clock import day_of, parse_time, time_or_now

NOW = datetime(2024, 7, 1, 23, 30, tzinfo=UTC)


def test_a_time_of_no_calendar_is_refused_by_field() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_time("tomorrow", "UTC", "start_time")
    assert "start_time" in refusal.value.body()


def test_without_a_time_it_is_now_on_the_labs_clock() -> None:
    assert time_or_now(None, "Europe/London", "date_time", NOW).text == "2024-07-02T00:30:00"
    assert time_or_now("2024-01-01", "Europe/London", "date_time", NOW).text == "2024-01-01T00:00:00"


def test_an_instant_that_no_clock_shows_has_its_day_in_utc() -> None:
    assert day_of(NOW, ZoneInfo("Europe/London")) == date(2024, 7, 2)
    first = datetime(1, 1, 1, tzinfo=UTC)
    assert day_of(first, ZoneInfo("America/New_York")) == date(1, 1, 1)
