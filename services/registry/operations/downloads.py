"""Counters of downloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields, check_unchanged
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.schemas.files.downloads import Download, DownloadIn, DownloadsCounted, NewDownload
from libs.common.visibility import Visibility
from services.registry.domain.downloads import check_may_count_for, check_within_scope, owner_of_counters
from services.registry.models import DownloadRow
from services.registry.queries import downloads as queries
from services.registry.queries.datasets import fetch_datasets_in_order
from services.registry.queries.registration import fetch_user_id

_STORED: Final = StoredFields(DownloadIn, DownloadRow, handled={"user"})


async def count_downloads(
    tx: Transaction, by: Principal, visibility: Visibility, request: NewDownload, dataset_ids: Sequence[UUID]
) -> DownloadsCounted:
    """Count one more download of each dataset, for the named projects; only administrators count for others.

    Raises BadRequest, Forbidden.
    """
    user_id = by.user_id
    if request.user and request.user != by.username:
        check_may_count_for(by, request.user)
        user_id = await fetch_user_id(tx.session, request.user, "user")
    known = {dataset.id for dataset in await fetch_datasets_in_order(tx.session, visibility, dataset_ids)}
    for dataset_id in dataset_ids:
        if dataset_id not in known:
            raise UnknownReference("datasets", dataset_id, key="id")
    unique = list(dict.fromkeys(dataset_ids))
    check_within_scope(by, await queries.fetch_targets_of_datasets(tx.session, unique))
    project_ids = await queries.fetch_project_ids(tx.session, visibility, request.projects or [])
    counters = await queries.insert_downloads(tx.session, user_id, unique)
    download_ids = [counter.id for counter in counters.values()]
    await queries.insert_download_projects(tx.session, download_ids, project_ids)
    return DownloadsCounted(
        download=[counters[dataset_id].id for dataset_id in dataset_ids],
        count=[counters[dataset_id].count for dataset_id in dataset_ids],
    )


async def read_download(
    session: ReadSession, by: Principal, visibility: Visibility, download_id: UUID
) -> Download:
    """A counter that the caller may see. Raises NotFound."""
    download = await queries.find_download(session, visibility, owner_of_counters(by), download_id)
    if download is None:
        raise NotFound(f"There is no download {download_id}.")
    return download


async def update_download(
    tx: Transaction, by: Principal, visibility: Visibility, download_id: UUID, body: DownloadIn
) -> Download:
    """Correct one's own counter. Raises NotFound, Forbidden."""
    download = await read_download(tx.session, by, visibility, download_id)
    check_within_scope(by, await queries.fetch_targets_of_datasets(tx.session, [download.dataset]))
    check_unchanged("user", body.user, download.user, "A counter stays with its user.")
    row = await queries.lock_download(tx.session, download_id)
    await update_row(tx, "download", row, _STORED.values(body))
    return await read_download(tx.session, by, visibility, download_id)
