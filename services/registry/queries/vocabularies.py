"""Vocabularies of files, which every user may read: formats, dataset types, revisions, tags and repository types.

Saving and deleting rows by name serves repositories too; those are read by `queries/repositories.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import DeclarativeBase

from cingulum.alf import DatasetTypes
from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.db.rows import is_named
from libs.common.memory import Recent
from libs.common.problem import NotFound, UnknownReference
from libs.common.published import SESSIONS, table
from libs.common.schemas.base import Record
from libs.common.schemas.files.repositories import RepositoryType
from libs.common.schemas.files.vocabularies import DatasetType
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from services.registry.models import (
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
    ShippedTermRow,
    TagRow,
)
from services.registry.queries import visible
from services.registry.queries.authors import author_of

_TYPES: Final = Recent[str, tuple[DatasetTypes, Mapping[str, UUID]]](4)
NamedRow = RepositoryRow | RepositoryTypeRow | FormatRow | DatasetTypeRow | RevisionRow | TagRow
Named = TypeVar("Named", bound=NamedRow)
Shown = TypeVar("Shown", bound=Record)
NOUNS: Final[dict[type[DeclarativeBase], str]] = {
    RepositoryRow: "data repository",
    RepositoryTypeRow: "repository type",
    FormatRow: "data format",
    DatasetTypeRow: "dataset type",
    RevisionRow: "revision",
    TagRow: "tag",
}


def _terms(model: type[NamedRow], visibility: Visibility | None) -> sa.Select[Any]:
    """Rows of a vocabulary by name; those of tags with the hash of their datasets."""
    columns: list[Any] = [column for column in model.__table__.columns if column.name != "created_by"]
    if model is DatasetTypeRow:
        columns.append(author_of(DatasetTypeRow).label("created_by"))
    if model is TagRow and visibility is not None:
        columns.append(_hash_of_datasets(visibility).label("hash"))
    return sa.select(*columns).order_by(model.name)


def _hash_of_datasets(visibility: Visibility) -> sa.ScalarSelect[Any]:
    """A hash of the ids of a tag's datasets that the caller can see.

    Two servers can compare it if the same is visible on both.
    """
    sessions = table(SESSIONS)
    ids = sa.func.string_agg(
        sa.cast(DatasetTagRow.dataset_id, sa.Text),
        sa.literal_column("'' ORDER BY registry.dataset_tags.dataset_id"),
    )
    digest = sa.func.encode(sa.func.sha256(sa.cast(ids, sa.LargeBinary)), "hex")
    return (
        sa.select(digest)
        .select_from(DatasetTagRow)
        .join(DatasetRow, DatasetRow.id == DatasetTagRow.dataset_id)
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .where(DatasetTagRow.tag_id == TagRow.id, visible.is_dataset_visible(visibility))
        .correlate(TagRow)
        .scalar_subquery()
    )


async def list_terms(
    session: ReadSession,
    model: type[NamedRow],
    visibility: Visibility,
    conditions: Iterable[Condition],
    paging: PageRequest,
    shape: type[Shown],
    base_url: str,
) -> tuple[int, list[Shown]]:
    """The number of a vocabulary's rows that fulfil the conditions, and one page of them by name."""
    count, rows = await fetch_page(session, _terms(model, visibility).where(*conditions), paging)
    return count, [_shown(shape, row, base_url) for row in rows]


async def fetch_term(
    session: ReadSession,
    model: type[NamedRow],
    visibility: Visibility,
    name: str,
    shape: type[Shown],
    base_url: str,
) -> Shown:
    """One row of a vocabulary. Raises NotFound."""
    rows = await session.execute(_terms(model, visibility).where(is_named(model.name, name)).limit(1))
    row = rows.mappings().one_or_none()
    if row is None:
        raise missing(model, name)
    return _shown(shape, dict(row), base_url)


def _shown(shape: type[Shown], row: Mapping[str, Any], base_url: str) -> Shown:
    """A row as a schema that has some of its columns."""
    values = {**row, "created_datetime": naive_utc(row["created_at"])}
    if issubclass(shape, RepositoryType):
        segment = row["id"] if "/" in row["name"] else row["name"]
        values["url"] = f"{base_url}/data-repository-type/{segment}"
    if issubclass(shape, DatasetType):
        values["filename_pattern"] = row["filename_pattern"] or ""
    return shape.model_validate(values)


def missing(model: type[DeclarativeBase], name: str) -> NotFound:
    """The problem of a name that no row has."""
    return NotFound(f"There is no {NOUNS[model]} '{name}'.")


async def lock_term(session: WriteSession, model: type[Named], name: str) -> Named:
    """The row of that name, locked for a change. Raises NotFound."""
    row = await session.scalar(sa.select(model).where(is_named(model.name, name)).limit(1).with_for_update())
    if row is None:
        raise missing(model, name)
    return row


async def exists_term(session: ReadSession, model: type[NamedRow], name: str) -> bool:
    """Whether the vocabulary has that name."""
    return bool(await session.scalar(sa.select(sa.exists().where(model.name == name))))


async def exists_pattern(session: ReadSession, pattern: str, *, except_of: str) -> bool:
    """Whether another dataset type has that pattern."""
    taken = sa.exists().where(DatasetTypeRow.filename_pattern == pattern, DatasetTypeRow.name != except_of)
    return bool(await session.scalar(sa.select(taken)))


