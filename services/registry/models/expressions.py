"""Columns that are computed: the same in the service's statements and in its published views."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from libs.common.db.conditions import Condition
from libs.common.schemas.states import CopyState
from services.registry.models.copies import CopyRow
from services.registry.models.datasets import DatasetRow, VersionRow
from services.registry.models.releases import ReleaseRow
from services.registry.models.repositories import RepositoryRow


def path_in_folder(dataset: type[DatasetRow] = DatasetRow) -> sa.ColumnElement[str]:
    """Path below the session's folder, without UUID."""
    return sa.func.concat(
        sa.case((dataset.collection != "", dataset.collection + "/")),
        sa.case((dataset.revision != "", "#" + dataset.revision + "#/")),
        dataset.name,
    )


def file_id(copy: type[CopyRow] = CopyRow) -> sa.ColumnElement[UUID]:
    """The id of Alyx's file record: the same for the copies of all versions of a dataset in a repository."""
    return sa.func.coalesce(copy.file_id, copy.id)


def is_shown(copy: type[CopyRow] = CopyRow, repository: type[RepositoryRow] = RepositoryRow) -> Condition:
    """Alyx's `exists`: verified, or claimed by a client where nothing can be verified."""
    is_claimed = sa.and_(copy.state == CopyState.CLAIMED, repository.store.is_(None))
    return sa.or_(copy.state == CopyState.VERIFIED, is_claimed)


def is_current_version(
    dataset: type[DatasetRow] = DatasetRow, version: type[VersionRow] = VersionRow
) -> Condition:
    """The version is the newest one of the dataset."""
    return sa.and_(version.dataset_id == dataset.id, version.generation == dataset.generation)


def shown_size(version: str = "registry.versions") -> str:
    """SQL of the size that is shown for a version: the last one that is known, as Alyx keeps a size that is not sent.

    Proofs do not use it: nothing is claimed of the size of these bytes.
    """
    return f"""COALESCE({version}.size_bytes, (
        SELECT older.size_bytes FROM registry.versions older
        WHERE older.dataset_id = {version}.dataset_id AND older.generation < {version}.generation
        AND older.size_bytes IS NOT NULL ORDER BY older.generation DESC LIMIT 1))"""  # noqa: S608


def is_released() -> Condition:
    """The release is public: it is published, and its embargo has ended."""
    return sa.and_(ReleaseRow.state == "published", ReleaseRow.public_from <= sa.func.statement_timestamp())


def is_open() -> Condition:
    """The release is public, or was withdrawn after it was."""
    was_public = sa.and_(ReleaseRow.state == "withdrawn", ReleaseRow.public_from <= ReleaseRow.withdrawn_at)
    return sa.or_(is_released(), was_public)


def sql_of(expression: sa.ColumnElement[Any] | sa.Select[Any]) -> str:
    """The expression or statement as text of a view."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(expression.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
