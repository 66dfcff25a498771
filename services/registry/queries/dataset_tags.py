"""Tags of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.naming import has_any_id_or_name, ids_by_text
from libs.common.problem import UnknownReference
from services.registry.domain.tags import DatasetTag
from services.registry.models import DatasetTagRow, TagRow
from services.registry.queries.bulk_writes import execute_write


async def fetch_tags(session: ReadSession, names: Sequence[str]) -> dict[str, DatasetTag]:
    """The tags of those names or ids, by name. Raises UnknownReference."""
    texts = [normal(name) for name in names]
    tags = await _tags(session, has_any_id_or_name(TagRow.id, TagRow.name, texts))
    ids = ids_by_text([(tag.name, tag.id) for tag in tags.values()], texts)
    for name, text in zip(names, texts, strict=True):
        if text not in ids:
            raise UnknownReference("tags", name)
    return {name: tag for name, tag in tags.items() if tag.id in ids.values()}


async def fetch_tags_of_dataset(session: ReadSession, dataset_id: UUID) -> dict[str, DatasetTag]:
    """The tags of a dataset by name."""
    ids = sa.select(DatasetTagRow.tag_id).where(DatasetTagRow.dataset_id == dataset_id)
    return await _tags(session, TagRow.id.in_(ids))


async def _tags(session: ReadSession, condition: Condition) -> dict[str, DatasetTag]:
    rows = await session.execute(
        sa.select(TagRow.id, TagRow.name, TagRow.protected, TagRow.public).where(condition)
    )
    return {row.name: DatasetTag(*row) for row in rows}


async def update_tags_of_dataset(session: WriteSession, dataset_id: UUID, tag_ids: Sequence[UUID]) -> None:
    """Give a dataset exactly these tags."""
    others = sa.delete(DatasetTagRow).where(
        DatasetTagRow.dataset_id == dataset_id, DatasetTagRow.tag_id.not_in(tag_ids)
    )
    await execute_write(session, others)
    if tag_ids:
        rows = [{"dataset_id": dataset_id, "tag_id": tag_id} for tag_id in tag_ids]
        await execute_write(session, insert(DatasetTagRow).values(rows).on_conflict_do_nothing())
