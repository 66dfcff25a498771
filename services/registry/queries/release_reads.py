"""Who read files of releases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.common.db import ReadSession, WriteSession
from libs.common.db.pages import fetch_page
from libs.common.published import USERNAMES, table
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_files import ReleaseRead
from services.registry.domain.release_reads import Read
from services.registry.models import (
    ReleaseDatasetRow,
    ReleaseLinkRow,
    ReleaseReadRow,
    ReleaseRow,
    VersionRow,
)
from services.registry.models.expressions import is_released
from services.registry.queries.bulk_writes import execute_write

_FIELDS = ("dataset_id", "generation", "release_id", "user_id", "link_id")


def _today() -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.timezone("UTC", sa.func.statement_timestamp()), sa.Date)


async def insert_reads(session: WriteSession, counts: Mapping[Read, int]) -> None:
    """Add to the counts of today; what is in no release is left out."""
    types = {"generation": sa.Integer}
    arrays = [
        sa.literal([getattr(entry, name) for entry in counts], ARRAY(types.get(name, sa.UUID)))
        for name in _FIELDS
    ]
    numbers = sa.literal(list(counts.values()), ARRAY(sa.Integer))
    counted = sa.func.unnest(*arrays, numbers).table_valued(*_FIELDS, "count").render_derived("counted")
    link = ReleaseDatasetRow
    is_of_release = sa.or_(
        counted.c.release_id == link.release_id,
        sa.and_(counted.c.release_id.is_(None), link.pulled_at.is_(None), is_released()),
    )
    key = (link.release_id, link.dataset_id, link.generation, counted.c.user_id, counted.c.link_id)
    source = (
        sa.select(*key, _today().label("day"), sa.func.sum(counted.c.count).label("count"))
        .select_from(counted)
        .join(link, sa.and_(link.dataset_id == counted.c.dataset_id, link.generation == counted.c.generation))
        .join(ReleaseRow, ReleaseRow.id == link.release_id)
        .where(is_of_release)
        .group_by(*key)
        .order_by(*key)
    )
    columns = ["release_id", "dataset_id", "generation", "user_id", "link_id", "day", "count"]
    upsert = insert(ReleaseReadRow).from_select(columns, source)
    await execute_write(
        session,
        upsert.on_conflict_do_update(
            constraint="uq_release_reads_reader",
            set_={
                "count": ReleaseReadRow.count + upsert.excluded.count,
                "last_read_at": sa.func.statement_timestamp(),
            },
        ),
    )


async def delete_reads(session: WriteSession, days: int) -> None:
    """Delete what is older than so many days."""
    old = ReleaseReadRow.day < _today() - sa.cast(timedelta(days=days), sa.Interval)
    await execute_write(session, sa.delete(ReleaseReadRow).where(old))


async def list_reads(
    session: ReadSession, release_id: UUID, paging: PageRequest
) -> tuple[int, list[ReleaseRead]]:
    """A page of what was read of a release, newest first."""
    usernames = table(USERNAMES)
    row, link = ReleaseReadRow, ReleaseDatasetRow
    is_file = sa.and_(link.release_id == row.release_id, link.dataset_id == row.dataset_id)
    is_version = sa.and_(VersionRow.dataset_id == row.dataset_id, VersionRow.generation == row.generation)
    columns: tuple[Any, ...] = (
        link.path,
        row.dataset_id.label("dataset"),
        row.generation.label("version"),
        VersionRow.sha256,
        row.day,
        sa.func.coalesce(usernames.c.username, sa.cast(row.user_id, sa.Text)).label("user"),
        ReleaseLinkRow.label.label("link"),
        row.count,
        row.last_read_at,
    )
    statement = (
        sa.select(*columns)
        .select_from(row)
        .join(link, is_file)
        .join(VersionRow, is_version)
        .join(usernames, usernames.c.id == row.user_id, isouter=True)
        .join(ReleaseLinkRow, ReleaseLinkRow.id == row.link_id, isouter=True)
        .where(row.release_id == release_id)
        .order_by(row.day.desc(), row.id.desc())
    )
    count, rows = await fetch_page(session, statement, paging)
    return count, [ReleaseRead.model_validate(row) for row in rows]
