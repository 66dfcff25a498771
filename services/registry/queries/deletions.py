"""What a deletion hides in other services and in lists of copies, and what is the default after an undo."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.notes import count_notes_on
from libs.common.published import RECORDINGS, table
from services.registry.models import CopyRow, DatasetRow, DatasetTagRow, DownloadRow
from services.registry.models.expressions import path_in_folder
from services.registry.queries import visible
from services.registry.queries.columns import GONE, is_current_copy


async def count_hidden(session: ReadSession, dataset_id: UUID) -> dict[str, int]:
    """Rows that are not shown without a dataset, by kind."""
    counts = await _count(session, DatasetRow.id == dataset_id, [])
    return counts | {"dataset": 0}


async def count_hidden_by_term(session: ReadSession, term_id: UUID) -> dict[str, int]:
    """The same without a row of a vocabulary: notes on it, and a tag's aggregates."""
    return await _count(session, _is_aggregate_of(term_id), [term_id])


async def count_notes(session: ReadSession, record_id: UUID) -> dict[str, int]:
    """The same without a record that has nothing but notes."""
    n_notes = await session.scalar(count_notes_on(sa.select(sa.literal(record_id, sa.Uuid()).label("id"))))
    return {"note": n_notes or 0}


def _is_aggregate_of(object_id: UUID) -> Condition:
    return sa.and_(DatasetRow.object_id == object_id, DatasetRow.deleted_at.is_(None))


async def _count(session: ReadSession, is_hidden: Condition, noted: Sequence[UUID]) -> dict[str, int]:
    """Datasets with what is not shown without them; notes on further records, too."""
    recording = table(RECORDINGS)
    ids = sa.select(DatasetRow.id).where(is_hidden).cte("hidden")
    dataset_ids = sa.select(ids.c.id)
    files = (
        sa.select(sa.func.coalesce(CopyRow.file_id, CopyRow.id).label("id"))
        .join(DatasetRow, is_current_copy())
        .where(DatasetRow.id.in_(dataset_ids), CopyRow.state.not_in(GONE))
    )
    downloads = sa.select(DownloadRow.id).where(DownloadRow.dataset_id.in_(dataset_ids))
    others = (sa.select(sa.literal(record_id, sa.Uuid())) for record_id in noted)
    counts = {
        "dataset": sa.select(sa.func.count()).select_from(ids),
        "file": sa.select(sa.func.count()).select_from(files.subquery()),
        "recording": sa.select(sa.func.count()).where(recording.c.dataset_id.in_(dataset_ids)),
        "note": count_notes_on(sa.union_all(dataset_ids, files, downloads, *others)),
        "download": sa.select(sa.func.count()).select_from(downloads.subquery()),
    }
    columns = [count.scalar_subquery().label(kind) for kind, count in counts.items()]
    return dict((await session.execute(sa.select(*columns))).mappings().one())


async def fetch_protected_of_object(session: ReadSession, object_id: UUID) -> list[str]:
    """The paths of an object's protected aggregates."""
    path = path_in_folder()
    statement = sa.select(path).where(_is_aggregate_of(object_id), visible.is_protected())
    return [*await session.scalars(statement.order_by(path))]


async def exists_tagged_dataset(session: ReadSession, tag_id: UUID) -> bool:
    """Whether a dataset that is not deleted has the tag."""
    tagged = sa.exists().where(
        DatasetTagRow.tag_id == tag_id,
        DatasetRow.id == DatasetTagRow.dataset_id,
        DatasetRow.deleted_at.is_(None),
    )
    return bool(await session.scalar(sa.select(tagged)))


async def fetch_sessions_of_datasets(
    session: ReadSession, dataset_ids: Sequence[UUID]
) -> dict[UUID, UUID | None]:
    """The session of each dataset."""
    rows = await session.execute(
        sa.select(DatasetRow.id, DatasetRow.session_id).where(DatasetRow.id == any_of(dataset_ids))
    )
    return {row.id: row.session_id for row in rows}


async def update_restored_defaults(session: WriteSession, dataset_ids: Sequence[UUID]) -> None:
    """A restored dataset is not the default revision of its file where another one has become it meanwhile."""
    other = aliased(DatasetRow)
    another = sa.exists().where(
        other.id != DatasetRow.id,
        other.session_id.is_not_distinct_from(DatasetRow.session_id),
        other.object_id.is_not_distinct_from(DatasetRow.object_id),
        other.collection == DatasetRow.collection,
        other.name == DatasetRow.name,
        other.is_default,
        other.deleted_at.is_(None),
    )
    await session.execute(
        sa.update(DatasetRow)
        .where(DatasetRow.id == any_of(dataset_ids), DatasetRow.is_default, another)
        .values(is_default=False)
        .execution_options(synchronize_session=False)
    )
