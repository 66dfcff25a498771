"""Which rows a caller may know of, as conditions.

Each names the tables that are its own with `correlate_except`: a list that reads the same table, as that of
restrictions reads actions, would otherwise lend its own row to the condition.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.permissions import Visibility
from libs.common.published import DATASETS, table
from services.metadata.models import ActionRow, ProjectRow, SessionProjectRow, SubjectProjectRow, SubjectRow

Condition = sa.ColumnElement[bool]


def projects(seen: Visibility) -> Condition:
    """Projects the caller may know of: private ones only if in them."""
    there = ProjectRow.deleted_at.is_(None)
    if seen.everything:
        return there
    return sa.and_(there, sa.or_(ProjectRow.is_private.is_(False), ProjectRow.id.in_(seen.projects)))


def _in_projects(link: Any, owner: Any, key: Any, only: frozenset[UUID]) -> Condition:
    return sa.exists().where(owner == key, link.project_id.in_(only)).correlate_except(link)


def _no_closed_project(link: Any, owner: Any, key: Any, mine: frozenset[UUID]) -> Condition:
    """None of its projects is private, or the caller is in one of them."""
    private = (
        sa.exists()
        .where(owner == key, link.project_id == ProjectRow.id, ProjectRow.is_private.is_(True))
        .correlate_except(link, ProjectRow)
    )
    return sa.or_(~private, _in_projects(link, owner, key, mine)) if mine else ~private


def sessions(seen: Visibility, action: Any = ActionRow) -> Condition:
    """Sessions (and other actions) the caller may know of."""
    conditions: list[Condition] = [action.deleted_at.is_(None)]
    if not seen.everything:
        link, owner = SessionProjectRow, SessionProjectRow.session_id
        if seen.public_only:
            datasets = table(DATASETS)
            public = sa.exists().where(datasets.c.session_id == action.id, datasets.c.public)
            conditions.append(public.correlate_except(datasets))
        conditions.append(_no_closed_project(link, owner, action.id, seen.projects))
        conditions += _limits(seen, action.lab_id, link, owner, action.id)
    return sa.and_(*conditions)


def subjects(seen: Visibility, subject: Any = SubjectRow) -> Condition:
    """Animals the caller may know of."""
    conditions: list[Condition] = [subject.deleted_at.is_(None)]
    if not seen.everything:
        link, owner = SubjectProjectRow, SubjectProjectRow.subject_id
        if seen.public_only:
            datasets = table(DATASETS)
            public = sa.exists().where(
                ActionRow.subject_id == subject.id,
                ActionRow.deleted_at.is_(None),
                datasets.c.session_id == ActionRow.id,
                datasets.c.public,
            )
            conditions.append(public.correlate_except(ActionRow, datasets))
        conditions.append(_no_closed_project(link, owner, subject.id, seen.projects))
        conditions += _limits(seen, subject.lab_id, link, owner, subject.id)
    return sa.and_(*conditions)


def _limits(seen: Visibility, lab: Any, link: Any, owner: Any, key: Any) -> list[Condition]:
    """What a narrowed token leaves: rows of its labs or of its projects."""
    if seen.labs is None or seen.only_projects is None:
        return []
    return [sa.or_(lab.in_(seen.labs), _in_projects(link, owner, key, seen.only_projects))]
