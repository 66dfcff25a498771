"""What registrations read before they write: sessions, users, and the datasets that already exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.rows import find_spellings_in
from libs.common.permissions import Target
from libs.common.problem import BadRequest, Unavailable, UnknownReference
from libs.common.published import SESSION_USERS, SESSIONS, SUBJECTS, USERS, table
from libs.common.targets import fetch_dataset_target, fetch_session_targets
from libs.common.threads import computed
from libs.common.visibility import Visibility
from services.registry.domain.copies import Version
from services.registry.domain.requests import FileKey
from services.registry.domain.sessions import NamedSession, SessionName, choose_session
from services.registry.models import DatasetRow, VersionRow
from services.registry.models.expressions import is_current_version
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


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that already exists."""

    id: UUID
    collection: str
    revision: str
    name: str
    is_protected: bool
    version: Version

    @property
    def key(self) -> FileKey:
        """What identifies the file within its session."""
        return self.collection, self.revision, self.name


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
    rows = (await session.execute(_sessions_of(visibility, name))).all()
    if not rows:
        spellings = await find_spellings_in(session, table(SUBJECTS).c.nickname, name.subject)
        if len(spellings) != 1 or name.subject in spellings:
            return None
        name = replace(name, subject=spellings[0])
        rows = (await session.execute(_sessions_of(visibility, name))).all()
    named = [NamedSession(row.id, row.subject_id, row.lab or row.subject_lab) for row in rows]
    having = await fetch_sessions_having(session, [row.id for row in rows], files) if len(rows) > 1 else []
    chosen = choose_session(name, named, labs, having, field=field)
    scope = _scope(next((row for row in rows if chosen and row.id == chosen.id), None))
    n_named = sum(each.subject_id == chosen.subject_id for each in named) if chosen else 0
    return replace(scope, n_twins=n_named - 1) if scope else None


def _sessions_of(visibility: Visibility, name: SessionName) -> sa.Select[Any]:
    """The sessions of that name, the newest first."""
    sessions = table(SESSIONS)
    return (
        _scopes()
        .where(
            sessions.c.subject == name.subject,
            sessions.c.date == name.day,
            sessions.c.number == name.number,
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
    return _scope(rows.first())


def _scopes() -> sa.Select[Any]:
    sessions, subjects = table(SESSIONS), table(SUBJECTS)
    of_subject = (subjects.c.lab_id.label("subject_lab_id"), subjects.c.lab.label("subject_lab"))
    return sa.select(sessions, *of_subject).join(subjects, subjects.c.id == sessions.c.subject_id)


def _scope(row: sa.Row[Any] | None) -> RegistrationScope | None:
    if row is None:
        return None
    if row.folder is None:
        raise Unavailable(
            "The session's folder is unknown until metadata's database is upgraded: try again later."
        )
    return RegistrationScope(
        session_id=row.id,
        content_type=None,
        object_id=None,
        folder=row.folder,
        lab_id=row.lab_id,
        subject_lab_id=row.subject_lab_id,
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
    users = table(USERS)
    user_id: UUID | None = await session.scalar(
        sa.select(users.c.id).where(users.c.username == normal(username))
    )
    if user_id is None:
        raise UnknownReference(field, username, key="username")
    return user_id


async def fetch_usernames_of_session(session: ReadSession, session_id: UUID) -> list[str]:
    """Usernames of a session's users, in order."""
    link, users = table(SESSION_USERS), table(USERS)
    names = await session.scalars(
        sa.select(users.c.username)
        .where(link.c.session_id == session_id, users.c.id == link.c.user_id)
        .order_by(users.c.username)
    )
    return list(names)


async def fetch_known_datasets(
    session: ReadSession, scope: RegistrationScope, names: Collection[str], *, public_only: bool = False
) -> list[KnownDataset]:
    """All revisions of the files of those names, newest revision first; `public_only`: those with a public tag."""
    rows = await session.execute(
        sa.select(
            DatasetRow.id,
            DatasetRow.collection,
            DatasetRow.revision,
            DatasetRow.name,
            visible.is_protected().label("is_protected"),
            VersionRow.generation,
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
        )
        .join(VersionRow, is_current_version())
        .where(
            *_within(scope),
            DatasetRow.name == sa.any_(sa.literal(list(names), sa.ARRAY(sa.Text))),
            *([visible.is_public()] if public_only else []),
        )
        .order_by(DatasetRow.revision.collate("C").desc())
    )
    known = rows.all()
    return await computed(len(known), lambda: _known_datasets(known))


def _known_datasets(rows: Iterable[Any]) -> list[KnownDataset]:
    return [
        KnownDataset(
            row.id,
            row.collection,
            row.revision,
            row.name,
            row.is_protected,
            Version(row.generation, row.size_bytes, row.md5, row.sha256),
        )
        for row in rows
    ]


def _within(scope: RegistrationScope) -> list[Condition]:
    """Datasets of the scope that are not deleted."""
    if scope.session_id is not None:
        return [DatasetRow.session_id == scope.session_id, DatasetRow.deleted_at.is_(None)]
    return [
        DatasetRow.session_id.is_(None),
        DatasetRow.object_id == scope.object_id,
        DatasetRow.deleted_at.is_(None),
    ]


async def fetch_paths(session: ReadSession, scope: RegistrationScope) -> list[FileKey]:
    """Collection, revision and name of all files of a scope."""
    columns = (DatasetRow.collection, DatasetRow.revision, DatasetRow.name)
    rows = await session.execute(sa.select(*columns).where(*_within(scope)))
    return [(collection, revision, name) for collection, revision, name in rows]


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
