"""Undoing a change of one row: its audit entry has the values of columns and relations before and after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from libs.common.db.links import Links, set_links
from libs.common.db.rows import audited, lock_by_id, update_row
from libs.common.db.sessions import WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.db.transaction import Transaction
from libs.common.problem import Conflict
from libs.common.schemas.administration import AuditEntry

_PARSERS: Final[dict[type, Any]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}
_CHANGED: Final = "It was changed again since: undo the latest change first, or set the values yourself."


def can_be_reverted(model: type[DeclarativeBase], entry: AuditEntry, relations: Mapping[str, Links]) -> bool:
    """Whether an entry is about a change of columns and relations, with their values before."""
    known = {*model.__table__.columns.keys(), *relations}
    is_change = entry.action == f"{entry.object_type}.changed"
    return is_change and bool(entry.before) and known.issuperset(entry.before or {})


async def revert(
    tx: Transaction, model: type[DeclarativeBase], entry: AuditEntry, relations: Mapping[str, Links]
) -> None:
    """Set the columns and relations of a row to their values before a change, with an audit row.

    Raises Conflict unless the change is the latest of the row: the values before were valid beside the others then.
    """
    before, after = entry.before or {}, entry.after or {}
    row_id = UUID(entry.object_id)
    row = await lock_by_id(tx.session, model, row_id)
    links = {name: relations[name] for name in before if name in relations}
    is_same = all(audited(getattr(row, name)) == after.get(name) for name in before if name not in links)
    if not is_same or await _exists_later_entry(tx.session, tx.tables, entry):
        raise Conflict(_CHANGED)
    columns = model.__table__.columns
    values = {name: _parsed(columns[name], value) for name, value in before.items() if name not in links}
    await update_row(tx, entry.object_type, row, values)
    for name, each in links.items():
        state = each.undone(await each.fetch(tx.session, row_id), before[name], after[name])
        others = {UUID(other_id): value for other_id, value in state.items()}
        await set_links(tx, each, entry.object_type, row_id, others)


def _parsed(column: sa.ColumnElement[Any], value: Any) -> Any:
    of_items = column.type.item_type if isinstance(column.type, sa.ARRAY) else None
    parse = _PARSERS.get((of_items or column.type).python_type)
    if value is None or parse is None:
        return value
    return parse(value) if of_items is None else [parse(item) for item in value]


async def _exists_later_entry(session: WriteSession, tables: Infrastructure, entry: AuditEntry) -> bool:
    audit = tables.audit
    later = sa.exists().where(
        audit.c.object_type == entry.object_type, audit.c.object_id == entry.object_id, audit.c.id > entry.id
    )
    return bool(await session.scalar(sa.select(later)))
