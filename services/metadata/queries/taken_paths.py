"""Paths of sessions' files at which files of other datasets are, also of those that the caller cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.paths import SUBJECTS
from libs.common.db import ReadSession
from libs.common.db.conditions import any_of
from libs.common.published import COPIES, DATASETS, SESSIONS, alias
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible

_session, _twin = alias(SESSIONS, "session"), alias(SESSIONS, "twin")
_dataset, _other = alias(DATASETS, "dataset"), alias(DATASETS, "other")
_copy, _taken = alias(COPIES, "copy"), alias(COPIES, "taken")


async def fetch_taken_paths(
    session: ReadSession, visibility: Visibility, session_ids: Sequence[UUID]
) -> tuple[int, list[str]]:
    """How many files of sessions have a path in a repository that another dataset's record has; those visible."""
    taken = sa.union(_at_path_of_twin(session_ids), _at_own_path(session_ids)).subquery()
    is_visible = is_dataset_visible(visibility, taken.c.other_id)
    rows = await session.execute(sa.select(taken.c.path, is_visible.label("is_visible")))
    all_rows = rows.all()
    names = {row.path for row in all_rows if row.is_visible}
    return len({row.path for row in all_rows}), sorted(names)


def _at_path_of_twin(session_ids: Sequence[UUID]) -> sa.Select[Any]:
    """Animals of two labs with one nickname have two folders."""
    return (
        _files(session_ids)
        .join(
            _twin,
            sa.and_(
                _twin.c.subject == _session.c.subject,
                _twin.c.date == _session.c.date,
                sa.func.coalesce(_twin.c.number, 0) == sa.func.coalesce(_session.c.number, 0),
                _twin.c.id != _session.c.id,
            ),
        )
        .join(
            _other,
            sa.and_(_other.c.session_id == _twin.c.id, _other.c.relative_path == _dataset.c.relative_path),
        )
        .join(
            _taken,
            sa.and_(_taken.c.dataset_id == _other.c.id, _taken.c.generation == _other.c.generation),
        )
        .where(
            _copy.c.own_path.is_(None),
            _taken.c.own_path.is_(None),
            _taken.c.repository_id == _copy.c.repository_id,
            _taken.c.state != CopyState.RETIRING,
            sa.or_(
                _twin.c.folder == _session.c.folder,
                sa.and_(_copy.c.store.is_(None), _twin.c.subject_id == _session.c.subject_id),
            ),
        )
    )


def _at_own_path(session_ids: Sequence[UUID]) -> sa.Select[Any]:
    below = sa.func.split_part(_session.c.folder, SUBJECTS, 2)
    path = sa.func.coalesce(_copy.c.own_path, sa.func.concat(below, "/", _dataset.c.relative_path))
    return (
        _files(session_ids)
        .join(
            _taken,
            sa.and_(_taken.c.repository_id == _copy.c.repository_id, _taken.c.own_path == path),
        )
        .join(
            _other,
            sa.and_(_other.c.id == _taken.c.dataset_id, _other.c.generation == _taken.c.generation),
        )
        .where(
            _other.c.id != _dataset.c.id,
            _taken.c.own_path.is_not(None),
            _taken.c.state != CopyState.RETIRING,
            sa.or_(_other.c.session_id.is_(None), _other.c.session_id.in_(sa.select(_twin.c.id))),
        )
    )


def _files(session_ids: Sequence[UUID]) -> sa.Select[Any]:
    """Records of the sessions' datasets."""
    is_record = sa.and_(_copy.c.dataset_id == _dataset.c.id, _copy.c.generation == _dataset.c.generation)
    return (
        sa.select(_dataset.c.relative_path.label("path"), _other.c.id.label("other_id"))
        .select_from(_session)
        .join(_dataset, _dataset.c.session_id == _session.c.id)
        .join(_copy, is_record)
        .where(_session.c.id == any_of(session_ids), _copy.c.state != CopyState.RETIRING)
    )
