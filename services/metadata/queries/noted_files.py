"""The kinds of records of registry that notes can be about: datasets, their files, notices and downloads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common import visible as shared
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.permissions import SHARED, Target
from libs.common.published import COPIES, DATA_NOTICE_DATASETS, DATASETS, DOWNLOADS, alias
from libs.common.scopes import Permission
from libs.common.targets import fetch_dataset_target
from libs.common.visibility import Visibility
from libs.common.visible_notices import is_download_visible, is_notice_visible
from services.metadata.queries.noted_kinds import RecordKind, Rights


def of_datasets() -> RecordKind:
    async def target(session: ReadSession, record_id: UUID) -> Target:
        dataset = alias(DATASETS, "noted")
        rows = await session.execute(
            sa.select(dataset.c.session_id, dataset.c.content_type, dataset.c.object_id).where(
                dataset.c.id == record_id
            )
        )
        return await fetch_dataset_target(session, *rows.one())

    return RecordKind(shared.is_dataset_visible, target, Permission.REGISTER)


def of_files() -> RecordKind:
    """As visible as their dataset; a file record has a copy of each version."""
    datasets, own = of_datasets(), alias(COPIES, "noted")

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(sa.select(own.c.dataset_id).where(own.c.file_id == record_id).limit(1))
        return await datasets.fetch_target(session, rows.one())

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        record = sa.exists().where(
            own.c.file_id == record_id, shared.is_dataset_visible(visibility, own.c.dataset_id)
        )
        return record.correlate_except(own)

    return RecordKind(condition, target, Permission.REGISTER)


def of_notices() -> RecordKind:
    """Written by those who may register all datasets that one is about; by administrators, if it is about none."""
    datasets, link = of_datasets(), alias(DATA_NOTICE_DATASETS, "noted")

    async def rights(session: ReadSession, record_id: UUID) -> Rights:
        ids = await session.scalars(sa.select(link.c.dataset_id).where(link.c.data_notice_id == record_id))
        needed = [(datasets.permission, await datasets.fetch_target(session, each)) for each in ids.all()]
        return needed or [(Permission.ADMIN, SHARED)]

    async def target(session: ReadSession, record_id: UUID) -> Target:
        return (await rights(session, record_id))[0][1]

    return RecordKind(is_notice_visible, target, rights_of=rights)


def of_downloads() -> RecordKind:
    """Counters belong to their users."""
    datasets, own = of_datasets(), alias(DOWNLOADS, "noted")

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.execute(sa.select(own.c.dataset_id, own.c.user_id).where(own.c.id == record_id))
        dataset_id, user_id = rows.one()
        return replace(await datasets.fetch_target(session, dataset_id), responsible_user_id=user_id)

    return RecordKind(is_download_visible, target)
