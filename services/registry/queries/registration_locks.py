"""The lock of what is registered of a session or another object: it comes before those of datasets and copies."""

from __future__ import annotations

from functools import cache
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import WriteSession
from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.problem import Unavailable
from services.registry.models import DatasetRow


async def lock_registrations(session: WriteSession, owner_id: UUID | None) -> None:
    """Lock what is registered of a session or another object until the end of the transaction."""
    await execute_prepared(session, _select_lock(), key=f"registry:{owner_id}")


@cache
def _select_lock() -> sa.Select[None]:
    key = sa.func.hashtextextended(request_value("key", sa.Text()), 0)
    return sa.select(sa.func.pg_advisory_xact_lock(key))


async def lock_registrations_of_dataset(session: WriteSession, dataset_id: UUID) -> None:
    """Lock what is registered of the owner of a dataset, also of a deleted one, before the dataset itself.

    Raises Unavailable if it moves to another session meanwhile.
    """
    await lock_registrations_beside(session, dataset_id, await _find_owner(session, dataset_id))


async def lock_registrations_beside(session: WriteSession, dataset_id: UUID, owner_id: UUID | None) -> None:
    """The same of a dataset whose owner was read before.

    Raises Unavailable if it has another one by now, whose lock has to come before the dataset's, too.
    """
    await lock_registrations(session, owner_id)
    if await _find_owner(session, dataset_id) != owner_id:
        raise Unavailable("The dataset moved to another session at this moment: try again.")


async def _find_owner(session: WriteSession, dataset_id: UUID) -> UUID | None:
    owner = sa.select(sa.func.coalesce(DatasetRow.session_id, DatasetRow.object_id))
    owner_id: UUID | None = await session.scalar(owner.where(DatasetRow.id == dataset_id))
    return owner_id
