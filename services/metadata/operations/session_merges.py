"""Merges of sessions: what the others have moves to the one that stays, and they are deleted, all of it undoable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.moving import move_back, move_rows
from libs.common.db.removal import hide_rows
from libs.common.db.restoring import Restored, restore
from libs.common.db.transaction import AuditedAction
from libs.common.events import SessionsMerged, SessionsUnmerged
from libs.common.permissions import Principal
from libs.common.problem import Conflict, NotFound, UnknownReference
from libs.common.protection import ProtectedData
from libs.common.schemas.administration import AuditEntry
from libs.common.schemas.session_merges import SessionMerge, SessionMergeIn
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.domain.rights import check_keeps_access
from services.metadata.domain.session_merges import (
    Obstacles,
    check_body,
    check_may_merge,
    fields_not_taken,
    shared_names,
)
from services.metadata.models import ActionRow, SessionMergeRow
from services.metadata.models.dependants import DEPENDANTS
from services.metadata.operations.actions import lock_to_edit
from services.metadata.queries import merged_sessions as queries
from services.metadata.queries.actions import fetch_action_target, touch
from services.metadata.queries.deletions import lock_and_list_protected
from services.metadata.queries.imaging_stacks import (
    exists_stack_of_several_sessions,
    lock_stacks_of_fields_of_view,
)
from services.metadata.queries.lock_order import lock_with_parents
from services.metadata.queries.session_merges import (
    fetch_later_sessions,
    find_and_lock_merge,
    insert_merge,
)
from services.metadata.queries.sessions import fetch_fields_of_sessions

MERGED: Final = "session.merged"
_ACTIONS: Final[Any] = ActionRow.__table__


async def merge_sessions(
    tx: Transaction, by: Principal, visibility: Visibility, body: SessionMergeIn, *, dry_run: bool
) -> SessionMerge:
    """Merge sessions into one of them; a dry run only counts. Raises Conflict and ProtectedData where it is refused."""
    session_ids = check_body(body)
    stays = await _lock_sessions(tx, by, visibility, body.into, session_ids)
    earlier = await queries.fetch_earlier_sessions(tx.session, [stays.id, *session_ids])
    await _check_may_merge(tx, by, visibility, stays, session_ids, earlier)
    moved, not_moved = await queries.count_rows_to_move(tx.session, session_ids, stays.id, earlier)
    shown = await fetch_fields_of_sessions(tx.session, visibility, [stays.id, *session_ids])
    not_taken = [
        row for session_id in session_ids for row in fields_not_taken(shown[stays.id], shown[session_id])
    ]
    merge = SessionMerge(
        id=None,
        into=stays.id,
        sessions=session_ids,
        moved=moved,
        not_moved=not_moved,
        not_taken=not_taken,
        is_dry_run=True,
        undo=None,
        created_at=None,
        created_by=None,
        undone_at=None,
    )
    return merge if dry_run else await _carry_out(tx, by, stays, merge)


async def _lock_sessions(
    tx: Transaction, by: Principal, visibility: Visibility, into: UUID, session_ids: Sequence[UUID]
) -> ActionRow:
    """Lock the sessions and those whose parent they are; the one that stays. Raises UnknownReference, Forbidden."""
    child_ids = await queries.fetch_child_ids(tx.session, session_ids)
    await lock_with_parents(tx.session, actions={into, *session_ids, *child_ids})
    for session_id in session_ids:
        await _lock_named(tx, by, visibility, "sessions", session_id)
    return await _lock_named(tx, by, visibility, "into", into)


async def _lock_named(
    tx: Transaction, by: Principal, visibility: Visibility, field: str, session_id: UUID
) -> ActionRow:
    try:
        row, _, _ = await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)
    except NotFound:
        raise UnknownReference(field, session_id, key="pk") from None
    return row


async def _check_may_merge(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    stays: ActionRow,
    session_ids: Sequence[UUID],
    earlier: Mapping[UUID, UUID],
) -> None:
    all_ids = [stays.id, *session_ids]
    facts = await queries.fetch_session_facts(tx.session, all_ids)
    names = await queries.fetch_names_in_sessions(tx.session, all_ids, earlier)
    obstacles = Obstacles(
        shared={kind: shared_names(rows) for kind, rows in names.items()},
        n_running=await queries.count_running_jobs(tx.session, all_ids),
        are_related=await queries.exists_ancestor_among(tx.session, all_ids),
    )
    check_may_merge(facts[stays.id], [facts[session_id] for session_id in session_ids], obstacles)
    before = await fetch_action_target(tx.session, stays)
    project_ids = await queries.fetch_project_ids_of_sessions(tx.session, all_ids)
    check_keeps_access(by, before, replace(before, project_ids=project_ids))
    protected = await lock_and_list_protected(tx.session, visibility, session_ids, [])
    if protected.count:
        raise ProtectedData(protected.count, protected.names)


async def _carry_out(tx: Transaction, by: Principal, stays: ActionRow, merge: SessionMerge) -> SessionMerge:
    merge_id = uuid4()
    n_sessions = {"session": len(merge.sessions)}
    after = {
        "merge": str(merge_id),
        "sessions": [str(session_id) for session_id in merge.sessions],
        "removed": n_sessions,
        "moved": merge.moved,
    }
    audit_id = await tx.insert_audit(AuditedAction(MERGED, "session", stays.id, after=after))
    for movable in queries.MOVABLES:
        await move_rows(tx, merge_id, movable, merge.sessions, stays.id)
    await queries.insert_united_links(tx.session, merge.sessions, stays.id)
    await hide_rows(tx, audit_id, _ACTIONS, merge.sessions)
    touch(stays)
    done = merge.model_copy(
        update={
            "id": merge_id,
            "is_dry_run": False,
            "undo": f"/undo/metadata/{audit_id}",
            "created_at": await fetch_now(tx.session),
            "created_by": by.username,
        }
    )
    row = SessionMergeRow(
        id=merge_id,
        audit_id=audit_id,
        into_id=stays.id,
        session_ids=merge.sessions,
        created_at=done.created_at,
        created_by=by.username,
        moved=merge.moved,
        not_moved=merge.not_moved,
        not_taken=[each.model_dump(mode="json") for each in merge.not_taken],
    )
    await insert_merge(tx.session, row)
    tx.publish(SessionsMerged(merge_id=merge_id, into=stays.id, session_ids=merge.sessions))
    return done


async def undo_merge(
    tx: Transaction, by: Principal, visibility: Visibility, entry: AuditEntry
) -> dict[str, int]:
    """Restore merged sessions, and move back what still is where the merge, or a later one, brought it.

    Users and projects that were united stay, and the restored sessions get the private projects of the one that had
    their data, so that it opens nothing. Raises NotFound, Forbidden and Conflict.
    """
    merge = await find_and_lock_merge(tx.session, entry.id)
    if merge is None:
        raise NotFound
    later = await fetch_later_sessions(tx.session, merge.into_id)
    holders = [merge.into_id, *later]
    child_ids = await queries.fetch_child_ids(tx.session, [*merge.session_ids, *holders])
    await lock_with_parents(tx.session, actions={*merge.session_ids, *holders, *child_ids})
    if await fetch_later_sessions(tx.session, merge.into_id) != later:
        raise Conflict("Their data are being merged into another session: try again.")
    restored = await restore(tx.session, tx.tables, DEPENDANTS, entry.id)
    await _check_may_undo(tx, by, visibility, merge, holders[-1], entry)
    _check_undoable(merge, restored)
    if await queries.count_running_jobs(tx.session, [*merge.session_ids, *holders]):
        raise Conflict("A job of theirs runs: wait for the end, or hold it.")
    fov_ids = []
    for movable in queries.MOVABLES:
        rows = await move_back(tx, merge.id, movable)
        if movable is queries.FIELDS_OF_VIEW:
            fov_ids = [row.id for row in rows]
    await lock_stacks_of_fields_of_view(tx.session, fov_ids)
    if await exists_stack_of_several_sessions(tx.session, fov_ids):
        raise Conflict("An imaging stack of theirs has fields of view of the other session by now.")
    await queries.insert_private_projects_of(tx.session, holders[-1], merge.session_ids)
    merge.undone_at = await fetch_now(tx.session)
    counts = {
        "session": len(merge.session_ids),
        **await queries.count_own_rows(tx.session, merge.session_ids),
    }
    after = {"undone": entry.id, "restored": counts}
    tx.audit("session.unmerged", "session", merge.into_id, after=after)
    tx.publish(SessionsUnmerged(merge_id=merge.id, into=merge.into_id, session_ids=merge.session_ids))
    return counts


async def _check_may_undo(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    merge: SessionMergeRow,
    holder_id: UUID,
    entry: AuditEntry,
) -> None:
    """Raises NotFound and Forbidden unless the caller may change the sessions, and the one that has their data now.

    Who merged them learns why they cannot come back.
    """
    for session_id in (*merge.session_ids, holder_id):
        try:
            await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)
        except NotFound:
            if by.user_id != entry.user_id and not visibility.everything:
                raise
            is_holder = session_id == holder_id
            raise Conflict(
                "The session that has their data is deleted: restore it first."
                if is_holder
                else "It was undone and a session deleted again, or its subject is deleted: undo that first."
            ) from None


def _check_undoable(merge: SessionMergeRow, restored: Restored) -> None:
    if merge.undone_at is not None:
        raise Conflict("This merge was undone already.")
    if restored.obstacle is not None:
        raise Conflict(restored.obstacle)
