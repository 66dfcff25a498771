"""The rule of libs/common/visible.py for registry's own rows, which may be deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common import visible
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DatasetTagRow, TagRow


def has_tag(condition: Condition, dataset_id: Any = DatasetRow.id) -> Condition:
    """The dataset has a tag that fulfils the condition."""
    has = sa.exists().where(
        DatasetTagRow.dataset_id == dataset_id, TagRow.id == DatasetTagRow.tag_id, condition
    )
    return has.correlate_except(DatasetTagRow, TagRow)


def has_public_tag(dataset_id: Any) -> Condition:
    """The dataset of that id has a public tag."""
    return has_tag(TagRow.public.is_(True), dataset_id)


def is_protected() -> Condition:
    """The dataset has a protected tag."""
    return has_tag(TagRow.protected.is_(True))


def is_public() -> Condition:
    """The dataset has a public tag."""
    return has_public_tag(DatasetRow.id)


def is_dataset_visible(visibility: Visibility) -> Condition:
    """Datasets the caller can see, in a statement that left-joins `table(SESSIONS)`."""
    row = visible.is_dataset_row_visible(visibility, DatasetRow, is_public(), session=table(SESSIONS).c)
    return sa.and_(DatasetRow.deleted_at.is_(None), row)


def is_session_visible(visibility: Visibility) -> Condition:
    """Sessions the caller can see, in a statement that reads `table(SESSIONS)`."""
    sessions = table(SESSIONS)
    return visible.is_session_row_visible(visibility, sessions.c.id, sessions.c.lab_id)
