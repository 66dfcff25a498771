"""Tags of a dataset, changed with it."""

from __future__ import annotations

from uuid import UUID

from libs.common.db import Transaction
from libs.common.permissions import Principal, Target
from libs.common.protection import lock_deletions
from libs.common.schemas.files.datasets import DatasetIn
from services.registry.domain.tags import check_may_change_tags
from services.registry.queries import dataset_tags as queries


async def await_deletions(tx: Transaction, body: DatasetIn) -> None:
    """Wait for deletions, before any row is locked, where a tag is to protect: see `libs.common.protection`."""
    if body.tags:
        tags = await queries.fetch_tags(tx.session, body.tags)
        if any(tag.protected for tag in tags.values()):
            await lock_deletions(tx.session)


async def set_tags(
    tx: Transaction, by: Principal, target: Target, dataset_id: UUID, names: list[str]
) -> None:
    """Give a dataset exactly these tags. Only administrators add or remove protected and public ones."""
    tags = await queries.fetch_tags(tx.session, names)
    before = await queries.fetch_tags_of_dataset(tx.session, dataset_id)
    check_may_change_tags(by, target, before, tags)
    await queries.update_tags_of_dataset(tx.session, dataset_id, [tag.id for tag in tags.values()])
    if before.keys() != tags.keys():
        tx.audit(
            "dataset.tagged",
            "dataset",
            dataset_id,
            before={"tags": sorted(before)},
            after={"tags": sorted(tags)},
        )
