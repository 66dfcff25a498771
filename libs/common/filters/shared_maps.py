"""Field maps that several services declare over a table or view of their own."""

from __future__ import annotations

import sqlalchemy as sa

from libs.common.filters.fields import Field, FieldMap, visible_to_all


def dataset_type_map(source: sa.FromClause) -> FieldMap:
    """The dataset types of a table or view."""
    fields = {
        "id": Field(source.c.id, "uuid"),
        "name": Field(source.c.name, "text"),
        "filename_pattern": Field(source.c.filename_pattern, "text"),
    }
    return FieldMap("dataset types", source, fields, visible=visible_to_all)


def nickname_map(source: sa.FromClause) -> FieldMap:
    """The nicknames that paths of sessions contain: who sees a session reads it there, also of a hidden subject."""
    fields = {"nickname": Field(source.c.nickname, "text")}
    return FieldMap("subjects of sessions", source, fields, "nickname", visible=visible_to_all)


def username_map(source: sa.FromClause) -> FieldMap:
    """The usernames that records show: who sees a record reads them there, also those of users not listed to them."""
    fields = {"username": Field(source.c.username, "text")}
    return FieldMap("users of records", source, fields, "username", visible=visible_to_all)
