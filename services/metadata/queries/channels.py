"""Channels: as visible as their trajectory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.channels import Channel
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import BrainRegionRow, ChannelRow, TrajectoryRow
from services.metadata.queries.list_filters.channels import ChannelFilters
from services.metadata.queries.trajectories import join_sessions


def _select_channels(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    stored = ("id", "name", "json", "axial", "lateral", "x", "y", "z")
    columns: list[Any] = [
        *(ChannelRow.__table__.c[name] for name in stored),
        ChannelRow.trajectory_id.label("trajectory_estimate"),
        ChannelRow.brain_region_id.label("brain_region"),
    ]
    return (
        join_sessions(sa.select(*columns).join(TrajectoryRow), visibility)
        .where(ChannelRow.deleted_at.is_(None), *conditions)
        .order_by(ChannelRow.trajectory_id, ChannelRow.axial, ChannelRow.lateral, ChannelRow.id)
    )


async def list_channels(
    session: ReadSession, visibility: Visibility, filters: ChannelFilters, paging: PageRequest
) -> tuple[int, list[Channel]]:
    """A page of channels by trajectory and place on the probe, and the count of all."""
    statement = _select_channels(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [Channel.model_validate(row) for row in rows]


async def fetch_channels(
    session: ReadSession, visibility: Visibility, channel_ids: Sequence[UUID]
) -> list[Channel]:
    """Channels in the order of their ids. Raises NotFound for the first that is missing."""
    rows = await session.execute(_select_channels(visibility, ChannelRow.id.in_(channel_ids)))
    channels = {row["id"]: Channel.model_validate(row) for row in rows.mappings()}
    for channel_id in channel_ids:
        if channel_id not in channels:
            raise NotFound(f"There is no channel {channel_id}.")
    return [channels[channel_id] for channel_id in channel_ids]


async def lock_channel(session: WriteSession, channel_id: UUID) -> ChannelRow:
    """A channel, locked; the caller checks its trajectory. Raises NotFound."""
    statement = sa.select(ChannelRow).where(ChannelRow.id == channel_id, ChannelRow.deleted_at.is_(None))
    row = (await session.scalars(statement.with_for_update())).one_or_none()
    if row is None:
        raise NotFound(f"There is no channel {channel_id}.")
    return row


async def check_regions(session: ReadSession, region_ids: Collection[int]) -> None:
    """Raises UnknownReference for an id that no brain region has."""
    known = set(await session.scalars(sa.select(BrainRegionRow.id).where(BrainRegionRow.id.in_(region_ids))))
    for region_id in region_ids:
        if region_id not in known:
            raise UnknownReference("brain_region", region_id, key="pk")


async def insert_channels(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert channels that have the same columns; returns how many were inserted.

    One on a place that its trajectory has a channel on already is left out.
    """
    if not rows:
        return 0
    statement = insert(ChannelRow).on_conflict_do_nothing().returning(ChannelRow.id)
    inserted = await session.scalars(statement, list(rows))
    return len(inserted.all())


async def exists_channel(session: ReadSession, row: ChannelRow, values: Mapping[str, Any]) -> bool:
    """Whether another channel is on the place that a channel gets by a change."""
    place = {name: values.get(name, getattr(row, name)) for name in ("trajectory_id", "axial", "lateral")}
    if None in place.values():
        return False  # as in the unique index, where null is no place
    columns = ChannelRow.__table__.c
    other = sa.exists().where(
        *(columns[name] == value for name, value in place.items()),
        ChannelRow.id != row.id,
        ChannelRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(other)))
