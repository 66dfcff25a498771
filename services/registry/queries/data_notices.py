"""Notices on datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.problem import NotFound, UnknownReference
from libs.common.published import USERS, table
from libs.common.schemas.files.data_notices import DataNotice
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.times import naive_utc
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible
from libs.common.visible_notices import is_noted_dataset_visible
from services.registry.models import DataNoticeDatasetRow, DataNoticeRow
from services.registry.queries.data_notice_list_filters import DataNoticeFilters, is_notice_visible


def _select_notices(visibility: Visibility, *conditions: Condition) -> sa.Select[Any]:
    users, link = table(USERS), sa.orm.aliased(DataNoticeDatasetRow)
    datasets = (
        sa.select(link.dataset_id)
        .where(
            link.data_notice_id == DataNoticeRow.id,
            is_noted_dataset_visible(visibility, link.data_notice_id, link.dataset_id),
        )
        .order_by(link.dataset_id)
        .correlate_except(link)
    )
    return (
        sa.select(
            *DataNoticeRow.__table__.columns,
            users.c.username.label("created_by"),
            sa.func.array(datasets.scalar_subquery(), type_=ARRAY(sa.UUID)).label("datasets"),
        )
        .join(users, users.c.id == DataNoticeRow.user_id, isouter=True)
        .where(is_notice_visible(visibility, DataNoticeRow), *conditions)
        .order_by(DataNoticeRow.importance.desc(), DataNoticeRow.created_at.desc(), DataNoticeRow.id)
    )


def _notice(row: Mapping[str, Any]) -> DataNotice:
    return DataNotice.model_validate({**row, "created_datetime": naive_utc(row["created_at"])})


async def list_notices(
    session: ReadSession, visibility: Visibility, filters: DataNoticeFilters, paging: PageRequest
) -> tuple[int, list[DataNotice]]:
    """A page of notices, the most important first, and the count of all."""
    statement = _select_notices(visibility, *filters.conditions(visibility))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_notice(row) for row in rows]


async def fetch_notice(session: ReadSession, visibility: Visibility, notice_id: UUID) -> DataNotice:
    """One notice. Raises NotFound."""
    rows = await session.execute(_select_notices(visibility, DataNoticeRow.id == notice_id))
    row = rows.mappings().first()
    if row is None:
        raise _missing(notice_id)
    return _notice(row)


async def lock_notice(session: WriteSession, visibility: Visibility, notice_id: UUID) -> DataNoticeRow:
    """A notice that the caller can see, locked. Raises NotFound."""
    rows = await session.scalars(
        sa.select(DataNoticeRow)
        .where(DataNoticeRow.id == notice_id, is_notice_visible(visibility, DataNoticeRow))
        .with_for_update()
    )
    row = rows.one_or_none()
    if row is None:
        raise _missing(notice_id)
    return row


def _missing(notice_id: UUID) -> NotFound:
    return NotFound(f"There is no data notice {notice_id}.")


async def check_datasets_visible(
    session: ReadSession, visibility: Visibility, dataset_ids: Sequence[UUID]
) -> None:
    """Raises UnknownReference for the first dataset that does not exist or is hidden from the caller."""
    column = sa.func.unnest(sa.literal(list(dataset_ids), ARRAY(sa.UUID))).column_valued("dataset_id")
    shown = set(await session.scalars(sa.select(column).where(is_dataset_visible(visibility, column))))
    for dataset_id in dataset_ids:
        if dataset_id not in shown:
            raise UnknownReference("datasets", dataset_id, key="pk")


async def fetch_datasets_of_notice(session: ReadSession, notice_id: UUID) -> list[UUID]:
    """The datasets that a notice is about, hidden ones included."""
    rows = await session.scalars(
        sa.select(DataNoticeDatasetRow.dataset_id).where(DataNoticeDatasetRow.data_notice_id == notice_id)
    )
    return list(rows)


async def fetch_hidden_datasets_of_notice(
    session: ReadSession, visibility: Visibility, notice_id: UUID
) -> list[UUID]:
    """Those that the caller may not know of: a new list leaves them as they are."""
    link = DataNoticeDatasetRow
    rows = await session.scalars(
        sa.select(link.dataset_id).where(
            link.data_notice_id == notice_id, ~is_dataset_visible(visibility, link.dataset_id)
        )
    )
    return list(rows)
