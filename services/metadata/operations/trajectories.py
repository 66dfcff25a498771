"""Trajectories: changed by users who may change the session, or the chronic insertion."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.states import ActionKind
from libs.common.schemas.trajectories import Trajectory, TrajectoryIn
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.insertions import check_same_subject
from services.metadata.domain.trajectories import (
    check_has_insertion,
    check_provenance_free,
    check_states_line,
)
from services.metadata.models import TrajectoryRow
from services.metadata.operations.actions import lock_to_edit
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.insertions import lock_insertion_to_edit
from services.metadata.queries import references
from services.metadata.queries import trajectories as queries
from services.metadata.queries.actions import touch
from services.metadata.queries.lock_order import lock_with_parents
from services.metadata.queries.references import Vocabulary

_OWNERS: Final = {"probe_insertion": "insertion_id", "chronic_insertion": "chronic_insertion_id"}
_STORED: Final = StoredFields(
    TrajectoryIn, TrajectoryRow, handled={"probe_insertion", "chronic_insertion", "coordinate_system"}
)


async def create_trajectory(
    tx: Transaction, by: Principal, visibility: Visibility, body: TrajectoryIn, base_url: str
) -> Trajectory:
    """Create a trajectory; a probe has one of each provenance."""
    required(body.provenance, "provenance")
    check_states_line(body.model_fields_set)
    row = TrajectoryRow(id=uuid4())
    await _lock_owners(tx, body)
    values = await _values(tx, by, visibility, body, row)
    for name, value in values.items():
        setattr(row, name, value)
    await create_row(tx, "trajectory", row, values)
    return await queries.fetch_trajectory(tx.session, visibility, row.id, base_url)


async def update_trajectory(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    trajectory_id: UUID,
    body: TrajectoryIn,
    base_url: str,
    *,
    is_whole: bool,
) -> Trajectory:
    """Update a trajectory; absent fields keep their value, the insertion too. A whole one states its line."""
    await _lock_owners(tx, body, trajectory_id)
    row = await lock_trajectory_to_edit(tx, by, visibility, trajectory_id)
    if is_whole:
        check_states_line(body.model_fields_set)
    values = await _values(tx, by, visibility, body, row)
    touch(row)
    await update_row(tx, "trajectory", row, values)
    return await queries.fetch_trajectory(tx.session, visibility, row.id, base_url)


async def _lock_owners(tx: Transaction, body: TrajectoryIn, trajectory_id: UUID | None = None) -> None:
    """Lock a trajectory with what it belongs to, before and after a change."""
    await lock_with_parents(
        tx.session,
        actions=[body.chronic_insertion],
        insertions=[body.probe_insertion],
        trajectories=[trajectory_id],
    )


async def _values(
    tx: Transaction, by: Principal, visibility: Visibility, body: TrajectoryIn, row: TrajectoryRow
) -> dict[str, Any]:
    """The columns that a body sets. Raises BadRequest, also for a provenance that the probe has already."""
    values = _STORED.values(body)
    changed = False
    for field, column in _OWNERS.items():
        if field in body.model_fields_set:
            values[column] = getattr(body, field) or await _kept_owner(tx, visibility, field, row)
            if values[column] not in {None, getattr(row, column)}:
                await _check_owner(tx, by, visibility, field, values[column])
                changed = True
    if "coordinate_system" in body.model_fields_set:
        values["coordinate_system_id"] = await references.fetch_term_id(
            tx.session, Vocabulary.COORDINATE_SYSTEM, body.coordinate_system, "coordinate_system"
        )
    insertion_id, chronic_insertion_id, provenance = (
        values.get(column, getattr(row, column)) for column in (*_OWNERS.values(), "provenance")
    )
    check_has_insertion(insertion_id, chronic_insertion_id)
    if insertion_id and chronic_insertion_id and changed:
        subjects = await queries.fetch_subjects_of_owners(tx.session, insertion_id, chronic_insertion_id)
        check_same_subject(*subjects)
    is_taken = await queries.exists_trajectory(
        tx.session, insertion_id, chronic_insertion_id, provenance, other_than=row.id
    )
    check_provenance_free(is_taken=is_taken)
    return values


async def _kept_owner(tx: Transaction, visibility: Visibility, field: str, row: TrajectoryRow) -> UUID | None:
    """The insertion that stays when a body clears the field: a chronic one that the caller is not shown."""
    if field != "chronic_insertion":
        return None
    return await references.find_kept_action_id(tx.session, visibility, row.chronic_insertion_id)


async def _check_owner(
    tx: Transaction, by: Principal, visibility: Visibility, field: str, owner_id: UUID
) -> None:
    """Raises UnknownReference or Forbidden unless the caller may change the insertion that a body names."""
    try:
        if field == "probe_insertion":
            await lock_insertion_to_edit(tx, by, visibility, owner_id)
        else:
            await lock_to_edit(tx, by, visibility, ActionKind.CHRONIC_INSERTION, owner_id)
    except NotFound:
        raise UnknownReference(field, owner_id, key="pk") from None


async def lock_trajectory_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, trajectory_id: UUID
) -> TrajectoryRow:
    """A trajectory that the caller may change, locked. Raises NotFound and Forbidden."""
    await lock_with_parents(tx.session, trajectories=[trajectory_id])
    row = await queries.lock_trajectory(tx.session, visibility, trajectory_id)
    if row.insertion_id is not None:
        await lock_insertion_to_edit(tx, by, visibility, row.insertion_id)
    elif row.chronic_insertion_id is not None:
        await lock_to_edit(tx, by, visibility, ActionKind.CHRONIC_INSERTION, row.chronic_insertion_id)
    return row


async def delete_trajectory(
    tx: Transaction, by: Principal, visibility: Visibility, trajectory_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a trajectory with its channels."""
    row = await lock_trajectory_to_edit(tx, by, visibility, trajectory_id)
    return await delete_row(tx, by, visibility, "trajectory", row, dry_run=dry_run)
