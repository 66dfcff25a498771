"""Derived jobs of many sessions, read without locks and compared with what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.worker.pipelines.matching import TaskScope
from libs.common.db import ReadSession
from libs.common.db.json_pages import request_value
from services.scheduler.domain.facts import JobValue
from services.scheduler.domain.graph import Slot
from services.scheduler.domain.steering import Placement
from services.scheduler.models import JobRow, ReadyRow
from services.scheduler.queries.jobs import job_value


@dataclass(frozen=True)
class PlacedJob:
    """A derived job, and where it is listed as ready."""

    slot: Slot
    value: JobValue
    placement: Placement


async def fetch_derived_jobs(
    session: ReadSession, session_ids: Sequence[UUID]
) -> dict[UUID, list[PlacedJob]]:
    """The derived jobs of those sessions, by session."""
    jobs: dict[UUID, list[PlacedJob]] = {}
    for row in await session.execute(_select_derived(), {"session_ids": session_ids}):
        placement = Placement(frozenset(row.sites), frozenset(map(str, row.outside_pool)), row.are_coming)
        slot = Slot(row.task, TaskScope(str(row.session_id), row.probe))
        jobs.setdefault(row.session_id, []).append(PlacedJob(slot, job_value(row), placement))
    return jobs


@cache
def _select_derived() -> sa.Select[Any]:
    sites = sa.select(ReadyRow.site).where(ReadyRow.job_id == JobRow.id).correlate(JobRow)
    session_ids = request_value("session_ids", sa.ARRAY(sa.Uuid))
    return sa.select(
        *(column for column in JobRow.__table__.c if column.name not in {"log", "inputs"}),
        sa.func.array(sites.scalar_subquery(), type_=sa.ARRAY(sa.Text)).label("sites"),
    ).where(JobRow.session_id == sa.any_(session_ids), JobRow.is_derived)
