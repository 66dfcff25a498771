"""What a registration must know before it writes: the session, the repositories, what is registered already."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from cingulum.alf import DatasetTypes
from libs.common.permissions import Target
from libs.common.problem import BadRequest
from libs.common.published import LAB_REPOSITORIES, LABS, SESSION_USERS, SESSIONS, SUBJECTS, USERS, table
from libs.common.schemas.states import CopyState
from libs.common.targets import dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.copies import Copy, Place, Version
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.queries import visible


@dataclass(frozen=True)
class Scope:
    """To what files belong: a session, or another object (then `content_type` says which kind).

    folder   of the tree: lab/Subjects/subject/date/number, or `aggregates`
    lab_id   of the session or the object; None: nobody's
    below    of an aggregate: its files lie in one of these folders, or below
    """

    session_id: UUID | None
    content_type: str | None
    object_id: UUID | None
    folder: str
    lab_id: UUID | None
    subject_lab_id: UUID | None
    below: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registered:
    """A dataset that is there already."""

    id: UUID
    collection: str
    revision: str
    name: str
    is_protected: bool
    version: Version


@dataclass(frozen=True)
class KeptCopy:
    """A copy with the id of its row."""

    id: UUID
    copy: Copy


def unknown(field: str, called: str, name: object) -> BadRequest:
    """The problem of a body that names what is not there."""
    return BadRequest(fields={field: [f"Object with {called}={name} does not exist."]})


async def find_session(
    read: AsyncSession, seen: Visibility, subject: str, day: date, number: int, labs: Sequence[str] = ()
) -> Scope | None:
    """The session of that folder; of several the one of the named labs, then the newest."""
    session = table(SESSIONS)
    found = await read.execute(
        _scopes()
        .where(
            session.c.subject == subject,
            session.c.date == day,
            session.c.number == number,
            visible.sessions(seen),
        )
        .order_by(session.c.lab.in_(labs).desc(), session.c.created_at.desc(), session.c.id)
        .limit(1)
    )
    return _scope(found.first())


async def session_by_id(read: AsyncSession, seen: Visibility, which: UUID) -> Scope | None:
    """The session of that id."""
    found = await read.execute(_scopes().where(table(SESSIONS).c.id == which, visible.sessions(seen)))
    return _scope(found.first())


def _scopes() -> sa.Select[Any]:
    session, subject = table(SESSIONS), table(SUBJECTS)
    return sa.select(
        session, subject.c.lab_id.label("subject_lab_id"), subject.c.lab.label("subject_lab")
    ).join(subject, subject.c.id == session.c.subject_id)


def _scope(row: Any) -> Scope | None:
    if row is None:
        return None
    folder = f"{row.lab or row.subject_lab}/Subjects/{row.subject}/{row.date}/{row.number or 0:03d}"
    return Scope(row.id, None, None, folder, row.lab_id, row.subject_lab_id)


async def target_of(read: AsyncSession, scope: Scope) -> Target:
    """What files of a scope belong to: decides who may register them."""
    return await dataset_target(read, scope.session_id, scope.content_type, scope.object_id)


async def user_named(read: AsyncSession, username: str) -> UUID:
    """The id of a person. Raises BadRequest."""
    users = table(USERS)
    found = await read.scalar(sa.select(users.c.id).where(users.c.username == username))
    if found is None:
        raise unknown("created_by", "username", username)
    return UUID(str(found))


async def users_of_session(read: AsyncSession, session_id: UUID) -> list[str]:
    """Who worked on a session, by name."""
    link, users = table(SESSION_USERS), table(USERS)
    found = await read.execute(
        sa.select(users.c.username)
        .where(link.c.session_id == session_id, users.c.id == link.c.user_id)
        .order_by(users.c.username)
    )
    return list(found.scalars())


async def repositories_of(
    read: AsyncSession, labs: Sequence[str], otherwise: UUID | None, *, server_only: bool
) -> list[RepositoryRow]:
    """The repositories of the named labs, else of one lab; `server_only`: no personal ones. Raises BadRequest."""
    lab = table(LABS)
    ids: list[UUID] = [otherwise] if otherwise else []
    if labs:
        found = {row.name: row.id for row in await read.execute(sa.select(lab).where(lab.c.name.in_(labs)))}
        for name in labs:
            if name not in found:
                raise unknown("labs", "name", name)
        ids = list(found.values())
    link = table(LAB_REPOSITORIES)
    statement = sa.select(RepositoryRow).where(
        RepositoryRow.id.in_(sa.select(link.c.repository_id).where(link.c.lab_id.in_(ids)))
    )
    if server_only:
        statement = statement.where(RepositoryRow.globus_is_personal.is_(False))
    return list((await read.execute(statement.order_by(RepositoryRow.name))).scalars())


async def repository_named(
    read: AsyncSession, name: str | None, hostname: str | None
) -> RepositoryRow | None:
    """The repository of that name, or host name; None for neither. Raises BadRequest."""
    if not name and not hostname:
        return None
    chosen = RepositoryRow.name == name if name else RepositoryRow.hostname == hostname
    found = await read.execute(sa.select(RepositoryRow).where(chosen).order_by(RepositoryRow.name).limit(1))
    row = found.scalar_one_or_none()
    if row is None:
        raise unknown("name" if name else "hostname", "name" if name else "hostname", name or hostname)
    return row


async def types_known(read: AsyncSession) -> tuple[DatasetTypes, dict[str, UUID]]:
    """The dataset types, ready to be matched, and their ids by name."""
    rows = (
        await read.execute(sa.select(DatasetTypeRow.name, DatasetTypeRow.filename_pattern, DatasetTypeRow.id))
    ).all()
    return DatasetTypes((row.name, row.filename_pattern or "") for row in rows), {
        row.name: row.id for row in rows
    }


async def formats_known(read: AsyncSession) -> dict[str, UUID]:
    """Ids of the data formats by extension; the first by name where several share one."""
    found = await read.execute(
        sa.select(FormatRow.file_extension, FormatRow.id)
        .where(FormatRow.file_extension != "")
        .order_by(FormatRow.name.desc())
    )
    return {row.file_extension: row.id for row in found}


async def lock_scope(read: AsyncSession, scope: Scope) -> None:
    """Let registrations in one session follow each other."""
    await lock_files_of(read, scope.session_id or scope.object_id)


async def lock_files_of(read: AsyncSession, owner_id: UUID | None) -> None:
    """Be alone with what is registered of a session, or of another object, until the end of the transaction."""
    key = f"registry:{owner_id}"
    await read.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


async def registered(
    read: AsyncSession, scope: Scope, names: Collection[str], *, public_only: bool = False
) -> list[Registered]:
    """All revisions of the files of those names, newest revision first; if asked for, only what a public tag covers."""
    found = await read.execute(
        sa.select(
            DatasetRow.id,
            DatasetRow.collection,
            DatasetRow.revision,
            DatasetRow.name,
            visible.tagged(TagRow.protected.is_(True)).label("is_protected"),
            VersionRow.generation,
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
        )
        .join(
            VersionRow,
            sa.and_(VersionRow.dataset_id == DatasetRow.id, VersionRow.generation == DatasetRow.generation),
        )
        .where(
            *within(scope),
            DatasetRow.name == sa.any_(sa.literal(list(names), sa.ARRAY(sa.Text))),
            *([visible.tagged(TagRow.public.is_(True))] if public_only else []),
        )
        .order_by(DatasetRow.revision.collate("C").desc())
    )
    return await asyncio.to_thread(_registered, found.all())


def _registered(rows: Iterable[Any]) -> list[Registered]:
    return [
        Registered(
            row.id,
            row.collection,
            row.revision,
            row.name,
            row.is_protected,
            Version(row.generation, row.size_bytes, row.md5, row.sha256),
        )
        for row in rows
    ]


def within(scope: Scope) -> list[Any]:
    """Datasets of the scope that are not deleted."""
    if scope.session_id is not None:
        return [DatasetRow.session_id == scope.session_id, DatasetRow.deleted_at.is_(None)]
    return [
        DatasetRow.session_id.is_(None),
        DatasetRow.object_id == scope.object_id,
        DatasetRow.deleted_at.is_(None),
    ]


async def copies_of(read: AsyncSession, dataset_ids: Sequence[UUID]) -> dict[UUID, list[KeptCopy]]:
    """All copies of those datasets, of every version."""
    if not dataset_ids:
        return {}
    found = await read.execute(
        sa.select(
            CopyRow.id,
            CopyRow.dataset_id,
            CopyRow.generation,
            CopyRow.state,
            RepositoryRow.name.label("repository"),
            RepositoryRow.store,
        )
        .join(RepositoryRow, RepositoryRow.id == CopyRow.repository_id)
        .where(CopyRow.dataset_id == sa.any_(sa.literal(list(dataset_ids), sa.ARRAY(sa.UUID))))
        .order_by(CopyRow.generation, RepositoryRow.name)
    )
    return await asyncio.to_thread(_by_dataset, found.all())


def _by_dataset(rows: Iterable[Any]) -> dict[UUID, list[KeptCopy]]:
    kept: dict[UUID, list[KeptCopy]] = {}
    for row in rows:
        copy = Copy(row.repository, place_of(row.store), row.generation, CopyState(row.state))
        kept.setdefault(row.dataset_id, []).append(KeptCopy(row.id, copy))
    return kept


def place_of(store: str | None) -> Place:
    """What a repository's store makes of it."""
    if store is None:
        return Place.UNMANAGED
    return Place.AGENT if store == "agent" else Place.STORE
