"""Notices on datasets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.db.links import Links, set_links
from libs.common.db.removal import lock_taken, remove
from libs.common.db.rows import create_row, update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.permissions import Principal
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.data_notices import DataNotice, DataNoticeIn
from libs.common.schemas.ids import parse_field_id
from libs.common.visibility import Visibility
from services.registry.domain.data_notices import check_dates, check_may_write, render_html
from services.registry.models import DataNoticeDatasetRow, DataNoticeRow
from services.registry.models.dependants import DEPENDANTS
from services.registry.queries import data_notices as queries
from services.registry.queries.deletions import count_notes
from services.registry.queries.downloads import fetch_targets_of_datasets
from services.registry.queries.registration import fetch_user_id

DATASETS_OF_NOTICE: Final = Links("datasets", DataNoticeDatasetRow, "data_notice_id", "dataset_id")
_STORED: Final = StoredFields(DataNoticeIn, DataNoticeRow, handled={"created_by", "datasets"})


async def create_notice(
    tx: Transaction, by: Principal, visibility: Visibility, body: DataNoticeIn
) -> DataNotice:
    """Create a notice on datasets."""
    dataset_ids = await _datasets_of_body(tx, visibility, body)
    check_may_write(by, await fetch_targets_of_datasets(tx.session, dataset_ids))
    check_dates(body.affected_date_start, body.affected_date_end)
    notice_id = await _insert(tx, {"user_id": by.user_id} | await _values(tx, body), dataset_ids)
    return await queries.fetch_notice(tx.session, visibility, notice_id)


async def notify(tx: Transaction, by: Principal, body: DataNoticeIn, dataset_ids: Sequence[UUID]) -> UUID:
    """A notice that the service itself writes, on behalf of a person who may change these datasets."""
    return await _insert(tx, {"user_id": by.user_id} | await _values(tx, body), dataset_ids)


async def update_notice(
    tx: Transaction, by: Principal, visibility: Visibility, notice_id: UUID, body: DataNoticeIn
) -> DataNotice:
    """Update a notice; absent fields keep their value, and datasets that the caller cannot see stay."""
    row = await lock_notice_to_edit(tx, by, visibility, notice_id)
    values = await _values(tx, body)
    start, end = (
        values.get(name, getattr(row, name)) for name in ("affected_date_start", "affected_date_end")
    )
    check_dates(start, end)
    if body.datasets is not None:
        hidden = await queries.fetch_hidden_datasets_of_notice(tx.session, visibility, notice_id)
        dataset_ids = [*await _datasets_of_body(tx, visibility, body), *hidden]
        check_may_write(by, await fetch_targets_of_datasets(tx.session, dataset_ids))
        await _set_datasets(tx, notice_id, dataset_ids)
    await update_row(tx, "data-notice", row, values)
    return await queries.fetch_notice(tx.session, visibility, notice_id)


async def delete_notice(
    tx: Transaction, by: Principal, visibility: Visibility, notice_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a notice."""
    row = await lock_notice_to_edit(tx, by, visibility, notice_id)
    taken = await lock_taken(tx.session, DEPENDANTS, row)
    hidden = await count_notes(tx.session, row.id)
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    before = {"name": row.name}
    return await remove(tx, Service.REGISTRY, "data-notice", row, taken, hidden=hidden, before=before)


async def lock_notice_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, notice_id: UUID
) -> DataNoticeRow:
    """A notice that the caller may change, locked. Raises NotFound and Forbidden."""
    row = await queries.lock_notice(tx.session, visibility, notice_id)
    dataset_ids = await queries.fetch_datasets_of_notice(tx.session, notice_id)
    check_may_write(by, await fetch_targets_of_datasets(tx.session, dataset_ids))
    return row


async def _datasets_of_body(tx: Transaction, visibility: Visibility, body: DataNoticeIn) -> list[UUID]:
    """The datasets that a body names. Raises BadRequest and UnknownReference."""
    dataset_ids = [parse_field_id("datasets", text) for text in body.datasets or []]
    await queries.check_datasets_visible(tx.session, visibility, dataset_ids)
    return list(dict.fromkeys(dataset_ids))


async def _insert(tx: Transaction, values: dict[str, Any], dataset_ids: Sequence[UUID]) -> UUID:
    row = DataNoticeRow(id=uuid4(), **values)
    await create_row(tx, "data-notice", row, values)
    await _set_datasets(tx, row.id, dataset_ids)
    return row.id


async def _values(tx: Transaction, body: DataNoticeIn) -> dict[str, Any]:
    values = _STORED.values(body)
    if "created_by" in body.model_fields_set:
        values["user_id"] = await fetch_user_id(tx.session, body.created_by) if body.created_by else None
    if "description" in values:
        values["description_html"] = await asyncio.to_thread(render_html, values["description"])
    if "importance" in values:
        values["importance"] = int(values["importance"])
    return values


async def _set_datasets(tx: Transaction, notice_id: UUID, dataset_ids: Sequence[UUID]) -> None:
    await set_links(tx, DATASETS_OF_NOTICE, "data-notice", notice_id, dataset_ids)
