"""Which dataset is a recording's companion, in SQL; the rule is that of `cingulum/codec/companions.py` for local files.

A companion of exactly the recording's own name comes first. Else the one whose name differs in UUIDs and extension
only, as public servers give files out; where there are several, none is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.selectable import LateralFromClause

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def meaning(name: Any) -> sa.ColumnElement[str]:
    """A file name without extension and UUID, after a dot: what the files of one recording share."""
    stem = sa.func.regexp_replace("." + name, r"\.[^.]*$", "")
    return sa.func.regexp_replace(stem, rf"\.{_UUID}(?=\.|$)", "", "gi")


def is_beside(file: Any, other: Any, suffixes: Sequence[str]) -> sa.ColumnElement[bool]:
    """`other` is in the folder and revision of `file`, has its meaning, and one of these extensions."""
    return sa.and_(
        _has_same_owner(file, other),
        other.collection == file.collection,
        other.revision == file.revision,
        sa.func.lower(sa.func.substring(other.name, r"\.[^.]*$")).in_(suffixes),
        meaning(other.name) == meaning(file.name),
    )


def _has_same_owner(file: Any, other: Any) -> sa.ColumnElement[bool]:
    """Both belong to one session, or to one other object; `file` has columns, or the values of one row."""
    of_session: sa.ColumnElement[bool] = other.session_id == file.session_id
    of_object = sa.and_(
        other.session_id.is_(None),
        other.content_type == file.content_type,
        other.object_id == file.object_id,
    )
    if file.session_id is None:
        return of_object
    if isinstance(file.session_id, UUID):
        return of_session
    return sa.or_(of_session, sa.and_(file.session_id.is_(None), of_object))


def companion(recording: Any, other: Any, suffix: str, *where: sa.ColumnElement[bool]) -> LateralFromClause:
    """The companion of that suffix, to be joined on true: `id`, `is_clear` (else several could be it), all `names`."""
    is_own = other.name == sa.func.regexp_replace(recording.name, r"\.[^.]*$", suffix)
    return (
        sa.select(
            other.id,
            sa.or_(is_own, sa.func.count().over() == 1).label("is_clear"),
            sa.func.string_agg(other.name, ", ").over(order_by=other.name, rows=(None, None)).label("names"),
        )
        .where(is_beside(recording, other, (suffix,)), *where)
        .order_by(is_own.desc(), other.name)
        .limit(1)
        .lateral()
    )
