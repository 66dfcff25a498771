"""Rows of a service's own tables: locked for a change, created, updated and soft-deleted with their audit rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, QueryableAttribute

from cingulum.alf.spelling import find_twin, name_key, normal
from libs.common.db.naming import has_id_or_name
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.db.transaction import Transaction
from libs.common.problem import Conflict, NotFound

Row = TypeVar("Row", bound=DeclarativeBase)


def is_named(column: QueryableAttribute[str], text: str) -> sa.ColumnElement[bool]:
    """The row has this id, or this name if no row has the id: paths take both."""
    return has_id_or_name(column.class_.id, column, text)


async def lock_by_name(
    session: WriteSession,
    kind: type[Row],
    name: str,
    *,
    column: QueryableAttribute[str] | None = None,
    noun: str | None = None,
) -> Row:
    """The row of a name or an id, locked until the end of the transaction. Raises NotFound, also for a deleted one.

    column   where the name is; `kind.name` unless stated
    noun     of the problem's text; the table's name in the singular unless stated
    """
    named: Any = kind.name if column is None else column  # type: ignore[attr-defined]
    row = await _lock(session, kind, is_named(named, name))
    if row is None:
        raise NotFound(f"There is no {noun or _noun(kind)} '{name}'.")
    return row


async def lock_by_id(session: WriteSession, kind: type[Row], row_id: UUID, *, noun: str | None = None) -> Row:
    """The row of an id, locked until the end of the transaction. Raises NotFound, also for a soft-deleted one."""
    row = await _lock(session, kind, kind.id == row_id)  # type: ignore[attr-defined]
    if row is None:
        raise NotFound(f"There is no {noun or _noun(kind)} {row_id}.")
    return row


async def _lock(session: WriteSession, kind: type[Row], condition: sa.ColumnElement[bool]) -> Row | None:
    statement = sa.select(kind).where(condition, *_not_deleted(kind)).limit(1).with_for_update()
    row: Row | None = (await session.execute(statement)).scalar_one_or_none()
    return row


def _not_deleted(kind: Any) -> list[sa.ColumnElement[bool]]:
    deleted_at = getattr(kind, "deleted_at", None)
    return [] if deleted_at is None else [deleted_at.is_(None)]


def _noun(kind: type[DeclarativeBase]) -> str:
    return str(kind.__tablename__).removesuffix("s").replace("_", " ")


async def refuse_duplicate(
    session: WriteSession,
    column: QueryableAttribute[str],
    value: str,
    *,
    within: Mapping[str, object] | None = None,
    except_id: UUID | None = None,
) -> None:
    """Raise Conflict if a row that is not soft-deleted has this name, or one that differs only by case or composition.

    Of two transactions with spellings of one name the second waits for the first.
    within      columns and values of the rows among which the name has to be unique
    except_id   the row that gets the name
    """
    kind: Any = column.class_
    rows = [*_not_deleted(kind), *(getattr(kind, name) == of for name, of in (within or {}).items())]
    if except_id is not None:
        rows.append(kind.id != except_id)
    await lock_name(session, str(column), value)
    twin = await find_twin_in(session, column, value, rows)
    if twin is not None:
        raise Conflict(fields={column.key: [duplicate_text(value, twin)]})


async def lock_name(session: WriteSession, what: str, name: str) -> None:
    """Lock all spellings of a name of something until the end of the transaction."""
    key = sa.func.hashtextextended(f"{what}:{name_key(name)}", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def find_twin_in(
    session: ReadSession,
    column: QueryableAttribute[str] | sa.ColumnElement[str],
    name: str,
    rows: Sequence[sa.ColumnElement[bool]],
) -> str | None:
    """The name that some of these rows have and that is this one or another spelling of it."""
    return find_twin(name, await find_spellings_in(session, column, name, rows))


async def find_spellings_in(
    session: ReadSession,
    column: QueryableAttribute[str] | sa.ColumnElement[str],
    name: str,
    rows: Sequence[sa.ColumnElement[bool]] = (),
) -> list[str]:
    """The different names that some of these rows have and that are this one or other spellings of it."""
    # Not every database folds the case of letters outside ASCII: these are compared here.
    like = "".join(char if char.isascii() else "%" for char in name.translate(_LIKE))
    names = await session.scalars(sa.select(column).where(column.ilike(like, escape="\\"), *rows).distinct())
    return [other for other in names if name_key(other) == name_key(name)]


_LIKE: Final = str.maketrans({char: f"\\{char}" for char in "%_\\"})


def duplicate_text(name: str, twin: str) -> str:
    """Why a name cannot be used.

    >>> duplicate_text("Mouse", "mouse")
    "'mouse' already exists, and 'Mouse' is the same name where case is ignored: use that one or another name."
    """
    if normal(name) == normal(twin):
        return f"'{name}' already exists."
    same = f"'{name}' is the same name where case is ignored"
    return f"'{twin}' already exists, and {same}: use that one or another name."


async def create_row(tx: Transaction, noun: str, row: DeclarativeBase, values: Mapping[str, Any]) -> None:
    """Insert a row; `values` are what its audit row shows."""
    tx.session.add(row)
    await tx.session.flush()
    shown = {name: audited(value) for name, value in values.items() if value is not None}
    tx.audit(f"{noun}.created", noun, _id_of(row), after=shown)


async def update_row(tx: Transaction, noun: str, row: DeclarativeBase, values: Mapping[str, Any]) -> None:
    """Update columns of a row, with an audit row of those that changed; none where nothing did."""
    before = {
        name: audited(getattr(row, name)) for name, value in values.items() if getattr(row, name) != value
    }
    for name in before:
        setattr(row, name, values[name])
    await tx.session.flush()
    if before:
        after = {name: audited(values[name]) for name in before}
        tx.audit(f"{noun}.changed", noun, _id_of(row), before=before, after=after)


def _id_of(row: DeclarativeBase) -> UUID:
    row_id: UUID = row.id  # type: ignore[attr-defined]
    return row_id


def audited(value: Any) -> Any:
    """A value of a column as audit rows store it."""
    if isinstance(value, list):
        return [audited(item) for item in value]
    return str(value) if isinstance(value, UUID | date | datetime) else value
