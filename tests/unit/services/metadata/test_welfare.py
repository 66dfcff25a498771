"""How subjects stand: their records as the welfare rules take them, and what is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from cingulum.welfare import LabPolicy, assess
from libs.common.problem import BadRequest
from services.metadata.domain.welfare import (
    MOST_DAYS,
    Animal,
    Records,
    RestrictionRecord,
    SurgeryRecord,
    WaterRecord,
    WeighingRecord,
    days_between,
    first_day,
    history_of,
    standings,
)

NOW = datetime(2024, 3, 8, 12, tzinfo=UTC)
ANIMAL = Animal("KS001", "F", date(2024, 1, 1), None, "Europe/London", 0.85, None)
START = NOW - timedelta(days=5)
RECORDS = Records(
    weighings=[WeighingRecord(START, 25.0), WeighingRecord(NOW - timedelta(days=1), 21.0)],
    waters=[WaterRecord(NOW, 0.4, None)],
    restrictions=[RestrictionRecord("2024-03-03T12:00:00", START, None, 25.0)],
)


def test_what_is_shown_are_the_numbers_of_the_welfare_rules() -> None:
    subject_id = uuid4()
    standing = standings({subject_id: ANIMAL}, {subject_id: RECORDS}, NOW)[subject_id]
    assessment = assess(history_of(ANIMAL, RECORDS), NOW, LabPolicy(reference_fraction=0.85))
    assert standing.reference_weight == assessment.reference_weight_minus_implant_g == 25.0
    assert standing.remaining_water == assessment.remaining_water_ml
    assert standing.min_weight == assessment.min_weight_g
    assert (standing.alive, standing.age_weeks) == (True, 9)
    assert standing.last_water_restriction == "2024-03-03T12:00:00"
    assert standing.last_weighed == date(2024, 3, 7)


def test_an_animal_without_records_is_unknown_and_not_zero() -> None:
    subject_id = uuid4()
    standing = standings({subject_id: ANIMAL}, {}, NOW)[subject_id]
    assert (standing.weight, standing.expected_water, standing.last_weighed) == (None, None, None)


def test_an_impossible_record_hides_the_numbers_of_its_animal_only() -> None:
    broken, whole = uuid4(), uuid4()
    impossible = Records(weighings=[WeighingRecord(datetime(1, 1, 1, tzinfo=UTC), 20.0)])
    shown = standings({broken: ANIMAL, whole: ANIMAL}, {broken: impossible, whole: RECORDS}, NOW)
    assert shown[broken].weight is None
    assert shown[broken].is_water_restricted is True  # unknown: never shown as free of needs
    assert shown[whole].weight == 21.0


def test_implants_are_surgeries_with_a_known_weight_and_zero_is_known() -> None:
    surgeries = [SurgeryRecord(START, 1.5), SurgeryRecord(START, None), SurgeryRecord(NOW, 0.0)]
    history = history_of(ANIMAL, Records(surgeries=surgeries))
    assert [implant.weight_g for implant in history.implants] == [1.5, 0.0]


def test_the_first_day_is_that_of_the_first_record_on_the_labs_clock() -> None:
    zone = ZoneInfo("Asia/Tokyo")
    late = datetime(2024, 3, 1, 23, tzinfo=UTC)
    assert first_day(Records(waters=[WaterRecord(late, 1.0, None)]), zone) == date(2024, 3, 2)
    assert first_day(RECORDS, ZoneInfo("UTC")) == START.date()
    assert first_day(Records(), zone) is None


def test_more_days_than_a_life_has_are_refused() -> None:
    first = date(2010, 1, 1)
    assert len(days_between(first, first + timedelta(days=MOST_DAYS - 1))) == MOST_DAYS
    with pytest.raises(BadRequest) as refusal:
        days_between(first, first + timedelta(days=MOST_DAYS))
    assert "start_date" in refusal.value.body()


def test_no_days_where_the_last_comes_first() -> None:
    assert days_between(date(2024, 3, 2), date(2024, 3, 1)) == []
