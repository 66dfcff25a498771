"""Which revision of a file is the default one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from services.registry.domain.requests import FileKey, RequestedFile, lone_files
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
    known: Sequence[KnownDataset],
) -> None:
    """These revisions become the default ones of their files (`default`), or stop being it.

    `known`: the datasets that existed before; a new file without other revisions was inserted as what it is.
    """
    if default:
        lone = lone_files(files, known)
        chosen = {(file.collection, file.name): ids[file.key] for file in files if file.key not in lone}
        if chosen:
            await queries.update_default_revisions(tx.session, scope, chosen)
    elif again := [dataset.id for dataset in known if dataset.key in {file.key for file in files}]:
        await queries.update_not_default(tx.session, again)
