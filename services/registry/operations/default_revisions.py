"""Which revision of a file is the default one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from libs.common.db import Transaction
from services.registry.domain.requests import FileKey, RequestedFile
from services.registry.queries import registration as queries
from services.registry.queries.registration import KnownDataset, RegistrationScope


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
