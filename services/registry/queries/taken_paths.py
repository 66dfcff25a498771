"""Paths in repositories that the records of datasets have, also of those that the caller cannot see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf import AlfError, SessionPath, parse_folder
from cingulum.alf.paths import SUBJECTS
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.db.json_pages import request_value
from libs.common.db.prepared import fetch_rows
from libs.common.published import SESSIONS, alias, table
from libs.common.visibility import Visibility
from services.registry.models import CopyRow, DatasetRow, RepositoryRow
from services.registry.models.expressions import path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import GONE, is_any_of, is_current_copy


@dataclass(frozen=True)
class TakenPath:
    """A path, below the folder of subjects, that the record of a dataset has in a repository."""

    path: str
    repository: str
    dataset_id: UUID


@dataclass(frozen=True)
class Owner:
    """A dataset whose record has a path."""

    session_id: UUID | None
    is_visible: bool
    is_protected: bool


@dataclass(frozen=True)
class Folder:
    """The folder of a session or object, and the session: animals of two labs with one nickname have two folders."""

    path: str
    session_id: UUID | None


async def fetch_taken_paths(
    session: ReadSession, repositories: Collection[str], paths: Collection[str], folder: Folder | None
) -> list[TakenPath]:
    """Which of these paths, of files of one session or one object, records in the repositories have.

    folder   in which the paths are; None: in that of any lab
    """
    of_session = _session_of(next(iter(paths)))
    values: dict[str, Any] = {
        "repositories": list(repositories),
        "paths": list(paths),
        "names": list({path.rpartition("/")[2] for path in paths}),
    }
    if of_session is not None:
        values |= {"subject": of_session.subject, "day": of_session.date, "number": of_session.number}
        if folder is not None:
            values |= {"folder": folder.path, "session_id": folder.session_id}
    statement = _select_taken(of_session=of_session is not None, in_folder=folder is not None)
    return [TakenPath(**row) for row in await fetch_rows(session, statement, **values)]


def _session_of(path: str) -> SessionPath | None:
    try:
        return parse_folder(path.rpartition("/")[0]).session
    except AlfError:
        return None


@cache
def _select_taken(*, of_session: bool, in_folder: bool) -> sa.Select[Any]:
    """Records with a path of their own, and those at the path of a dataset of such a session, or of an object."""
    paths = sa.any_(request_value("paths", sa.ARRAY(sa.Text)))
    sessions = table(SESSIONS)
    own = _records(CopyRow.relative_path).where(
        CopyRow.relative_path.is_not(None),  # as the index
        CopyRow.relative_path == paths,
        sa.or_(DatasetRow.session_id.is_(None), DatasetRow.session_id.in_(sa.select(sessions.c.id))),
    )
    path: sa.ColumnElement[str] = path_in_folder()
    if of_session:
        path = sa.func.concat(sa.func.split_part(sessions.c.folder, SUBJECTS, 2), "/", path)
        is_same = _is_session(in_folder=in_folder)
        implied = _records(path).join(sessions, sa.and_(sessions.c.id == DatasetRow.session_id, is_same))
    else:
        implied = _records(path).where(DatasetRow.session_id.is_(None))
    names = sa.any_(request_value("names", sa.ARRAY(sa.Text)))
    implied = implied.where(CopyRow.relative_path.is_(None), DatasetRow.name == names, path == paths)
    return sa.select(sa.union_all(own, implied).subquery())


def _is_session(*, in_folder: bool) -> Condition:
    """The session has the subject, day and number of the paths."""
    sessions = table(SESSIONS)
    is_named = sa.and_(
        sessions.c.subject == request_value("subject", sa.Text()),
        sessions.c.date == request_value("day", sa.Date()),
        sa.func.coalesce(sessions.c.number, 0) == request_value("number", sa.Integer()),
    )
    if not in_folder:
        return is_named
    itself = alias(SESSIONS, "itself")
    subject_id = sa.select(itself.c.subject_id).where(itself.c.id == request_value("session_id", sa.Uuid()))
    is_of_subject = sa.and_(
        RepositoryRow.store.is_(None), sessions.c.subject_id == subject_id.scalar_subquery()
    )
    return sa.and_(is_named, sa.or_(sessions.c.folder == request_value("folder", sa.Text()), is_of_subject))


def _records(path: Any) -> sa.Select[Any]:
    """Records of datasets that are not deleted, in the repositories."""
    repositories = sa.any_(request_value("repositories", sa.ARRAY(sa.Text)))
    return (
        sa.select(
            path.label("path"), RepositoryRow.name.label("repository"), DatasetRow.id.label("dataset_id")
        )
        .select_from(DatasetRow)
        .join(CopyRow, is_current_copy())
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .where(
            RepositoryRow.name == repositories, CopyRow.state.not_in(GONE), DatasetRow.deleted_at.is_(None)
        )
    )


async def fetch_owners(
    session: ReadSession, visibility: Visibility, dataset_ids: Collection[UUID]
) -> Mapping[UUID, Owner]:
    """The datasets of those ids, with whether the caller can see them."""
    sessions = table(SESSIONS)
    rows = await session.execute(
        sa.select(
            DatasetRow.id,
            DatasetRow.session_id,
            visible.is_dataset_visible(visibility).label("is_visible"),
            visible.is_protected().label("is_protected"),
        )
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(is_any_of(DatasetRow.id, dataset_ids))
    )
    return {row.id: Owner(row.session_id, row.is_visible, row.is_protected) for row in rows}


async def fetch_taken_ids(session: ReadSession, dataset_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Those of the ids that a dataset has, also a deleted one."""
    taken = await session.scalars(sa.select(DatasetRow.id).where(DatasetRow.id.in_(dataset_ids)))
    return taken.all()
