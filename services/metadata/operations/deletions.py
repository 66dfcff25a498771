"""Deleting a row with all that depends on it: the same for every noun of metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final
from uuid import UUID

from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.db.removal import lock_taken, remove
from libs.common.db.restoring import Restored
from libs.common.events import SessionsDeleted, SessionsRestored
from libs.common.permissions import Principal
from libs.common.protection import ProtectedData
from libs.common.schemas.deletions import Deletion
from libs.common.targets import fetch_object_target, fetch_session_targets
from libs.common.visibility import Visibility
from services.metadata.domain.rights import check_may_delete_records
from services.metadata.models import (
    ActionRow,
    Base,
    InsertionRow,
    LabRow,
    ProjectRow,
    SubjectRow,
    TrajectoryRow,
)
from services.metadata.models.dependants import DEPENDANTS
from services.metadata.queries import deletions as queries

PER_EVENT: Final = 500  # sessions
_WITH_AGGREGATES: Final = (
    LabRow,
    ProjectRow,
    SubjectRow,
    ActionRow,
    InsertionRow,
)  # their aggregates go with them


async def delete_row(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    noun: str,
    row: Base,
    *,
    dry_run: bool,
    before: Mapping[str, Any] | None = None,
) -> Deletion:
    """Delete a locked row that the caller may delete, with its dependants; a dry run only counts them.

    Raises Conflict where something refuses, ProtectedData for protected datasets, and Forbidden for a subject with
    records that are not the caller's.
    """
    taken = await lock_taken(tx.session, DEPENDANTS, row)
    await _check_records(tx, by, visibility, {table.name: ids for table, ids in taken.ids.items()})
    session_ids = await queries.fetch_session_ids(tx.session, taken.of(ActionRow))
    object_ids = [*chain.from_iterable(taken.of(model) for model in _WITH_AGGREGATES)]
    protected = await queries.lock_and_list_protected(tx.session, visibility, session_ids, object_ids)
    if protected.count:
        raise ProtectedData(protected.count, protected.names)
    hidden = await queries.count_hidden(tx.session, session_ids, object_ids)
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    deletion = await remove(tx, Service.METADATA, noun, row, taken, hidden=hidden, before=before)
    for start in range(0, len(session_ids), PER_EVENT):
        tx.publish(SessionsDeleted(session_ids=session_ids[start : start + PER_EVENT]))
    return deletion


async def check_restored(tx: Transaction, by: Principal, visibility: Visibility, restored: Restored) -> None:
    """Raises Forbidden where the caller could not delete again what was restored."""
    await _check_records(tx, by, visibility, restored.ids)


async def _check_records(
    tx: Transaction, by: Principal, visibility: Visibility, ids: Mapping[str, Sequence[UUID]]
) -> None:
    """Raises Forbidden for a subject with sessions or other records that the caller may not delete one by one.

    So are the trajectories of a chronic insertion that are of sessions, too.
    ids   of all rows that are deleted or restored together, by table
    """
    action_ids = ids.get(ActionRow.__tablename__, [])
    for subject_id in ids.get(SubjectRow.__tablename__, []):
        target = await fetch_object_target(tx.session, "subject", subject_id)
        targets = await queries.fetch_targets_of_actions(tx.session, action_ids, target)
        session_ids = await queries.fetch_session_ids(tx.session, action_ids)
        is_hidden = await queries.exists_hidden_session(tx.session, visibility, session_ids)
        check_may_delete_records(by, targets, are_visible=not is_hidden)
    session_ids = await queries.fetch_sessions_of_trajectories(
        tx.session, ids.get(TrajectoryRow.__tablename__, []), except_ids=action_ids
    )
    if session_ids:
        of_sessions = await fetch_session_targets(tx.session, session_ids)
        is_hidden = await queries.exists_hidden_session(tx.session, visibility, session_ids)
        check_may_delete_records(by, of_sessions.values(), are_visible=not is_hidden)


async def publish_restored_sessions(tx: Transaction, restored: Restored) -> None:
    """Tell the services that derive rows of sessions that these came back."""
    session_ids = await queries.fetch_session_ids(tx.session, restored.ids.get("actions", []))
    for start in range(0, len(session_ids), PER_EVENT):
        tx.publish(SessionsRestored(session_ids=session_ids[start : start + PER_EVENT]))
