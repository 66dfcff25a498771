"""What is checked of the paths that a session gets, but not of those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.db import ReadSession
from services.registry.domain.new_names import check_no_twins, check_portable
from services.registry.domain.requests import RequestedFile
from services.registry.queries.registration import KnownDataset, RegistrationScope, fetch_paths


async def check_new_names(
    session: ReadSession,
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    known: Sequence[KnownDataset],
) -> None:
    """Raises BadRequest for a new path that some file system cannot have, Conflict for one that has a twin."""
    new = {file.key for file in files} - {dataset.key for dataset in known}
    if new:
        paths = await fetch_paths(session, scope)
        check_portable(sorted(new), paths, scope.below, "filenames")
        check_no_twins(sorted(new), paths)
