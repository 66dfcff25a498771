"""Which revision of a file is the default one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from services.registry.domain.requests import FileKey, RequestedFile, lone_files
from services.registry.models import DatasetRow
from services.registry.queries import registration as queries
from services.registry.queries.dataset_moves import (
    choose_default_revision,
    find_last_revision,
    update_revision_not_default,
)
from services.registry.queries.deletions import update_restored_defaults
from services.registry.queries.known_files import KnownDataset
from services.registry.queries.registration import RegistrationScope

_NEXT: Final = "next_default"


async def next_default(session: ReadSession, row: DatasetRow) -> dict[str, str]:
    """What the audit entry of a deleted default revision has of the one that the deletion makes the default."""
    next_id = await find_last_revision(session, row, row.collection) if row.is_default else None
    return {} if next_id is None else {_NEXT: str(next_id)}


async def restore_default(tx: Transaction, row: DatasetRow, before: Mapping[str, str]) -> None:
    """Let a restored dataset be the default revision again, unless another one was made it since.

    before   what the audit entry of its deletion has of it
    """
    if next_id := before.get(_NEXT):
        await update_revision_not_default(tx.session, row, UUID(next_id))
    await update_restored_defaults(tx.session, [row.id])
    await choose_default_revision(tx.session, row, row.collection)


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
