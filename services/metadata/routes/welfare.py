"""An animal's weights and water, day by day."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from cingulum.welfare import Assessment, InvalidHistory, daily
from libs.common.auth import Sees
from libs.common.db import IdempotentRoute, Reading
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas.colony import WaterDay, WaterRequirement
from services.metadata import domain
from services.metadata.models import SubjectRow
from services.metadata.operations.clock import day_of, time_of
from services.metadata.operations.welfare import endpoint_weight_g
from services.metadata.queries import house
from services.metadata.queries import subjects as queries

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
MOST_DAYS = 3_700  # ten years: no mouse lives longer
Filter = Annotated[str | None, Query()]


def _day(field: str, text: str | None) -> date | None:
    return time_of(text, "UTC", field).day if text else None


def _first_day(histories: dict[str, Any], which: Any, zone: ZoneInfo, otherwise: date) -> date:
    times = [row.date_time_at for kind in ("weights", "waters") for row in histories[kind].get(which, [])[:1]]
    times += [row.start_at for row in histories["restrictions"].get(which, [])[:1] if row.start_at]
    return day_of(min(times), zone) if times else otherwise


def _record(day: date, now: Assessment) -> WaterDay:
    return WaterDay(
        date=day,
        weight=now.last_weight_g,
        weighing_at=now.weighed_on_day_g,
        reference_weight=now.reference_weighing_g,
        expected_weight=now.expected_weight_g,
        min_weight=now.min_weight_g,
        percentage_weight=now.percentage_weight,
        given_water_reward=now.given_water_session_ml,
        given_water_supplement=now.given_water_supplement_ml,
        given_water_total=now.given_water_total_ml,
        expected_water=now.expected_water_ml,
        excess_water=now.excess_water_ml,
        is_water_restricted=now.is_water_restricted,
        implant_weight=now.implant_weight_g,
        endpoint_weight=endpoint_weight_g(now),
    )


@router.get("/water-requirement/{nickname}", responses=problems(NotFound, BadRequest, Conflict))
async def read_requirement(
    nickname: str, seen: Sees, read: Reading, start_date: Filter = None, end_date: Filter = None
) -> WaterRequirement:
    """One record a day of the animal's lab, both ends included; from its first weighing or water to today."""
    newest = queries.subjects(seen).order_by(None).order_by(SubjectRow.created_at.desc())
    animal = await house.one(read, newest, SubjectRow.nickname == nickname)
    if animal is None:
        raise NotFound(f"There is no subject '{nickname}'.")
    which, zone = animal["id"], ZoneInfo(animal["timezone"] or "UTC")
    histories = await queries.histories(read, [which])
    last = _day("end_date", end_date) or datetime.now(zone).date()
    first = _day("start_date", start_date) or _first_day(histories, which, zone, last)
    if last - first >= timedelta(days=MOST_DAYS):
        raise BadRequest(fields={"start_date": [f"At most {MOST_DAYS} days may be asked for at once."]})
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    parts = (histories[kind].get(which, []) for kind in ("weights", "waters", "surgeries", "restrictions"))
    policy = domain.lab_policy(animal)
    try:
        history = domain.animal_history(animal, *parts)
        found = await asyncio.to_thread(daily, history, days, policy) if days else []
    except InvalidHistory as error:
        raise Conflict(f"The record of '{nickname}' holds what no animal can have: {error}.") from error
    return WaterRequirement(
        subject=animal["nickname"],
        implant_weight=found[-1].implant_weight_g if found else 0.0,
        reference_weight_pct=animal["reference_weight_pct"] or 0.0,
        zscore_weight_pct=animal["zscore_weight_pct"] or 0.0,
        records=[_record(day, now) for day, now in zip(days, found, strict=True)],
    )
