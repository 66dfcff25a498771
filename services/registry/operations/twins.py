"""Files whose paths differ only by case or composition from others of their session."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.db import ReadSession
from services.registry.domain.requests import RequestedFile
from services.registry.domain.twins import check_no_twins
from services.registry.queries.registration import KnownDataset, RegistrationScope, fetch_paths


async def refuse_twins(
    session: ReadSession,
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    known: Sequence[KnownDataset],
) -> None:
    """Raises Conflict for a new file whose path differs only by case from another one of the session."""
    new = {file.key for file in files} - {dataset.key for dataset in known}
    if new:
        check_no_twins(sorted(new), await fetch_paths(session, scope))
