"""Datasets beside one another: revisions of one file, and paths that are taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition, any_of
from services.registry.domain.requests import FileKey
from services.registry.models import DatasetRow
from services.registry.queries.bulk_writes import execute_write


async def exists_dataset_at(
    session: ReadSession, dataset: DatasetRow, collection: str, revision: str
) -> bool:
    """Whether another file of that name is registered beside a dataset, in that collection and revision."""
    taken = sa.exists().where(
        DatasetRow.session_id.is_not_distinct_from(dataset.session_id),
        DatasetRow.object_id.is_not_distinct_from(dataset.object_id),
        DatasetRow.collection == collection,
        DatasetRow.revision == revision,
        DatasetRow.name == dataset.name,
        DatasetRow.id != dataset.id,
        DatasetRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(taken)))


async def fetch_sessions_having(
    session: ReadSession, session_ids: Sequence[UUID], files: Collection[FileKey]
) -> set[UUID]:
    """Those of the sessions that have a revision of one of the files."""
    rows = await session.execute(
        sa.select(DatasetRow.session_id, DatasetRow.collection, DatasetRow.name).where(
            DatasetRow.session_id == any_of(session_ids),
            DatasetRow.name.in_({name for _, _, name in files}),
            DatasetRow.deleted_at.is_(None),
        )
    )
    sent = {(collection, name) for collection, _, name in files}
    return {row.session_id for row in rows if (row.collection, row.name) in sent}


async def choose_default_revision(session: WriteSession, dataset: DatasetRow, collection: str) -> None:
    """Make the last revision of a dataset's file in a collection the default one, where none is."""
    other = sa.orm.aliased(DatasetRow)
    has_default = sa.exists().where(_is_revision(other, dataset, collection), other.is_default)
    await execute_write(
        session,
        sa.update(DatasetRow)
        .where(DatasetRow.id == _last_revision(dataset, collection), ~has_default)
        .values(is_default=True),
    )


async def update_revision_not_default(session: WriteSession, dataset: DatasetRow, revision_id: UUID) -> None:
    """Make a dataset no longer the default, if it still is a revision of another one's file."""
    is_it = sa.and_(DatasetRow.id == revision_id, _is_revision(DatasetRow, dataset, dataset.collection))
    await execute_write(session, sa.update(DatasetRow).where(is_it).values(is_default=False))


async def find_last_revision(session: ReadSession, dataset: DatasetRow, collection: str) -> UUID | None:
    """The last revision of a dataset's file in a collection, other than the dataset itself."""
    last_id: UUID | None = await session.scalar(
        sa.select(_last_revision(dataset, collection, except_id=dataset.id))
    )
    return last_id


def _last_revision(
    dataset: DatasetRow, collection: str, *, except_id: UUID | None = None
) -> sa.ScalarSelect[UUID]:
    row = sa.orm.aliased(DatasetRow)
    statement = sa.select(row.id).where(_is_revision(row, dataset, collection))
    if except_id is not None:
        statement = statement.where(row.id != except_id)
    return statement.order_by(row.revision.collate("C").desc()).limit(1).scalar_subquery()


def _is_revision(row: type[DatasetRow], dataset: DatasetRow, collection: str) -> Condition:
    """Whether a row is a revision of a dataset's file in a collection, and not deleted."""
    return sa.and_(
        row.session_id.is_not_distinct_from(dataset.session_id),
        row.object_id.is_not_distinct_from(dataset.object_id),
        row.collection == collection,
        row.name == dataset.name,
        row.deleted_at.is_(None),
    )


async def update_default_revision(session: WriteSession, dataset: DatasetRow) -> None:
    """Make this dataset the default one among all revisions of its file."""
    await execute_write(
        session,
        sa.update(DatasetRow)
        .where(
            DatasetRow.session_id.is_not_distinct_from(dataset.session_id),
            DatasetRow.object_id.is_not_distinct_from(dataset.object_id),
            DatasetRow.collection == dataset.collection,
            DatasetRow.name == dataset.name,
            DatasetRow.deleted_at.is_(None),
        )
        .values(is_default=DatasetRow.id == dataset.id),
    )
