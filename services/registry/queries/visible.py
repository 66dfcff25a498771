"""The rule of libs/common/visible.py for registry's own rows, which may be deleted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common import visible
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow, DatasetTagRow, ReleaseDatasetRow, ReleaseRow, TagRow
from services.registry.models.expressions import is_released


def has_tag(condition: Condition, dataset_id: Any = DatasetRow.id) -> Condition:
    """The dataset has a tag that fulfils the condition."""
    has = sa.exists().where(
        DatasetTagRow.dataset_id == dataset_id, TagRow.id == DatasetTagRow.tag_id, condition
    )
    return has.correlate_except(DatasetTagRow, TagRow)


def is_in_release(*conditions: Condition, dataset_id: Any = DatasetRow.id) -> Condition:
    """The dataset is in a release that fulfils the conditions, and was not pulled from it."""
    link = ReleaseDatasetRow
    is_in = sa.exists().where(
        link.dataset_id == dataset_id,
        link.pulled_at.is_(None),
        ReleaseRow.id == link.release_id,
        *conditions,
    )
    return is_in.correlate_except(link, ReleaseRow)


def is_protected() -> Condition:
    """The dataset has a protected tag, or is in a release that was checked."""
    in_release = is_in_release(ReleaseRow.state.in_(("checked", "published")))
    return sa.or_(has_tag(TagRow.protected.is_(True)), in_release)


def is_public(dataset: Any = DatasetRow) -> Condition:
    """The dataset has a public tag, or its current version is in a public release."""
    is_current = ReleaseDatasetRow.generation == dataset.generation
    in_release = is_in_release(is_released(), is_current, dataset_id=dataset.id)
    return sa.or_(has_tag(TagRow.public.is_(True), dataset.id), in_release)


def is_dataset_visible(visibility: Visibility) -> Condition:
    """Datasets the caller can see, in a statement that left-joins `table(SESSIONS)`."""
    row = visible.is_dataset_row_visible(visibility, DatasetRow, is_public(), session=table(SESSIONS).c)
    return sa.and_(DatasetRow.deleted_at.is_(None), row)


def is_session_visible(visibility: Visibility) -> Condition:
    """Sessions the caller can see, in a statement that reads `table(SESSIONS)`."""
    sessions = table(SESSIONS)
    return visible.is_session_row_visible(visibility, sessions.c.id, sessions.c.lab_id)
