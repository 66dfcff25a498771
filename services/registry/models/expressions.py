"""Columns that are computed: the same in the service's statements and in its published views."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from libs.common.db.conditions import Condition
from libs.common.schemas.states import CopyState
from services.registry.models.copies import CopyRow
from services.registry.models.datasets import DatasetRow, VersionRow
from services.registry.models.repositories import RepositoryRow


def path_in_folder(dataset: type[DatasetRow] = DatasetRow) -> sa.ColumnElement[str]:
    """Path below the session's folder, without UUID."""
    return sa.func.concat(
        sa.case((dataset.collection != "", dataset.collection + "/")),
        sa.case((dataset.revision != "", "#" + dataset.revision + "#/")),
        dataset.name,
    )


def is_shown(copy: type[CopyRow] = CopyRow, repository: type[RepositoryRow] = RepositoryRow) -> Condition:
    """Alyx's `exists`: verified, or claimed by a client where nothing can be verified."""
    is_claimed = sa.and_(copy.state == CopyState.CLAIMED, repository.store.is_(None))
    return sa.or_(copy.state == CopyState.VERIFIED, is_claimed)


def is_current_version(
    dataset: type[DatasetRow] = DatasetRow, version: type[VersionRow] = VersionRow
) -> Condition:
    """The version is the newest one of the dataset."""
    return sa.and_(version.dataset_id == dataset.id, version.generation == dataset.generation)


def sql_of(expression: sa.ColumnElement[Any]) -> str:
    """The expression as text of a view."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
