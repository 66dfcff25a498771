"""Channels: changed by users who may change their trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.channels import Channel, ChannelIn
from libs.common.schemas.deletions import Deletion
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.channels import check_places_free
from services.metadata.models import VOID, ChannelRow, TrajectoryRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.trajectories import lock_trajectory_to_edit
from services.metadata.queries import channels as queries
from services.metadata.queries.actions import touch
from services.metadata.queries.lock_order import lock_with_parents

_STORED: Final = StoredFields(ChannelIn, ChannelRow, handled={"trajectory_estimate", "brain_region"})
_NEW: Final = {"brain_region_id": VOID, "name": ""} | dict.fromkeys(
    ("json", "axial", "lateral", "x", "y", "z")
)


async def create_channels(
    tx: Transaction, by: Principal, visibility: Visibility, bodies: Sequence[ChannelIn]
) -> list[Channel]:
    """Create channels, all of them or none; a trajectory has one on each place of the probe."""
    trajectory_ids = [required(body.trajectory_estimate, "trajectory_estimate") for body in bodies]
    await lock_with_parents(tx.session, trajectories=trajectory_ids)
    for trajectory_id in sorted(set(trajectory_ids)):
        touch(await _lock_trajectory(tx, by, visibility, trajectory_id))
    rows: list[dict[str, Any]] = [
        {"id": uuid4(), "trajectory_id": trajectory_id} | _NEW | _values(body)
        for body, trajectory_id in zip(bodies, trajectory_ids, strict=True)
    ]
    await queries.check_regions(tx.session, {row["brain_region_id"] for row in rows})
    n_inserted = await queries.insert_channels(tx.session, rows)
    check_places_free(is_taken=n_inserted < len(rows))
    for row in rows:
        tx.audit("channel.created", "channel", row["id"], after=_audited(row))
    return await queries.fetch_channels(tx.session, visibility, [row["id"] for row in rows])


def _values(body: ChannelIn) -> dict[str, Any]:
    """The columns that a body sets, its trajectory apart; a region of null is outside the brain."""
    values = _STORED.values(body)
    if "brain_region" in body.model_fields_set:
        values["brain_region_id"] = VOID if body.brain_region is None else body.brain_region
    return values


def _audited(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("brain_region_id", "axial", "lateral")} | {
        "trajectory_id": str(row["trajectory_id"])
    }


async def update_channel(
    tx: Transaction, by: Principal, visibility: Visibility, channel_id: UUID, body: ChannelIn
) -> Channel:
    """Update a channel; absent fields keep their value."""
    await lock_with_parents(tx.session, trajectories=[body.trajectory_estimate], channels=[channel_id])
    row, trajectory = await lock_channel_to_edit(tx, by, visibility, channel_id)
    values = _values(body)
    await queries.check_regions(tx.session, {values.get("brain_region_id", VOID)})
    if body.trajectory_estimate is not None and body.trajectory_estimate != row.trajectory_id:
        touch(await _lock_trajectory(tx, by, visibility, body.trajectory_estimate))
        values["trajectory_id"] = body.trajectory_estimate
    check_places_free(is_taken=await queries.exists_channel(tx.session, row, values))
    touch(trajectory)
    await update_row(tx, "channel", row, values)
    [channel] = await queries.fetch_channels(tx.session, visibility, [row.id])
    return channel


async def delete_channel(
    tx: Transaction, by: Principal, visibility: Visibility, channel_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a channel."""
    row, trajectory = await lock_channel_to_edit(tx, by, visibility, channel_id)
    if not dry_run:
        touch(trajectory)
    return await delete_row(tx, by, visibility, "channel", row, dry_run=dry_run)


async def _lock_trajectory(
    tx: Transaction, by: Principal, visibility: Visibility, trajectory_id: UUID
) -> TrajectoryRow:
    """The trajectory that a body names, locked. Raises UnknownReference and Forbidden."""
    try:
        return await lock_trajectory_to_edit(tx, by, visibility, trajectory_id)
    except NotFound:
        raise UnknownReference("trajectory_estimate", trajectory_id, key="pk") from None


async def lock_channel_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, channel_id: UUID
) -> tuple[ChannelRow, TrajectoryRow]:
    """A channel that the caller may change and its trajectory, locked. Raises NotFound and Forbidden."""
    await lock_with_parents(tx.session, channels=[channel_id])
    row = await queries.lock_channel(tx.session, channel_id)
    try:
        return row, await lock_trajectory_to_edit(tx, by, visibility, row.trajectory_id)
    except NotFound:
        raise NotFound(f"There is no channel {channel_id}.") from None
