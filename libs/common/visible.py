"""Visibility rules, written once: a `Visibility` as the SQL condition on a session, a subject or another object.

Built on published views only, so every service can use it in its lists, its joins and the relations of its filters.
`*_visible(visibility, id)` holds where the object exists and is visible to the caller. `*_row_visible` is the same for
a statement that has the object's row at hand, so that a long list does not look it up again.

Each sub-select reads an alias of its own and correlates everything else: a list that reads the same view would
otherwise lend its rows to the condition. No rule holds itself, so each has one fixed alias per view. The key that
is passed in is a value, or a column of the statement around it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.published import (
    DATASETS,
    INSERTIONS,
    LABS,
    PROJECTS,
    SESSION_AUDIENCE,
    SESSIONS,
    SUBJECT_AUDIENCE,
    SUBJECTS,
    TAGS,
    View,
    alias,
)
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility


def is_session_visible(visibility: Visibility, session_id: Any) -> Condition:
    """The session exists and is visible to the caller."""
    session = alias(SESSIONS, "itself")
    return (
        sa.exists()
        .where(session.c.id == session_id, is_session_row_visible(visibility, session.c.id, session.c.lab_id))
        .correlate_except(session)
    )


def is_session_row_visible(visibility: Visibility, session_id: Any, lab_id: Any) -> Condition:
    """The same for a session that is known to exist."""
    if visibility.everything:
        return sa.true()
    conditions = [_is_open_to(visibility, SESSION_AUDIENCE, "session_id", session_id)]
    if visibility.public_only:
        dataset = alias(DATASETS, "covers")
        covered = sa.exists().where(dataset.c.session_id == session_id, dataset.c.public)
        conditions.append(covered.correlate_except(dataset))
    return sa.and_(*conditions, *_within(visibility, SESSION_AUDIENCE, "session_id", session_id, lab_id))


def is_subject_visible(visibility: Visibility, subject_id: Any) -> Condition:
    """The subject exists and is visible to the caller."""
    subject = alias(SUBJECTS, "itself")
    return (
        sa.exists()
        .where(subject.c.id == subject_id, is_subject_row_visible(visibility, subject.c.id, subject.c.lab_id))
        .correlate_except(subject)
    )


def is_subject_row_visible(visibility: Visibility, subject_id: Any, lab_id: Any) -> Condition:
    """The same for a subject that is known to exist."""
    if visibility.everything:
        return sa.true()
    conditions = [_is_open_to(visibility, SUBJECT_AUDIENCE, "subject_id", subject_id)]
    if visibility.public_only:
        conditions.append(_is_subject_covered(visibility, subject_id))
    return sa.and_(*conditions, *_within(visibility, SUBJECT_AUDIENCE, "subject_id", subject_id, lab_id))


def is_project_visible(visibility: Visibility, project_id: Any) -> Condition:
    """The project exists and is visible to the caller."""
    project = alias(PROJECTS, "itself")
    return (
        sa.exists()
        .where(
            project.c.id == project_id,
            is_project_row_visible(visibility, project.c.id, project.c.is_private),
        )
        .correlate_except(project)
    )


def is_project_row_visible(visibility: Visibility, project_id: Any, is_private: Any) -> Condition:
    """The same for a project that is known to exist: open, or with the caller in it.

    A token narrowed to labs knows the projects of their sessions and subjects, one narrowed to projects knows these.
    """
    if visibility.everything:
        return sa.true()
    mine = sa.true() if visibility.every_project else project_id.in_(visibility.projects)
    conditions = [sa.or_(is_private.is_(False), mine)]
    if visibility.labs is not None and visibility.only_projects is not None:
        used = [
            _is_used_by(SESSION_AUDIENCE, "session_id", SESSIONS, project_id, visibility.labs),
            _is_used_by(SUBJECT_AUDIENCE, "subject_id", SUBJECTS, project_id, visibility.labs),
        ]
        named = project_id.in_(visibility.only_projects)
        conditions.append(sa.or_(named, *used) if visibility.labs else named)
    return sa.and_(*conditions)


def is_lab_visible(visibility: Visibility, lab_id: Any) -> Condition:
    """The lab exists and is visible to the caller."""
    lab = alias(LABS, "itself")
    return (
        sa.exists().where(lab.c.id == lab_id, is_lab_row_visible(visibility, lab.c.id)).correlate_except(lab)
    )


def is_lab_row_visible(visibility: Visibility, lab_id: Any) -> Condition:
    """The same for a lab that is known to exist: every caller sees all labs.

    A token narrowed to labs knows these, one narrowed to projects those of the sessions and subjects in them.
    """
    if visibility.labs is None or visibility.only_projects is None:
        return sa.true()
    audiences = ((SESSION_AUDIENCE, "session_id", SESSIONS), (SUBJECT_AUDIENCE, "subject_id", SUBJECTS))
    used = [_is_at_work_in(*audience, lab_id, visibility.only_projects) for audience in audiences]
    named = lab_id.in_(visibility.labs)
    return sa.or_(named, *used) if visibility.only_projects else named


def is_object_visible(visibility: Visibility, content_type: Any, object_id: Any) -> Condition:
    """The object of an aggregate dataset exists and is visible to the caller.

    `content_type` is a column, or a text such as "subject". An object of an unknown type is for administrators only.
    """
    rules: dict[str, Condition] = {
        ContentType.SESSION: is_session_visible(visibility, object_id),
        ContentType.SUBJECT: is_subject_visible(visibility, object_id),
        ContentType.PROBEINSERTION: _is_insertion_visible(visibility, object_id),
        ContentType.PROJECT: is_project_visible(visibility, object_id),
        ContentType.LAB: is_lab_visible(visibility, object_id),
        ContentType.TAG: _is_for_all(TAGS, object_id, None if visibility.labs is None else ()),
        ContentType.LABMEMBER: sa.literal(visibility.labs is None),
    }
    if isinstance(content_type, str):
        return rules.get(content_type, sa.literal(visibility.everything))
    cases = [sa.and_(content_type == name, rule) for name, rule in rules.items()]
    if visibility.everything:
        cases.append(content_type.not_in(tuple(rules)))
    return sa.or_(*cases)


def is_dataset_visible(visibility: Visibility, dataset_id: Any) -> Condition:
    """The dataset exists and is visible to the caller."""
    dataset = alias(DATASETS, "itself")
    return (
        sa.exists()
        .where(dataset.c.id == dataset_id, is_dataset_row_visible(visibility, dataset.c, dataset.c.public))
        .correlate_except(dataset)
    )


def is_dataset_row_visible(
    visibility: Visibility, dataset: Any, public: Condition, session: Any = None
) -> Condition:
    """The same for a dataset that is known to exist: it is as visible as its session, or as its object if it has none.

    Administrators see an aggregate also where its object is gone.

    `dataset` has the columns id, session_id, content_type and object_id; `public` holds where a public tag or release
    covers it.
    `session` are the columns of SESSIONS, outer-joined to it, where the statement has them.
    """
    # A public tag on the dataset covers its session and its object: what remains to check of these is the rest.
    rest = replace(visibility, public_only=False)
    has_session, has_none = dataset.session_id.is_not(None), dataset.session_id.is_(None)
    conditions = [public] if visibility.public_only and not visibility.everything else []
    if session is None:
        all_of_them: Condition = sa.literal(visibility.everything)
        of_object = sa.or_(all_of_them, is_object_visible(rest, dataset.content_type, dataset.object_id))
        of_session = is_session_visible(rest, dataset.session_id)
        return sa.and_(sa.or_(has_none, of_session), sa.or_(has_session, of_object), *conditions)
    conditions.append(sa.or_(has_none, session.id.is_not(None)))
    if not visibility.everything:
        conditions.append(sa.or_(has_session, dataset.id.in_(_aggregates(rest))))
        # Not inside the OR: by itself, "no private project" is a join, which a long list is read with.
        conditions.append(_is_open_to(visibility, SESSION_AUDIENCE, "session_id", dataset.session_id))
        limits = _within(visibility, SESSION_AUDIENCE, "session_id", dataset.session_id, session.lab_id)
        conditions += [sa.or_(has_none, limit) for limit in limits]
    return sa.and_(*conditions)


def _aggregates(visibility: Visibility) -> sa.Select[tuple[Any]]:
    """All aggregates whose object the caller can see.

    They are few, and looked up once: row by row, the planner takes a list of files for too costly to hash.
    """
    aggregate = alias(DATASETS, "aggregate")
    return sa.select(aggregate.c.id).where(
        aggregate.c.session_id.is_(None),
        aggregate.c.object_id.is_not(None),
        is_object_visible(visibility, aggregate.c.content_type, aggregate.c.object_id),
    )


def _is_open_to(visibility: Visibility, view: View, owner: str, key: Any) -> Condition:
    """None of its projects is private, or the caller is in one of them.

    One NOT EXISTS around the other, and no OR: the planner reads a long list with a join, not row by row.
    """
    if visibility.every_project:
        return sa.true()
    audience = alias(view, "closed")
    closed = sa.exists().where(audience.c[owner] == key, audience.c.is_private)
    if visibility.projects:
        closed = closed.where(~_is_in_projects(view, owner, audience.c[owner], visibility.projects))
    return ~closed.correlate_except(audience)


def _is_in_projects(view: View, owner: str, key: Any, projects: Collection[UUID]) -> Condition:
    audience = alias(view, "inside")
    inside = sa.exists().where(audience.c[owner] == key, audience.c.project_id.in_(projects))
    return inside.correlate_except(audience)


def _within(visibility: Visibility, view: View, owner: str, key: Any, lab_id: Any) -> list[Condition]:
    """What a narrowed token leaves: objects of its labs or of its projects."""
    if visibility.labs is None or visibility.only_projects is None:
        return []
    return [sa.or_(lab_id.in_(visibility.labs), _is_in_projects(view, owner, key, visibility.only_projects))]


def _is_subject_covered(visibility: Visibility, subject_id: Any) -> Condition:
    """A public tag covers a dataset of the subject, or of one of its sessions that is not closed."""
    aggregate, dataset = alias(DATASETS, "covers"), alias(DATASETS, "of its session")
    session = alias(SESSIONS, "of the subject")
    own = sa.exists().where(
        aggregate.c.object_id == subject_id,
        aggregate.c.content_type == ContentType.SUBJECT,
        aggregate.c.public,
    )
    of_session = sa.exists().where(
        session.c.subject_id == subject_id,
        dataset.c.session_id == session.c.id,
        dataset.c.public,
        _is_open_to(visibility, SESSION_AUDIENCE, "session_id", session.c.id),
    )
    return sa.or_(own.correlate_except(aggregate), of_session.correlate_except(session, dataset))


def _is_insertion_visible(visibility: Visibility, insertion_id: Any) -> Condition:
    insertion = alias(INSERTIONS, "itself")
    condition = sa.exists().where(
        insertion.c.id == insertion_id, is_session_visible(visibility, insertion.c.session_id)
    )
    return condition.correlate_except(insertion)


def _is_for_all(view: View, key: Any, only: Collection[UUID] | None) -> Condition:
    """An object that every caller sees; a narrowed token only these."""
    row = alias(view, "itself")
    condition = sa.exists().where(row.c.id == key, *([] if only is None else [row.c.id.in_(only)]))
    return condition.correlate_except(row)


def _is_used_by(view: View, owner: str, objects: View, project_id: Any, labs: Collection[UUID]) -> Condition:
    audience, thing = alias(view, "use"), alias(objects, "used")
    condition = sa.exists().where(
        audience.c.project_id == project_id, thing.c.id == audience.c[owner], thing.c.lab_id.in_(labs)
    )
    return condition.correlate_except(audience, thing)


def _is_at_work_in(
    view: View, owner: str, objects: View, lab_id: Any, projects: Collection[UUID]
) -> Condition:
    audience, thing = alias(view, "use"), alias(objects, "used")
    condition = sa.exists().where(
        thing.c.lab_id == lab_id, audience.c[owner] == thing.c.id, audience.c.project_id.in_(projects)
    )
    return condition.correlate_except(audience, thing)
