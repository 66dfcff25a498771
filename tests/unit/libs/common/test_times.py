"""Alyx's times: answered verbatim, and meant exactly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.common.schemas.labs import LabIn
from libs.common.schemas.times import BadTime, alyx_time


def test_an_ambiguous_hour_is_the_first() -> None:
    time = alyx_time("2020-10-25T01:30:00", "Europe/London")
    assert time.text == "2020-10-25T01:30:00"
    assert time.at == datetime(2020, 10, 25, 0, 30, tzinfo=UTC)


def test_the_folder_day_is_the_labs_day() -> None:
    assert str(alyx_time("2020-08-21T23:30:00", "America/New_York").day) == "2020-08-21"


@given(st.datetimes())
def test_a_naive_time_is_returned_unchanged(moment: datetime) -> None:
    if not 1900 <= moment.year < 2200:
        with pytest.raises(BadTime, match="years 1900 to 2199"):
            alyx_time(moment.isoformat(), "America/New_York")
        return
    time = alyx_time(moment.isoformat(), "America/New_York")
    assert time.text == moment.isoformat()
    assert time.day == moment.date()


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "NaN", "0001-01-01T00:00:00+14:00"])
def test_an_invalid_time_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        alyx_time(text, "Europe/London")


@pytest.mark.parametrize("name", ["Europe", "Europe/Nowhere", "../etc/passwd", "/etc", "", "x" * 65, "a\0b"])
def test_an_invalid_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        LabIn(timezone=name)


def test_a_time_zone_is_an_iana_name() -> None:
    assert LabIn(timezone="Europe/London").timezone == "Europe/London"
