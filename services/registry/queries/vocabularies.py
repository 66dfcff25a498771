"""Repositories and the vocabularies of files: everybody who signed in reads them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from libs.common.problem import NotFound
from libs.common.published import SESSIONS, table
from libs.common.visibility import Visibility
from services.registry.models import (
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
    TagRow,
)
from services.registry.queries import visible

Named = (
    type[RepositoryRow]
    | type[RepositoryTypeRow]
    | type[FormatRow]
    | type[DatasetTypeRow]
    | type[RevisionRow]
    | type[TagRow]
)
CALLED: dict[type[DeclarativeBase], str] = {
    RepositoryRow: "data repository",
    RepositoryTypeRow: "repository type",
    FormatRow: "data format",
    DatasetTypeRow: "dataset type",
    RevisionRow: "revision",
    TagRow: "tag",
}


def all_of(kind: Named) -> sa.Select[Any]:
    """Every row of a vocabulary by name."""
    return sa.select(*kind.__table__.columns).order_by(kind.name)


def repositories() -> sa.Select[Any]:
    """Repositories by name, with the name of their type."""
    return (
        sa.select(*RepositoryRow.__table__.columns, RepositoryTypeRow.name.label("repository_type"))
        .join(RepositoryTypeRow, RepositoryTypeRow.id == RepositoryRow.repository_type_id, isouter=True)
        .order_by(RepositoryRow.name)
    )


def tags(visibility: Visibility) -> sa.Select[Any]:
    """Tags by name, with a hash of the ids of those of their datasets that the caller may know of.

    Two servers can compare it, where the same is visible on both.
    """
    session = table(SESSIONS)
    ids = sa.func.string_agg(
        sa.cast(DatasetTagRow.dataset_id, sa.Text),
        sa.literal_column("'' ORDER BY registry.dataset_tags.dataset_id"),
    )
    digest = sa.func.encode(sa.func.sha256(sa.cast(ids, sa.LargeBinary)), "hex")
    hashed = (
        sa.select(digest)
        .select_from(DatasetTagRow)
        .join(DatasetRow, DatasetRow.id == DatasetTagRow.dataset_id)
        .join(session, session.c.id == DatasetRow.session_id, isouter=True)
        .where(DatasetTagRow.tag_id == TagRow.id, visible.datasets(visibility))
        .correlate(TagRow)
        .scalar_subquery()
    )
    return sa.select(*TagRow.__table__.columns, hashed.label("hash")).order_by(TagRow.name)


async def one(session: AsyncSession, statement: sa.Select[Any], kind: Named, name: str) -> Any:
    """The row of that name. Raises NotFound."""
    row = (await session.execute(statement.where(kind.name == name))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no {CALLED[kind]} '{name}'.")
    return row
