"""How subjects stand, by the welfare rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

from cingulum.welfare import Assessment, InvalidHistory, daily
from libs.common.db import ReadSession
from libs.common.problem import Conflict
from libs.common.schemas.welfare import WaterDay, WaterRequirement
from libs.common.visibility import Visibility
from services.metadata.domain.clock import parse_time
from services.metadata.domain.welfare import (
    Animal,
    Records,
    Standing,
    days_between,
    endpoint_weight_g,
    first_day,
    history_of,
    standings,
)
from services.metadata.operations.subject_names import fetch_named
from services.metadata.queries.subjects import fetch_subject
from services.metadata.queries.welfare import fetch_records


async def fetch_standings(session: ReadSession, animals: Mapping[UUID, Animal]) -> dict[UUID, Standing]:
    """How subjects stand now."""
    records = await fetch_records(session, list(animals))
    # 250 animals take longer than the event loop may be blocked.
    return await asyncio.to_thread(standings, animals, records, datetime.now(UTC))


async def read_requirement(
    session: ReadSession,
    visibility: Visibility,
    nickname: str,
    start_date: str | None,
    end_date: str | None,
) -> WaterRequirement:
    """A subject's weights and water per day of its lab, by default from its first weighing or water to today.

    Raises NotFound, BadRequest, and Conflict for a record that no animal can have.
    """
    named = await fetch_named(session, visibility, nickname)
    subject = await fetch_subject(session, visibility, named.id)
    animal = subject.animal
    records = (await fetch_records(session, [subject.id]))[subject.id]
    last = _day("end_date", end_date) or datetime.now(animal.zone).date()
    first = _day("start_date", start_date) or first_day(records, animal.zone) or last
    days = days_between(first, last)
    assessments = await _assess_days(animal, records, days)
    return WaterRequirement(
        subject=animal.nickname,
        implant_weight=assessments[-1].implant_weight_g if assessments else 0.0,
        reference_weight_pct=animal.reference_weight_pct or 0.0,
        zscore_weight_pct=animal.zscore_weight_pct or 0.0,
        records=[_water_day(day, assessment) for day, assessment in zip(days, assessments, strict=True)],
    )


async def _assess_days(animal: Animal, records: Records, days: list[date]) -> list[Assessment]:
    try:
        history = history_of(animal, records)
        return await asyncio.to_thread(daily, history, days, animal.policy) if days else []
    except InvalidHistory as error:
        text = f"The records of '{animal.nickname}' contain impossible values: {error}."
        raise Conflict(text) from error


def _day(field: str, text: str | None) -> date | None:
    return parse_time(text, "UTC", field).day if text else None


def _water_day(day: date, assessment: Assessment) -> WaterDay:
    return WaterDay(
        date=day,
        weight=assessment.last_weight_g,
        weighing_at=assessment.weighed_on_day_g,
        reference_weight=assessment.reference_weight_minus_implant_g,
        expected_weight=assessment.expected_weight_g,
        min_weight=assessment.min_weight_g,
        percentage_weight=assessment.percentage_weight,
        given_water_reward=assessment.given_water_session_ml,
        given_water_supplement=assessment.given_water_supplement_ml,
        given_water_total=assessment.given_water_total_ml,
        expected_water=assessment.expected_water_ml,
        excess_water=assessment.excess_water_ml,
        is_water_restricted=assessment.is_water_restricted,
        implant_weight=assessment.implant_weight_g,
        endpoint_weight=endpoint_weight_g(assessment),
    )
