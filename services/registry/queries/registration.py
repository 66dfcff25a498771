"""What registrations read before they write: sessions, users, and the datasets that already exist."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.json_pages import per_caller, request_value
from libs.common.db.prepared import fetch_rows
from libs.common.db.rows import find_spellings_in
from libs.common.permissions import Target
from libs.common.problem import BadRequest, Unavailable, UnknownReference
from libs.common.published import SESSION_USERS, SESSIONS, SUBJECTS, USERS, table
from libs.common.targets import fetch_dataset_target, fetch_session_targets
from libs.common.visibility import Visibility
from services.registry.domain.requests import FileKey
from services.registry.domain.sessions import NamedSession, SessionName, choose_session
from services.registry.models import DatasetRow
from services.registry.queries import visible
from services.registry.queries.bulk_writes import execute_write
from services.registry.queries.dataset_moves import fetch_sessions_having


@dataclass(frozen=True)
class RegistrationScope:
    """What files belong to: a session, or another object (then `content_type` is its type).

    folder   of the tree: lab/Subjects/subject/date/number, or `aggregates`
    lab_id   of the session or the object; None: no lab
    below    folders that the files of an aggregate may be in
    n_twins  how many other sessions of that subject, day and number the caller can see, where a path named it
    """

    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None
    folder: str
    lab_id: UUID | None
    subject_lab_id: UUID | None
    below: tuple[str, ...] = ()
    n_twins: int = 0

    @property
    def owner_id(self) -> UUID | None:
        """Id of the session or the object."""
        return self.session_id or self.object_id


async def find_session_by_path(
    session: ReadSession,
    visibility: Visibility,
    name: SessionName,
    labs: Sequence[str] = (),
    files: Collection[FileKey] = (),
    *,
    field: str,
) -> RegistrationScope | None:
    """The session of that folder; of several the one of the named labs that has some of the files, then the newest.

    A subject in another spelling is the only one of that name, if no subject, visible or not, has it in this spelling.
    field   of the body that has the name, for the problem
    Raises AmbiguousName where sessions of several subjects are left, or several that have some of the files.
    """
    name = replace(name, subject=normal(name.subject))
    sessions = await _fetch_sessions(session, visibility, name)
    if not sessions:
        spellings = await find_spellings_in(session, table(SUBJECTS).c.nickname, name.subject)
        if len(spellings) != 1 or name.subject in spellings:
            return None
        name = replace(name, subject=spellings[0])
        sessions = await _fetch_sessions(session, visibility, name)
    named = [each.session for each in sessions]
    having = (
        await fetch_sessions_having(session, [each.id for each in named], files) if len(named) > 1 else []
    )
    chosen = choose_session(name, named, labs, having, field=field)
    scope = _scope(next((each.columns for each in sessions if each.session == chosen), None))
    n_named = sum(each.subject_id == chosen.subject_id for each in named) if chosen else 0
    return replace(scope, n_twins=n_named - 1) if scope else None


@dataclass(frozen=True)
class _ScopedSession:
    """A session of a name, and the columns of its scope."""

    session: NamedSession
    columns: Mapping[str, Any]


async def _fetch_sessions(
    session: ReadSession, visibility: Visibility, name: SessionName
) -> list[_ScopedSession]:
    """The sessions of that name, the newest first."""
    values: dict[str, Any] = {"subject": name.subject, "day": name.day, "number": name.number}
    rows = await fetch_rows(session, _select_sessions(visibility), **values)
    return [
        _ScopedSession(NamedSession(row["id"], row["subject_id"], row["lab"] or row["subject_lab"]), row)
        for row in rows
    ]


@per_caller
def _select_sessions(visibility: Visibility) -> sa.Select[Any]:
    sessions = table(SESSIONS)
    return (
        _scopes()
        .where(
            sessions.c.subject == request_value("subject", sa.Text()),
            sessions.c.date == request_value("day", sa.Date()),
            sessions.c.number == request_value("number", sa.Integer()),
            visible.is_session_visible(visibility),
        )
        .order_by(sessions.c.created_at.desc(), sessions.c.id)
    )


async def find_session_by_id(
    session: ReadSession, visibility: Visibility, session_id: UUID
) -> RegistrationScope | None:
    """The session of that id."""
    is_named = table(SESSIONS).c.id == session_id
    rows = await session.execute(_scopes().where(is_named, visible.is_session_visible(visibility)))
    return _scope(rows.mappings().first())


def _scopes() -> sa.Select[Any]:
    sessions, subjects = table(SESSIONS), table(SUBJECTS)
    of_subject = (subjects.c.lab_id.label("subject_lab_id"), subjects.c.lab.label("subject_lab"))
    return sa.select(sessions, *of_subject).join(subjects, subjects.c.id == sessions.c.subject_id)


def _scope(row: Mapping[str, Any] | None) -> RegistrationScope | None:
    if row is None:
        return None
    if row["folder"] is None:
        raise Unavailable(
            "The session's folder is unknown until metadata's database is upgraded: try again later."
        )
    return RegistrationScope(
        session_id=row["id"],
        content_type=None,
        object_id=None,
        folder=row["folder"],
        lab_id=row["lab_id"],
        subject_lab_id=row["subject_lab_id"],
    )


async def fetch_target(session: ReadSession, scope: RegistrationScope) -> Target:
    """What files of a scope belong to: decides who may register them.

    Raises BadRequest for a session that is gone by now. So a merged or deleted session gets no files where its
    registrations are locked before.
    """
    if scope.session_id is not None:
        target = (await fetch_session_targets(session, [scope.session_id])).get(scope.session_id)
        if target is None:
            raise BadRequest(fields={"path": ["Its session was deleted or merged at this moment."]})
        return target
    return await fetch_dataset_target(session, scope.session_id, scope.content_type, scope.object_id)


async def fetch_user_id(session: ReadSession, username: str, field: str = "created_by") -> UUID:
    """The id of a user that a field names. Raises BadRequest."""
    user_id, _ = await fetch_people(session, username, None)
    if user_id is None:
        raise UnknownReference(field, username, key="username")
    return user_id


async def fetch_people(
    session: ReadSession, username: str | None, session_id: UUID | None
) -> tuple[UUID | None, list[str]]:
    """The id of a user, and the usernames of a session's users in order."""
    values: dict[str, Any] = {"username": username and normal(username), "session_id": session_id}
    (row,) = await fetch_rows(session, _select_people(), **values)
    return row["user_id"], row["usernames"]