async def insert_missing_terms(
    session: WriteSession, model: type[NamedRow], rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert rows unless their names exist."""
    if rows:
        await session.execute(insert(model).values(rows).on_conflict_do_nothing())


async def fetch_offered_ids(session: ReadSession) -> set[UUID]:
    """Ids of the shipped terms that this database was offered."""
    return set(await session.scalars(sa.select(ShippedTermRow.id)))


async def insert_offered_ids(session: WriteSession, ids: Sequence[UUID]) -> None:
    """Remember that this database was offered these shipped terms."""
    rows = [{"id": term_id} for term_id in sorted(ids)]
    await session.execute(insert(ShippedTermRow).values(rows).on_conflict_do_nothing())


async def insert_missing_revisions(session: WriteSession, names: Collection[str]) -> None:
    """Create the revisions that do not exist yet, and hold all of them: no other transaction renames or deletes one."""
    missing_names = sorted(names)
    while missing_names:
        rows = [{"id": uuid4(), "name": name} for name in missing_names]
        await insert_missing_terms(session, RevisionRow, rows)
        missing_names = sorted({*names} - await lock_revisions(session, names))


async def lock_revisions(session: WriteSession, names: Collection[str]) -> set[str]:
    """The names that revisions have, locked until the end of the transaction; other registrations may lock them too."""
    statement = sa.select(RevisionRow.name).where(RevisionRow.name.in_(names)).order_by(RevisionRow.name)
    return set(await session.scalars(statement.with_for_update(read=True, key_share=True)))


async def exists_dataset_of_revision(session: ReadSession, name: str) -> bool:
    """Whether a dataset is in a revision, deleted datasets included: they come back by an undo."""
    is_in_one = DatasetRow.revision != sa.literal_column("''")  # the condition of the index
    exists = sa.exists().where(DatasetRow.revision == name, is_in_one)
    return bool(await session.scalar(sa.select(exists)))


async def fetch_term_id(
    session: ReadSession,
    model: type[DatasetTypeRow | FormatRow | RepositoryTypeRow],
    field: str,
    name: str,
) -> UUID:
    """The id of the row of that name, which a field of a body refers to. Raises BadRequest."""
    term_id = await session.scalar(sa.select(model.id).where(is_named(model.name, normal(name))))
    if term_id is None:
        raise UnknownReference(field, name)
    return term_id


async def fetch_dataset_types(session: ReadSession) -> tuple[DatasetTypes, Mapping[str, UUID]]:
    """The dataset types, ready to be matched, and their ids by name."""
    types, _ = await fetch_types_and_formats(session)
    return types


async def fetch_types_and_formats(
    session: ReadSession,
) -> tuple[tuple[DatasetTypes, Mapping[str, UUID]], Mapping[str, UUID]]:
    """The same, and the ids of the data formats by extension; the first by name where several share one.

    Types are hundreds and change rarely: the database sends their digest, and all of them where it is a new one.
    """
    (row,) = await fetch_rows(session, _select_kinds())
    formats = dict(zip(row["extensions"], row["format_ids"], strict=True))
    prepared = _TYPES.get(row["digest"])
    if prepared is None:
        every = await fetch_rows(session, _select_types())
        patterns = DatasetTypes([(each["name"], each["filename_pattern"] or "") for each in every])
        prepared = patterns, MappingProxyType({each["name"]: each["id"] for each in every})
        _TYPES.put(every[0]["digest"] if every else row["digest"], prepared)
    return prepared, formats


@cache
def _select_kinds() -> sa.Select[*tuple[Any, ...]]:
    has_extension = FormatRow.file_extension != ""

    def in_order(column: Any) -> Any:
        ordered = sa.func.array_agg(aggregate_order_by(column, FormatRow.name.desc()))
        return sa.select(ordered).where(has_extension).scalar_subquery()

    return sa.select(
        _digest_of_types().label("digest"),
        sa.func.coalesce(in_order(FormatRow.file_extension), sa.text("'{}'::text[]")).label("extensions"),
        sa.func.coalesce(in_order(FormatRow.id), sa.text("'{}'::uuid[]")).label("format_ids"),
    )


@cache
def _select_types() -> sa.Select[*tuple[Any, ...]]:
    columns = (DatasetTypeRow.name, DatasetTypeRow.filename_pattern, DatasetTypeRow.id)
    return sa.select(*columns, _digest_of_types().label("digest")).order_by(DatasetTypeRow.name)


def _digest_of_types() -> sa.ScalarSelect[str]:
    """Of ids, names and patterns, in any order: no two rows are the same, as an id is in each."""
    types = sa.alias(DatasetTypeRow.__table__, "every")
    row = sa.func.jsonb_build_array(types.c.id, types.c.name, types.c.filename_pattern)
    combined = sa.func.bit_xor(sa.func.hashtextextended(sa.cast(row, sa.Text), sa.literal_column("0")))
    return sa.select(sa.func.concat_ws(":", sa.func.count(), combined)).select_from(types).scalar_subquery()


async def lock_dataset_types(session: WriteSession) -> None:
    """Lock the names of dataset types until the end of the transaction: others who create one wait."""
    key = sa.func.hashtextextended("registry:dataset_types", 0)
    await session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def fetch_formats(session: ReadSession) -> Mapping[str, UUID]:
    """Ids of the data formats by extension; the first by name where several share one."""
    _, formats = await fetch_types_and_formats(session)
    return formats
