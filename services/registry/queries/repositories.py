"""Repositories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.spelling import normal
from cingulum.stores import StoreKind
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.db.rows import is_named
from libs.common.problem import UnknownReference
from libs.common.published import LAB_REPOSITORIES, LABS, table
from libs.common.schemas.files.repositories import Repository
from libs.common.schemas.pages import PageRequest
from services.registry.domain.copies import Place
from services.registry.models import CopyRow, RepositoryRow, RepositoryTypeRow
from services.registry.queries.vocabularies import lock_term, missing


@dataclass(frozen=True)
class KnownRepository:
    """A repository, and how its bytes can be accessed."""

    id: UUID
    name: str
    place: Place


@dataclass(frozen=True)
class PlacedRepository:
    """A repository, its host and its labs; `is_personal` is None where that is unknown."""

    repository: KnownRepository
    hostname: str
    is_personal: bool | None
    lab_ids: frozenset[UUID]
    lab_names: frozenset[str]


def place_of(store: str | None) -> Place:
    """How the bytes of a repository with that store can be accessed."""
    if store is None:
        return Place.UNMANAGED
    return Place.AGENT if store == StoreKind.AGENT else Place.STORE


def _repositories() -> sa.Select[Any]:
    """Repositories by name, with the names of their types."""
    return (
        sa.select(RepositoryRow.__table__, RepositoryTypeRow.name.label("repository_type"))
        .join(RepositoryTypeRow, RepositoryTypeRow.id == RepositoryRow.repository_type_id, isouter=True)
        .order_by(RepositoryRow.name)
    )


async def list_repositories(
    session: ReadSession, conditions: Iterable[Condition], paging: PageRequest, base_url: str
) -> tuple[int, list[Repository]]:
    """A page of the repositories that fulfil the conditions, by name, and how many there are."""
    count, rows = await fetch_page(session, _repositories().where(*conditions), paging)
    return count, [_shown(row, base_url) for row in rows]


async def fetch_repository(session: ReadSession, name: str, base_url: str) -> Repository:
    """The repository of that name, as the list shows it. Raises NotFound."""
    rows = await session.execute(_repositories().where(is_named(RepositoryRow.name, name)).limit(1))
    row = rows.mappings().one_or_none()
    if row is None:
        raise missing(RepositoryRow, name)
    return _shown(dict(row), base_url)


def _shown(row: Mapping[str, Any], base_url: str) -> Repository:
    """A repository; the address of the files that we serve is below our own."""
    data_url = row["data_url"]
    if data_url and "://" not in data_url:
        data_url = f"{base_url}{data_url}"
    return Repository.model_validate({**row, "data_url": data_url})


async def lock_repository(session: WriteSession, name: str) -> RepositoryRow:
    """The repository of that name, locked for a change. Raises NotFound."""
    return await lock_term(session, RepositoryRow, name)


async def _fetch(
    session: ReadSession, *conditions: Condition, order: Sequence[sa.ColumnElement[Any]] = ()
) -> list[KnownRepository]:
    rows = await session.execute(
        sa.select(RepositoryRow.id, RepositoryRow.name, RepositoryRow.store)
        .where(*conditions)
        .order_by(*order, RepositoryRow.name)
    )
    return [KnownRepository(row.id, row.name, place_of(row.store)) for row in rows]


async def fetch_placed_repositories(session: ReadSession) -> list[PlacedRepository]:
    """All repositories by name, with what requests choose them by."""
    return [
        PlacedRepository(
            KnownRepository(row["id"], row["name"], place_of(row["store"])),
            row["hostname"],
            row["globus_is_personal"],
            frozenset(row["lab_ids"]),
            frozenset(row["lab_names"]),
        )
        for row in await fetch_rows(session, _select_placed())
    ]


@cache
def _select_placed() -> sa.Select[*tuple[Any, ...]]:
    link, lab = table(LAB_REPOSITORIES), table(LABS)
    lab_ids = sa.select(link.c.lab_id).where(link.c.repository_id == RepositoryRow.id)
    lab_names = sa.select(lab.c.name).where(
        link.c.repository_id == RepositoryRow.id, lab.c.id == link.c.lab_id
    )
    return sa.select(
        RepositoryRow.id,
        RepositoryRow.name,
        RepositoryRow.store,
        RepositoryRow.hostname,
        RepositoryRow.globus_is_personal,
        sa.func.array(lab_ids.scalar_subquery(), type_=sa.ARRAY(sa.Uuid)).label("lab_ids"),
        sa.func.array(lab_names.scalar_subquery(), type_=sa.ARRAY(sa.Text)).label("lab_names"),
    ).order_by(RepositoryRow.name)


async def check_labs(session: ReadSession, names: Sequence[str]) -> None:
    """Raises UnknownReference for the first of these labs that does not exist."""
    lab = table(LABS)
    known = set(await session.scalars(sa.select(lab.c.name).where(lab.c.name.in_(names))))
    for name in names:
        if name not in known:
            raise UnknownReference("labs", name)


async def fetch_repository_by_name(session: ReadSession, name: str, field: str) -> KnownRepository:
    """The repository of the name in a field of a body. Raises UnknownReference."""
    rows = await _fetch(session, is_named(RepositoryRow.name, normal(name)))
    if not rows:
        raise UnknownReference(field, name)
    return rows[0]


async def find_central_repository(
    session: ReadSession, store: str, lab_id: UUID | None
) -> KnownRepository | None:
    """The repository of the central store's bytes: the lab's own, else the first by name."""
    link = table(LAB_REPOSITORIES)
    of_lab = sa.exists().where(link.c.repository_id == RepositoryRow.id, link.c.lab_id == lab_id)
    order = (of_lab.desc(), RepositoryRow.globus_is_personal.asc())
    rows = await _fetch(session, RepositoryRow.store == store, order=order)
    return rows[0] if rows else None


async def fetch_repository_ids(session: ReadSession) -> dict[str, UUID]:
    """Ids of all repositories by name."""
    rows = await session.execute(sa.select(RepositoryRow.name, RepositoryRow.id))
    return {row.name: row.id for row in rows}


async def has_copies(session: ReadSession, repository_id: UUID) -> bool:
    """Whether a repository has, or had, copies of datasets."""
    return bool(await session.scalar(sa.select(sa.exists().where(CopyRow.repository_id == repository_id))))