@cache
def _select_people() -> sa.Select[Any]:
    link, users, named = table(SESSION_USERS), table(USERS), table(USERS).alias("named")
    user_id = sa.select(named.c.id).where(named.c.username == request_value("username", sa.Text()))
    usernames = (
        sa.select(users.c.username)
        .where(link.c.session_id == request_value("session_id", sa.Uuid()), users.c.id == link.c.user_id)
        .order_by(users.c.username)
    )
    return sa.select(
        user_id.scalar_subquery().label("user_id"),
        sa.func.array(usernames.scalar_subquery(), type_=sa.ARRAY(sa.Text)).label("usernames"),
    )


def _within(scope: RegistrationScope) -> list[Condition]:
    """Datasets of the scope that are not deleted."""
    if scope.session_id is not None:
        return [DatasetRow.session_id == scope.session_id, DatasetRow.deleted_at.is_(None)]
    return [
        DatasetRow.session_id.is_(None),
        DatasetRow.object_id == scope.object_id,
        DatasetRow.deleted_at.is_(None),
    ]


async def fetch_paths_beside(session: ReadSession, dataset: DatasetRow) -> list[FileKey]:
    """The same of the other files of a dataset's session or object."""
    columns = (DatasetRow.collection, DatasetRow.revision, DatasetRow.name)
    rows = await session.execute(
        sa.select(*columns).where(
            DatasetRow.session_id.is_not_distinct_from(dataset.session_id),
            DatasetRow.object_id.is_not_distinct_from(dataset.object_id),
            DatasetRow.deleted_at.is_(None),
            DatasetRow.id != dataset.id,
        )
    )
    return [(collection, revision, name) for collection, revision, name in rows]


async def update_default_revisions(
    session: WriteSession, scope: RegistrationScope, chosen: Mapping[tuple[str, str], UUID]
) -> None:
    """Make datasets the default ones among all revisions of their files; `chosen` by collection and name."""
    ids = sa.literal(list(chosen.values()), sa.ARRAY(sa.UUID))
    siblings = sa.select(
        sa.func.unnest(sa.literal([collection for collection, _ in chosen], sa.ARRAY(sa.Text))),
        sa.func.unnest(sa.literal([name for _, name in chosen], sa.ARRAY(sa.Text))),
    )
    others = (
        *_within(scope),
        DatasetRow.is_default,
        DatasetRow.id != sa.all_(ids),
        sa.tuple_(DatasetRow.collection, DatasetRow.name).in_(siblings),
    )
    await execute_write(session, sa.update(DatasetRow).where(*others).values(is_default=False))
    is_chosen = DatasetRow.id == sa.any_(ids)
    await execute_write(session, sa.update(DatasetRow).where(is_chosen).values(is_default=True))


async def update_not_default(session: WriteSession, dataset_ids: Sequence[UUID]) -> None:
    """Make datasets no longer the default revisions of their files."""
    statement = sa.update(DatasetRow).where(DatasetRow.id.in_(dataset_ids)).values(is_default=False)
    await execute_write(session, statement)
