"""`POST /undo/<service>/<audit id>`: a deletion or the latest change of a row is undone, by those who may do it.

Every service answers it for its own audit rows; the gateway routes it by the second segment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import DeclarativeBase

from libs.common.administration import Own
from libs.common.auth import Reader, Sees
from libs.common.db import IdempotentRoute, Transaction, Tx
from libs.common.db.dependants import Dependants
from libs.common.db.links import Links
from libs.common.db.restoring import (
    Restored,
    find_audit_entry,
    is_too_old,
    restore,
    revive_hidden,
)
from libs.common.db.reverting import can_be_reverted, revert
from libs.common.permissions import Principal, may_oversee
from libs.common.problem import Conflict, Forbidden, NotFound, problems
from libs.common.schemas.administration import AuditEntry
from libs.common.schemas.deletions import UNDO_DAYS, Restoration
from libs.common.visibility import Visibility

router = APIRouter(route_class=IdempotentRoute, tags=["administration"])
_LARGEST: Final = 2**63 - 1

Rule = Callable[[Transaction, Principal, Visibility, UUID], Awaitable[object]]
Follow = Callable[[Transaction, Restored], Awaitable[None]]
LockFirst = Callable[[Transaction, UUID], Awaitable[None]]
Reverted = Callable[[Transaction, UUID, Mapping[str, Any]], Awaitable[None]]
UndoAction = Callable[[Transaction, Principal, Visibility, AuditEntry], Awaitable[Mapping[str, int]]]
CheckRestored = Callable[[Transaction, Principal, Visibility, Restored], Awaitable[None]]


@dataclass(frozen=True)
class Undoable:
    """A noun whose deletions can be undone.

    rule       raises NotFound or Forbidden unless the caller may delete the row of an id
    lock_first locks, by the id of the row, what changes of it lock before the row itself: rows that it belongs to
    follow     what else happens after a restoration, such as an event
    by_row     whether the rule reads the row; one for administrators does not
    changes    whether changes of its columns can be undone: they have no effects on other rows
    relations  those of the row whose changes can be undone as those of its columns
    own_rules  columns and relations whose changes have rules beside `rule`: only administrators undo these
    names      columns that make a row's name unique: after an undo of a change of them `check_restored` is asked
    not_undone columns whose changes had effects on other rows: these are set again by a request of their own
    check_undo raises Conflict where a change cannot be undone, by the row's id and the values it would have again
    reverted   what else happens after an undo of a change, by the row's id and the values it has again, by column; may
               raise Conflict
    """

    model: type[DeclarativeBase]
    rule: Rule
    follow: Follow | None = None
    lock_first: LockFirst | None = None
    by_row: bool = True
    changes: bool = True
    relations: tuple[Links, ...] = ()
    own_rules: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    not_undone: frozenset[str] = frozenset()
    check_undo: Reverted | None = None
    reverted: Reverted | None = None

    @property
    def relations_by_name(self) -> dict[str, Links]:
        """The relations, by their names in audit entries."""
        return {each.name: each for each in self.relations}


@dataclass(frozen=True)
class Undoables:
    """The deletions of one service that can be undone.

    tree            what depends on what
    nouns           what their audit rows are about
    check_restored  raises Forbidden unless the caller may delete all that was restored, not only the row itself,
                    and Conflict for a name of which another row has a spelling
    actions         by the action of an audit entry: how another action than a deletion or a change is undone; counts by
                    kind of what went back. Raises NotFound, Forbidden and Conflict.
    """

    tree: Dependants = field(default_factory=lambda: Dependants({}))
    nouns: Mapping[str, Undoable] = field(default_factory=dict)
    check_restored: CheckRestored | None = None
    actions: Mapping[str, UndoAction] = field(default_factory=dict)


@router.post("/undo/{service}/{audit_id}", dependencies=Own, responses=problems(NotFound, Conflict))
async def undo(
    request: Request,
    audit_id: Annotated[int, Path(ge=1, le=_LARGEST, description="id of the deletion's audit entry")],
    by: Reader,
    visibility: Sees,
    tx: Tx,
) -> Restoration:
    """Undo a deletion, a merge or the latest change of a record, within 30 days."""
    undoables: Undoables = request.app.state.undoables
    entry = await find_audit_entry(tx.session, tx.tables, audit_id)
    if entry is None:
        raise _missing(audit_id)
    if entry.action in undoables.actions:
        return await _undo_action(tx, undoables.actions[entry.action], by, visibility, entry)
    noun = undoables.nouns.get(entry.object_type)
    if noun is not None and entry.action == f"{entry.object_type}.deleted":
        return await _undo_deletion(tx, undoables, noun, by, visibility, entry)
    if noun is not None and noun.changes and can_be_reverted(noun.model, entry, noun.relations_by_name):
        return await _undo_change(tx, undoables, noun, by, visibility, entry)
    if not may_oversee(by):
        raise _missing(audit_id)
    raise Conflict(
        f"Entry {audit_id} of the audit log is '{entry.action}': only deletions can be undone, and changes of one "
        "record whose values before are in the entry."
    )


def _missing(audit_id: int) -> NotFound:
    return NotFound(f"There is no deletion {audit_id}, or it is not yours to undo.")


async def _undo_deletion(
    tx: Transaction,
    undoables: Undoables,
    noun: Undoable,
    by: Principal,
    visibility: Visibility,
    entry: AuditEntry,
) -> Restoration:
    """Restore first, then apply the rule of the deletion to the restored row: what raises rolls all of it back."""
    row_id = UUID(entry.object_id)
    if not noun.by_row:
        await noun.rule(tx, by, visibility, row_id)
    if noun.lock_first is not None:
        await noun.lock_first(tx, row_id)
    tree = undoables.tree
    restored = await restore(tx.session, tx.tables, tree, entry.id)
    if restored.obstacle is not None and not any(restored.ids.values()):
        await revive_hidden(tx.session, tx.tables, tree, noun.model.__table__, row_id)  # type: ignore[arg-type]
    if noun.by_row:
        await _check(tx, noun.rule, by, visibility, entry)
    if undoables.check_restored is not None:
        await undoables.check_restored(tx, by, visibility, restored)
    counts: dict[str, Any] | None = (entry.after or {}).get("removed")
    if counts is None:
        raise Conflict("It was deleted by a version that did not store what went: it cannot be undone.")
    if await is_too_old(tx.session, entry.at):
        raise Conflict(f"It was deleted more than {UNDO_DAYS} days ago: it can no longer be undone.")
    if restored.obstacle is not None:
        raise Conflict(restored.obstacle)
    after = {"undone": entry.id, "restored": counts}
    tx.audit(f"{entry.object_type}.restored", entry.object_type, row_id, after=after)
    if noun.follow is not None:
        restored.before = entry.before or {}
        await noun.follow(tx, restored)
    return Restoration(restored=counts, action=entry.action, done_at=entry.at, done_by=entry.username)


async def _undo_action(
    tx: Transaction, undo_action: UndoAction, by: Principal, visibility: Visibility, entry: AuditEntry
) -> Restoration:
    try:
        counts = await undo_action(tx, by, visibility, entry)
    except NotFound:
        raise _missing(entry.id) from None
    if await is_too_old(tx.session, entry.at):
        raise Conflict(f"It was done more than {UNDO_DAYS} days ago: it can no longer be undone.")
    return Restoration(restored=dict(counts), action=entry.action, done_at=entry.at, done_by=entry.username)


async def _undo_change(
    tx: Transaction,
    undoables: Undoables,
    noun: Undoable,
    by: Principal,
    visibility: Visibility,
    entry: AuditEntry,
) -> Restoration:
    """Put the values before back, where nothing has changed the record since. The rule holds before and afterwards."""
    if noun.lock_first is not None:
        await noun.lock_first(tx, UUID(entry.object_id))
    await _check_change(tx, noun.rule, by, visibility, entry)
    if noun.own_rules & (entry.before or {}).keys() and not may_oversee(by):
        raise Forbidden("It was given or moved to another owner: only administrators undo that.")
    if await is_too_old(tx.session, entry.at):
        raise Conflict(f"It was changed more than {UNDO_DAYS} days ago: that can no longer be undone.")
    if fixed := sorted(noun.not_undone & (entry.before or {}).keys()):
        raise Conflict(
            f"A change of {' and '.join(fixed)} can end other records, such as water restrictions, which an undo does "
            "not open again: set the values with PATCH, and check these records."
        )
    if noun.check_undo is not None:
        await noun.check_undo(tx, UUID(entry.object_id), entry.before or {})
    await revert(tx, noun.model, entry, noun.relations_by_name)
    await _check_change(tx, noun.rule, by, visibility, entry)
    if undoables.check_restored is not None and noun.names & (entry.before or {}).keys():
        changed = Restored({noun.model.__tablename__: [UUID(entry.object_id)]})
        await undoables.check_restored(tx, by, visibility, changed)
    if noun.reverted is not None:
        await noun.reverted(tx, UUID(entry.object_id), entry.before or {})
    restored = {entry.object_type: 1}
    return Restoration(restored=restored, action=entry.action, done_at=entry.at, done_by=entry.username)


async def _check_change(
    tx: Transaction, rule: Rule, by: Principal, visibility: Visibility, entry: AuditEntry
) -> None:
    """Raises Forbidden unless the caller may change the row; a hidden row is answered like a missing entry."""
    try:
        await rule(tx, by, visibility, UUID(entry.object_id))
    except NotFound:
        raise _missing(entry.id) from None


async def _check(
    tx: Transaction, rule: Rule, by: Principal, visibility: Visibility, entry: AuditEntry
) -> None:
    """Raises NotFound or Forbidden unless the caller may delete the restored row.

    Who deleted it knows of it, and learns why it cannot come back where something else is missing.
    """
    try:
        await rule(tx, by, visibility, UUID(entry.object_id))
    except NotFound:
        if by.user_id != entry.user_id and not visibility.everything:
            raise _missing(entry.id) from None
        raise Conflict(
            "It was undone and deleted again, or what it belongs to is deleted or no longer visible to you: "
            "undo that first."
        ) from None
