"""What a deletion hides in other services and in lists of copies, and what is the default after an undo."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import any_of
from libs.common.notes import count_notes_on
from libs.common.published import RECORDINGS, table
from services.registry.models import CopyRow, DatasetRow, DatasetTagRow, DownloadRow
from services.registry.queries.columns import GONE, is_current_copy


async def count_hidden(session: ReadSession, dataset_id: UUID) -> dict[str, int]:
    """Rows that are not shown without a dataset, by kind."""
    recording = table(RECORDINGS)
    files = (
        sa.select(sa.func.count())
        .select_from(CopyRow)
        .join(DatasetRow, is_current_copy())
        .where(DatasetRow.id == dataset_id, CopyRow.state.not_in(GONE))
    )
    recordings = sa.select(sa.func.count()).where(recording.c.dataset_id == dataset_id)
    with_notes = sa.union_all(
        sa.select(sa.literal(dataset_id, sa.Uuid()).label("id")),
        sa.select(sa.func.coalesce(CopyRow.file_id, CopyRow.id)).where(
            CopyRow.dataset_id == dataset_id, CopyRow.state.not_in(GONE)
        ),
        sa.select(DownloadRow.id).where(DownloadRow.dataset_id == dataset_id),
    )
    downloads = sa.select(sa.func.count()).where(DownloadRow.dataset_id == dataset_id)
    counts = {
        "file": files,
        "recording": recordings,
        "note": count_notes_on(with_notes),
        "download": downloads,
    }
    columns = [count.scalar_subquery().label(kind) for kind, count in counts.items()]
    return dict((await session.execute(sa.select(*columns))).mappings().one())


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
