"""Which datasets belong to a probe or a field of view: by the second folder of their collection, such as `alf/probe00`.

All arguments are columns of a table, a view or an alias.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.conditions import Condition


def is_in_folder(dataset: Any, name: Any) -> Condition:
    """The second folder of the dataset's collection has that name."""
    condition: Condition = sa.func.split_part(dataset.collection, "/", 2) == name
    return condition


def is_dataset_of_insertion(dataset: Any, insertion: Any) -> Condition:
    """A dataset of the session is of a probe by its folder."""
    return sa.and_(dataset.session_id == insertion.session_id, is_in_folder(dataset, insertion.name))


def is_dataset_of_field_of_view(dataset: Any, fov: Any) -> Condition:
    """A dataset of the session is of a field of view that names it, or that names none and has its folder."""
    return sa.and_(
        dataset.session_id == fov.session_id,
        sa.case(
            (fov.dataset_ids.is_(None), is_in_folder(dataset, fov.name)),
            else_=dataset.id == sa.any_(fov.dataset_ids),
        ),
    )
