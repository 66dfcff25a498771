"""Authors of datasets and dataset types: stored by id, shown by the username that they have now."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters import Relation
from libs.common.filters.shared_maps import username_map
from libs.common.published import USERNAMES, table
from services.registry.models import DatasetRow, DatasetTypeRow

_USERNAMES: Final = table(USERNAMES).alias("author")
_NAMED: Final = table(USERNAMES).alias("named_author")
_SHOWN: Final = (
    sa.select(DatasetRow.id, sa.func.coalesce(_NAMED.c.username, DatasetRow.created_by).label("username"))
    .join(_NAMED, _NAMED.c.id == DatasetRow.created_by_id, isouter=True)
    .subquery("shown_author")
)
_MAP: Final = username_map(_SHOWN)


def author_of(row: type[DatasetRow | DatasetTypeRow]) -> sa.ColumnElement[str | None]:
    """The username of who made a row."""
    username = sa.select(_USERNAMES.c.username).where(_USERNAMES.c.id == row.created_by_id)
    return sa.func.coalesce(username.correlate(row).scalar_subquery(), row.created_by)


def is_by(username: str) -> Condition:
    """The dataset shows this username."""
    ids = sa.select(_USERNAMES.c.id).where(_USERNAMES.c.username == username)
    is_known = sa.exists().where(_USERNAMES.c.id == DatasetRow.created_by_id).correlate(DatasetRow)
    return sa.or_(DatasetRow.created_by_id.in_(ids), sa.and_(DatasetRow.created_by == username, ~is_known))


def to_author(dataset_id: Any) -> Relation:
    """The username that a dataset shows, as `author_of` has it."""
    return Relation(lambda: _MAP, on=_SHOWN.c.id == dataset_id)
