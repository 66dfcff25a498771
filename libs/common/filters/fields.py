"""What may be filtered: each service declares it from its own tables and its neighbours' views. Nothing else exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.orm import QueryableAttribute

from libs.common.visibility import Visibility

Kind = Literal["text", "int", "float", "bool", "uuid", "datetime", "date"]
Column = ColumnElement[Any] | QueryableAttribute[Any]
Visible = Callable[[Visibility, Any], ColumnElement[bool]]


def visible_to_all(_visibility: Visibility, _row: Any) -> ColumnElement[bool]:
    """The condition of a vocabulary, which every signed-in user may read."""
    return sa.true()


@dataclass(frozen=True, eq=False)
class Field:
    """A plain column, or any expression over the map's source; times of day may carry a zone or not.

    `shown`, if there is one, decides in which rows a caller may see a text; in others it counts as empty.
    `empty_is_null`: rows show null where the column has an empty text.
    `spelled`: the stored spelling of a whole text, such as a path, that has several.
    """

    column: Column
    kind: Kind
    shown: Callable[[Visibility], ColumnElement[bool]] | None = None
    empty_is_null: bool = False
    spelled: Callable[[str], str] | None = None


@dataclass(frozen=True, eq=False)
class JsonField:
    """A JSONB column; filters may go into it by path."""

    column: Column


@dataclass(frozen=True, eq=False)
class Relation:
    """The way to other rows, one or many: each condition that goes this way becomes one EXISTS.

    A row that the target's map hides from the caller counts as absent, and so does a key that points at it.

    target  the map of those rows; a function, as maps may point at each other
    on      which of them belong to a row here; may go through a link table, and should leave deleted rows out
    key     the column here that holds the target's primary key, where there is one: it spares the EXISTS
    shown   the way to what every row here shows of the target by itself, as a session the nickname of its subject
    """

    target: Callable[[], FieldMap]
    on: ColumnElement[bool]
    key: Column | None = None
    shown: Relation | None = None


@dataclass(frozen=True, eq=False)
class FieldMap:
    """The filters of one kind of row.

    noun         in the plural, for messages
    source       the table, view or alias that the fields' columns belong to; filtered statements select from it.
                 A row that is its own relation (a session's parent session) needs a map over an alias.
    primary_key  the field that `pk` stands for
    visible      which rows are visible to a caller, given the columns of the source or of an alias of it. Required;
                 for a vocabulary it is `visible_to_all`.
    """

    noun: str
    source: FromClause
    fields: Mapping[str, Field | JsonField | Relation] = field(default_factory=dict)
    primary_key: str = "id"
    visible: Visible = field(kw_only=True)

    def key_field(self) -> Field:
        """The field that `pk` stands for; it must be a plain one."""
        key = self.fields[self.primary_key]
        if not isinstance(key, Field):
            raise TypeError(f"the primary key of {self.noun} must be a Field")
        return key
