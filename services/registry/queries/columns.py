"""Expressions and joins that several statements share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cingulum.alf.paths import SUBJECTS
from libs.common.db.conditions import Condition
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import CopyState
from services.registry.models import CopyRow, DatasetRow, RepositoryRow, VersionRow
from services.registry.models.expressions import file_id, is_shown, path_in_folder, shown_size

GONE = (CopyState.RETIRING, CopyState.RETIRED)  # not shown by Alyx's routes


def is_version_of_copy() -> Condition:
    """The version is that of the copy."""
    return sa.and_(VersionRow.dataset_id == CopyRow.dataset_id, VersionRow.generation == CopyRow.generation)


def is_current_copy() -> Condition:
    """The copy is one of the newest version of the dataset."""
    return sa.and_(CopyRow.dataset_id == DatasetRow.id, CopyRow.generation == DatasetRow.generation)


def session_folder() -> sa.ColumnElement[str]:
    """The session's current folder (its subject may have been renamed); for an aggregate the registered one."""
    return sa.func.coalesce(table(SESSIONS).c.folder, DatasetRow.lab_path)


def path_of_copy() -> sa.ColumnElement[str]:
    """The path that a file record shows: its own one, else as `cingulum.alf.path_below_subjects` of the dataset."""
    below = sa.func.split_part(session_folder(), SUBJECTS, 2)
    return sa.func.coalesce(
        CopyRow.relative_path, sa.func.ltrim(sa.func.concat(below, "/", path_in_folder()), "/")
    )


def size_of_dataset() -> sa.ColumnElement[int]:
    """The size that a dataset shows, in a statement that joins its version."""
    return sa.literal_column(shown_size(), sa.BigInteger())


def is_of_file(record_id: UUID) -> Condition:
    """The copy is one of the file record of that id, or of the record to which the copy of that id belongs."""
    named = aliased(CopyRow)
    record = sa.select(named.dataset_id, named.repository_id).where(
        sa.or_(named.id == record_id, file_id(named) == record_id)
    )
    return sa.tuple_(CopyRow.dataset_id, CopyRow.repository_id).in_(record)


def has_shown_copy(*conditions: Condition) -> Condition:
    """The dataset's newest version has a shown copy in a repository that fulfils the conditions."""
    return sa.exists().where(
        is_current_copy(), RepositoryRow.id == CopyRow.repository_id, is_shown(), *conditions
    )


def is_any_of(column: Any, ids: Collection[UUID]) -> Condition:
    """The column is one of many ids: one parameter, however many they are."""
    condition: Condition = column == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.UUID)))
    return condition
