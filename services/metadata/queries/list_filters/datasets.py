"""Filters of sessions, insertions and fields of view by their datasets, which are registry's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view, is_dataset_of_insertion
from libs.common.filters.list_filters import contains
from libs.common.published import (
    DATASET_TAGS,
    DATASET_TYPES,
    DATASETS,
    SERVED_DATASETS,
    SESSION_DATASET_TYPES,
    table,
)
from libs.common.schemas.qc import QC_CODES
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, FieldOfViewRow, InsertionRow

IsOf = Callable[[Any], Condition]
_FAIL: Final[Any] = sa.literal_column(str(QC_CODES["FAIL"]))  # the planner knows how many are no worse


def is_of_session(dataset: Any) -> Condition:
    """A dataset is of a session."""
    condition: Condition = dataset.c.session_id == ActionRow.id
    return condition


def is_of_insertion(dataset: Any) -> Condition:
    """A dataset is of an insertion."""
    return is_dataset_of_insertion(dataset.c, InsertionRow)


def is_of_field_of_view(dataset: Any) -> Condition:
    """A dataset is of a field of view."""
    return is_dataset_of_field_of_view(dataset.c, FieldOfViewRow)


def has_dataset_types(is_of: IsOf) -> Callable[[Visibility, Sequence[str]], Condition]:
    """There is a dataset of each of the types."""

    def condition(visibility: Visibility, names: Sequence[str]) -> Condition:
        is_enough = is_of is is_of_session and not visibility.public_only
        dataset = table(SESSION_DATASET_TYPES if is_enough else DATASETS)
        return sa.and_(
            *(
                _has_dataset(visibility, is_of, dataset, dataset.c.dataset_type_id == _type_id(name))
                for name in names
            )
        )

    return condition


def _type_id(name: str) -> sa.ScalarSelect[Any]:
    """The id of a dataset type, which is read once: by its name each session would join the types."""
    types = table(DATASET_TYPES)
    return sa.select(types.c.id).where(types.c.name == name).scalar_subquery()


def has_tag(is_of: IsOf) -> Callable[[Visibility, str], Condition]:
    """There is a dataset with a tag that contains the text."""

    def condition(visibility: Visibility, text: str) -> Condition:
        dataset, tag = table(DATASETS), table(DATASET_TAGS)
        return _has_dataset(
            visibility, is_of, dataset, tag.c.dataset_id == dataset.c.id, contains(tag.c.tag, text)
        )

    return condition


def has_datasets(
    visibility: Visibility, is_of: IsOf, names: Sequence[str] | None, worst_qc: int | None
) -> list[Condition]:
    """There is, on a server, a dataset of each of the names, with a QC no worse than that; or any of such a QC."""
    if not names and worst_qc is None:
        return []
    if not names:
        dataset = table(DATASETS)
        return [_has_dataset(visibility, is_of, dataset, dataset.c.qc <= worst_qc)]
    dataset = table(DATASETS if visibility.public_only else SERVED_DATASETS)
    limit = dataset.c.qc <= (_FAIL if worst_qc is None else worst_qc)
    served = [dataset.c.on_server] if visibility.public_only else []
    return [
        _has_dataset(visibility, is_of, dataset, dataset.c.name == name, limit, *served) for name in names
    ]


def _has_dataset(visibility: Visibility, is_of: IsOf, dataset: Any, *conditions: Condition) -> Condition:
    """There is a dataset of those conditions; for public readers a public one."""
    shown = [dataset.c.public] if visibility.public_only else []
    return sa.exists().where(is_of(dataset), *conditions, *shown)
