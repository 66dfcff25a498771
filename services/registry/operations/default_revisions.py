"""Which revision of a file is the default one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from services.registry.domain.requests import FileKey, RequestedFile
from services.registry.models import DatasetRow
from services.registry.queries import registration as queries
from services.registry.queries.dataset_moves import find_last_revision
from services.registry.queries.registration import KnownDataset, RegistrationScope

_NEXT: Final = "next_default"


async def next_default(session: ReadSession, row: DatasetRow) -> dict[str, str]:
    """What the audit entry of a deleted default revision has of the one that the deletion makes the default."""
    next_id = await find_last_revision(session, row, row.collection) if row.is_default else None
    return {} if next_id is None else {_NEXT: str(next_id)}


async def take_back_next_default(tx: Transaction, before: Mapping[str, str]) -> None:
    """That one is no longer the default, as the deletion is undone."""
    if next_id := before.get(_NEXT):
        await queries.update_not_default(tx.session, [UUID(next_id)])


async def set_default_revisions(
    tx: Transaction,
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    ids: Mapping[FileKey, UUID],
    *,
    default: bool,
    existing: Mapping[FileKey, KnownDataset],
) -> None:
    """These revisions become the default ones of their files (`default`), or stop being it."""
    if default:
        chosen = {(file.collection, file.name): ids[file.key] for file in files}
        await queries.update_default_revisions(tx.session, scope, chosen)
    else:
        again = [ids[file.key] for file in files if file.key in existing]
        await queries.update_not_default(tx.session, again)
