"""Which sessions and datasets a caller may know of, as conditions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.permissions import Visibility
from libs.common.published import PROJECTS, SESSION_PROJECTS, SESSIONS, table
from services.registry.models import DatasetRow, DatasetTagRow, TagRow

Condition = sa.ColumnElement[bool]


def tagged(flag: sa.ColumnElement[bool]) -> Condition:
    """The dataset has a tag of which the flag is true."""
    has = sa.exists().where(
        DatasetTagRow.dataset_id == DatasetRow.id, TagRow.id == DatasetTagRow.tag_id, flag
    )
    return has.correlate_except(DatasetTagRow, TagRow)


def datasets(seen: Visibility) -> Condition:
    """Datasets the caller may know of; `table(SESSIONS)` is left-joined, and datasets of deleted sessions are gone."""
    session = table(SESSIONS)
    conditions = [
        DatasetRow.deleted_at.is_(None),
        sa.or_(DatasetRow.session_id.is_(None), session.c.id.is_not(None)),
        *_limits(seen, DatasetRow.session_id),
    ]
    if seen.public_only and not seen.everything:
        conditions.append(tagged(TagRow.public.is_(True)))
    return sa.and_(*conditions)


def sessions(seen: Visibility) -> Condition:
    """Sessions the caller may know of; of a public reader, those with a public dataset."""
    conditions = _limits(seen, table(SESSIONS).c.id)
    if seen.public_only and not seen.everything:
        public = sa.exists().where(
            DatasetRow.session_id == table(SESSIONS).c.id,
            DatasetRow.deleted_at.is_(None),
            tagged(TagRow.public.is_(True)),
        )
        conditions.append(public.correlate_except(DatasetRow))
    return sa.and_(sa.true(), *conditions)


def _limits(seen: Visibility, session_id: Any) -> list[Condition]:
    """No private project but one's own, and what a narrowed token leaves."""
    if seen.everything:
        return []
    link, project = table(SESSION_PROJECTS), table(PROJECTS)
    private = (
        sa.exists()
        .where(
            link.c.session_id == session_id, project.c.id == link.c.project_id, project.c.is_private.is_(True)
        )
        .correlate_except(link, project)
    )
    of = sa.exists().where(link.c.session_id == session_id)
    mine = of.where(link.c.project_id.in_(seen.projects)).correlate_except(link)
    conditions: list[Condition] = [sa.or_(~private, mine) if seen.projects else ~private]
    if seen.labs is not None and seen.only_projects is not None:
        within = of.where(link.c.project_id.in_(seen.only_projects)).correlate_except(link)
        conditions.append(sa.or_(table(SESSIONS).c.lab_id.in_(seen.labs), within))
    return conditions
