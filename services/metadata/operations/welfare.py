"""How animals stand now, by the welfare rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from cingulum.welfare import Assessment, History, InvalidHistory, assess, assess_many
from services.metadata import domain
from services.metadata.operations.clock import day_of
from services.metadata.queries import subjects as queries

KINDS = ("weights", "waters", "surgeries", "restrictions")
Rows = Sequence[Mapping[str, Any]]
_IMPOSSIBLE = (InvalidHistory, OverflowError)  # a record that no animal, or no calendar, can have
Histories = Mapping[str, Mapping[UUID, list[Any]]]


async def with_standing(read: AsyncSession, rows: Rows) -> list[dict[str, Any]]:
    """Rows of animals with what the welfare rules say of each now; null where a record cannot be an animal's."""
    now = datetime.now(UTC)
    histories = await queries.histories(read, [row["id"] for row in rows])
    return await asyncio.to_thread(
        _told, rows, histories, now
    )  # 250 animals take longer than the loop may wait


def _told(rows: Rows, histories: Histories, now: datetime) -> list[dict[str, Any]]:
    standings = _standings(rows, histories, now)
    told = []
    for row in rows:
        standing = standings.get(row["id"])
        restrictions = histories["restrictions"].get(row["id"], [])
        weights = histories["weights"].get(row["id"], [])
        zone = ZoneInfo(row["timezone"] or "UTC")
        today = now.astimezone(zone).date()
        told.append(
            {
                **row,
                "age_weeks": domain.age_weeks(row["birth_date"], row["death_date"], today),
                "alive": row["death_date"] is None or row["death_date"] > today,
                "last_water_restriction": restrictions[-1].start_time if restrictions else None,
                "reference_weight": standing.reference_weighing_g if standing else None,
                "expected_water": standing.expected_water_ml if standing else None,
                "remaining_water": standing.remaining_water_ml if standing else None,
                "weight": standing.last_weight_g if standing else None,
                "last_weighed": day_of(weights[-1].date_time_at, zone) if weights else None,
                "expected_weight": standing.expected_weight_g if standing else None,
                "min_weight": standing.min_weight_g if standing else None,
                "endpoint_weight": endpoint_weight_g(standing) if standing else None,
                "percentage_weight": standing.percentage_weight if standing else None,
                "is_water_restricted": standing.is_water_restricted if standing else True,
            }
        )
    return told


def endpoint_weight_g(now: Assessment) -> float | None:
    """The weight below which the experiment must end, implant included; None where nobody can tell."""
    if now.expected_weight_g is None:
        return None
    return now.endpoint_line * (now.expected_weight_g - now.implant_weight_g) + now.implant_weight_g


def _standings(rows: Rows, histories: Histories, now: datetime) -> dict[UUID, Assessment]:
    """The animals of one policy are assessed in one pass."""
    herds: dict[Any, dict[UUID, History]] = {}
    for row in rows:
        parts = (histories[kind].get(row["id"], []) for kind in KINDS)
        try:
            history = domain.animal_history(row, *parts)
        except _IMPOSSIBLE:
            continue
        herds.setdefault(domain.lab_policy(row), {})[row["id"]] = history
    found: dict[UUID, Assessment] = {}
    for policy, herd in herds.items():
        try:
            found |= zip(herd, assess_many(herd.values(), now, policy), strict=True)
        except _IMPOSSIBLE:
            found |= _one_by_one(herd, now, policy)
    return found


def _one_by_one(herd: Mapping[UUID, History], now: datetime, policy: Any) -> dict[UUID, Assessment]:
    """One animal's impossible record must not hide the others' needs."""
    found = {}
    for which, history in herd.items():
        try:
            found[which] = assess(history, now, policy)
        except _IMPOSSIBLE:
            continue
    return found
