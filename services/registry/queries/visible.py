"""The rule of libs/common/visible.py on registry's own rows, which may be deleted."""

from __future__ import annotations

import sqlalchemy as sa

from libs.common import visible
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DatasetTagRow, TagRow

Condition = sa.ColumnElement[bool]


def tagged(flag: sa.ColumnElement[bool]) -> Condition:
    """The dataset has a tag of which the flag is true."""
    has = sa.exists().where(
        DatasetTagRow.dataset_id == DatasetRow.id, TagRow.id == DatasetTagRow.tag_id, flag
    )
    return has.correlate_except(DatasetTagRow, TagRow)


def datasets(seen: Visibility) -> Condition:
    """Datasets the caller may know of; `table(SESSIONS)` is left-joined."""
    row = visible.dataset_row_visible(
        seen, DatasetRow, tagged(TagRow.public.is_(True)), session=table(SESSIONS).c
    )
    return sa.and_(DatasetRow.deleted_at.is_(None), row)


def sessions(seen: Visibility) -> Condition:
    """Sessions the caller may know of, in a statement that reads `table(SESSIONS)`."""
    session = table(SESSIONS)
    return visible.session_row_visible(seen, session.c.id, session.c.lab_id)
