"""Datasets of merged sessions: which move, which revisions stay the default ones, and the notice on what stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from libs.common.db import ReadSession, Transaction, WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.db.moving import Movable
from services.registry.models import DataNoticeDatasetRow, DataNoticeRow, DatasetRow
from services.registry.models.expressions import path_in_folder
from services.registry.queries.bulk_writes import execute_write

_Other = sa.orm.aliased(DatasetRow, name="other")


def _is_same_path(row: type[DatasetRow], other: type[DatasetRow]) -> Condition:
    """Their paths in the session's folder differ at most by case."""
    return sa.and_(
        *(
            sa.func.lower(getattr(row, name)) == sa.func.lower(getattr(other, name))
            for name in ("collection", "revision", "name")
        )
    )


def _is_free(session_id: sa.ColumnElement[Any]) -> Condition:
    """A session has no dataset of this path; deleted ones have none."""
    taken = sa.exists().where(
        _Other.session_id == session_id, _Other.deleted_at.is_(None), _is_same_path(DatasetRow, _Other)
    )
    return sa.or_(DatasetRow.deleted_at.is_not(None), ~taken.correlate_except(_Other))


DATASETS: Final = Movable(DatasetRow.session_id, "dataset", _is_free)


async def update_moved_defaults(tx: Transaction, merge_id: UUID, moved: Sequence[UUID]) -> None:
    """Of each file of which datasets moved, one revision stays the default: that of the session, else the last one.

    What a moved dataset was before is stored with its move.
    """
    is_moved = _Other.id == any_of(moved)
    is_later = sa.tuple_(_Other.revision.collate("C"), _Other.id) > sa.tuple_(
        DatasetRow.revision.collate("C"), DatasetRow.id
    )
    prevails = sa.exists().where(_is_revision_of(DatasetRow), _Other.is_default, sa.or_(~is_moved, is_later))
    demoting = (
        sa.update(DatasetRow)
        .where(DatasetRow.id == any_of(moved), DatasetRow.is_default, DatasetRow.deleted_at.is_(None))
        .where(prevails.correlate_except(_Other))
        .values(is_default=False)
        .returning(DatasetRow.id)
    )
    demoted = [row.id for row in await execute_write(tx.session, demoting)]
    stored = tx.tables.moved_rows
    await tx.session.execute(
        sa.update(stored)
        .where(stored.c.merge_id == merge_id, stored.c.row_id == any_of(demoted))
        .values(content={"is_default": True})
    )


def _is_revision_of(dataset: type[DatasetRow]) -> Condition:
    """The other dataset is a revision of the same file, which is not deleted."""
    return sa.and_(
        _Other.session_id == dataset.session_id,
        _Other.collection == dataset.collection,
        _Other.name == dataset.name,
        _Other.id != dataset.id,
        _Other.deleted_at.is_(None),
    )


async def update_defaults_after_undo(
    session: WriteSession, former_defaults: Sequence[UUID], places: Sequence[tuple[UUID, UUID]]
) -> None:
    """Give files a default revision again: one that was it before the merge, else the last one.

    places   session and dataset: the dataset's file in that session has lost or regained revisions
    """
    has_default = sa.exists().where(_is_revision_of(DatasetRow), _Other.is_default).correlate_except(_Other)
    again = sa.update(DatasetRow).where(DatasetRow.id == any_of(former_defaults), ~has_default)
    await execute_write(session, again.values(is_default=True))
    place = sa.select(
        sa.func.unnest(sa.literal([session_id for session_id, _ in places], ARRAY(sa.UUID))).label(
            "session_id"
        ),
        sa.func.unnest(sa.literal([row_id for _, row_id in places], ARRAY(sa.UUID))).label("dataset_id"),
    ).subquery("place")
    named = sa.orm.aliased(DatasetRow, name="named")
    files = sa.select(place.c.session_id, named.collection, named.name).join(
        named, named.id == place.c.dataset_id
    )
    row = sa.orm.aliased(DatasetRow, name="revision")
    has_none = ~sa.exists().where(_is_revision_of(row), _Other.is_default).correlate_except(_Other)
    last = (
        sa.select(row.id)
        .where(sa.tuple_(row.session_id, row.collection, row.name).in_(files))
        .where(row.deleted_at.is_(None), row.is_default.is_(False), has_none)
        .ext(distinct_on(row.session_id, row.collection, row.name))
        .order_by(row.session_id, row.collection, row.name, row.revision.collate("C").desc())
    )
    await execute_write(session, sa.update(DatasetRow).where(DatasetRow.id.in_(last)).values(is_default=True))


async def fetch_paths_left(session: ReadSession, session_ids: Sequence[UUID]) -> list[str]:
    """The paths of datasets of sessions, in order."""
    path = path_in_folder()
    statement = sa.select(path).where(
        DatasetRow.session_id == any_of(session_ids), DatasetRow.deleted_at.is_(None)
    )
    return [*await session.scalars(statement.order_by(path))]


async def insert_notice(
    session: WriteSession, row: DataNoticeRow, into: UUID, session_ids: Sequence[UUID]
) -> None:
    """Add a notice on the datasets of a session whose paths those of others have too; nothing if it is there."""
    values = {
        name: getattr(row, name) for name in ("id", "name", "description", "description_html", "importance")
    }
    inserting = insert(DataNoticeRow).values(values).on_conflict_do_nothing().returning(DataNoticeRow.id)
    if await session.scalar(inserting) is None:
        return
    has_twin = sa.exists().where(
        _Other.session_id == any_of(session_ids),
        _Other.deleted_at.is_(None),
        _is_same_path(DatasetRow, _Other),
    )
    concerned = sa.select(sa.literal(row.id, sa.UUID), DatasetRow.id).where(
        DatasetRow.session_id == into, DatasetRow.deleted_at.is_(None), has_twin.correlate_except(_Other)
    )
    await session.execute(
        insert(DataNoticeDatasetRow).from_select(["data_notice_id", "dataset_id"], concerned)
    )


async def update_notice_deleted(session: WriteSession, notice_id: UUID) -> None:
    """Delete (soft) a notice, if there is one."""
    await session.execute(
        sa.update(DataNoticeRow).where(DataNoticeRow.id == notice_id).values(deleted_at=sa.func.now())
    )
