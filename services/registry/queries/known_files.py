"""The files that a session or another object has before a registration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.json_pages import request_value
from libs.common.db.prepared import fetch_rows
from libs.common.threads import computed
from services.registry.domain.copies import Version
from services.registry.domain.requests import FileKey
from services.registry.models import DatasetRow, VersionRow
from services.registry.models.expressions import is_current_version
from services.registry.queries import visible
from services.registry.queries.registration import RegistrationScope


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


async def fetch_known_datasets(
    session: ReadSession, scope: RegistrationScope, names: Collection[str], *, public_only: bool = False
) -> list[KnownDataset]:
    """All revisions of the files of those names, newest revision first; `public_only`: those with a public tag."""
    known, _ = await fetch_known_files(session, scope, names, public_only=public_only)
    return known


async def fetch_known_files(
    session: ReadSession, scope: RegistrationScope, names: Collection[str], *, public_only: bool = False
) -> tuple[list[KnownDataset], list[FileKey]]:
    """The same, and collection, revision and name of all files of the scope."""
    values: dict[str, Any] = {
        "session_id": scope.session_id,
        "object_id": scope.object_id,
        "names": list(names),
    }
    statement = _select_known(of_session=scope.session_id is not None, public_only=public_only)
    rows = await fetch_rows(session, statement, **values)
    return await computed(len(rows), lambda: _known_files(rows))


@cache
def _select_known(*, of_session: bool, public_only: bool) -> sa.Select[Any]:
    """All files of a scope; of those that have one of the names also their version and whether they are protected."""
    names = request_value("names", sa.ARRAY(sa.Text))
    is_named = DatasetRow.name == sa.any_(names)
    return (
        sa.select(
            DatasetRow.id,
            DatasetRow.collection,
            DatasetRow.revision,
            DatasetRow.name,
            sa.case((is_named, visible.is_protected())).label("is_protected"),
            VersionRow.generation,
            VersionRow.size_bytes,
            VersionRow.md5,
            VersionRow.sha256,
        )
        .join(VersionRow, sa.and_(is_named, is_current_version()), isouter=True)
        .where(
            DatasetRow.deleted_at.is_(None),
            DatasetRow.session_id == request_value("session_id", sa.Uuid())
            if of_session
            else sa.and_(
                DatasetRow.session_id.is_(None), DatasetRow.object_id == request_value("object_id", sa.Uuid())
            ),
            *([visible.is_public()] if public_only else []),
        )
        .order_by(DatasetRow.revision.collate("C").desc())
    )


def _known_files(rows: Iterable[Mapping[str, Any]]) -> tuple[list[KnownDataset], list[FileKey]]:
    known, keys = [], []
    for row in rows:
        keys.append((row["collection"], row["revision"], row["name"]))
        if row["generation"] is not None:
            version = Version(row["generation"], row["size_bytes"], row["md5"], row["sha256"])
            known.append(KnownDataset(row["id"], *keys[-1], row["is_protected"], version))
    return known, keys
