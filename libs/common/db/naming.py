"""Rows by the texts that paths, bodies and filters have of them: an id or a name, the id first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql import coercions, roles

from libs.common.db.conditions import Condition
from libs.common.schemas.ids import find_uuid


def has_id_or_name(row_id: Any, name: Any, text: str) -> Condition:
    """A row has this id; or it has this name, if the text is the id of no row of the table.

    So an id always names its record, whatever names older records have.
    """
    text_id = find_uuid(text)
    is_named: Condition = name == text
    if text_id is None:
        return is_named
    column = coercions.expect(roles.ColumnArgumentRole, row_id)
    table = column.table.element if isinstance(column.table, sa.Alias) else column.table
    other = table.alias()
    is_alive = [other.c.deleted_at.is_(None)] if "deleted_at" in other.c else []
    is_an_id = sa.exists().where(other.c[column.key] == text_id, *is_alive).correlate_except(other)
    return sa.or_(row_id == text_id, sa.and_(is_named, ~is_an_id))


def ids_among(texts: Iterable[str]) -> list[UUID]:
    """Those of the texts that are ids."""
    return [text_id for text_id in map(find_uuid, texts) if text_id is not None]


def has_any_id_or_name(row_id: Any, name: Any, texts: Sequence[str]) -> Condition:
    """A row has one of these ids or names; `ids_by_text` then decides which row a text means."""
    ids = ids_among(texts)
    is_named: Condition = name.in_(texts)
    return sa.or_(is_named, row_id.in_(ids)) if ids else is_named


def ids_by_text(rows: Iterable[tuple[str, UUID]], texts: Iterable[str]) -> dict[str, UUID]:
    """The ids of the rows that texts name, by name and id of the rows; without the texts that name none.

    >>> a, b = UUID(int=1), UUID(int=2)
    >>> ids_by_text([("x", a), (str(a), b)], ["x", str(a), str(b), "y"]) == {"x": a, str(a): a, str(b): b}
    True
    """
    by_name = dict(rows)
    ids = set(by_name.values())
    named = {text: row_id if (row_id := find_uuid(text)) in ids else by_name.get(text) for text in texts}
    return {text: row_id for text, row_id in named.items() if row_id is not None}
