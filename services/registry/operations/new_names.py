"""What is checked of the paths that a session gets, but not of those that it has."""

from __future__ import annotations

from collections.abc import Sequence

from libs.common.schemas.ids import find_uuid
from libs.common.schemas.names import check_new_name
from services.registry.domain.new_names import check_no_twins, check_portable
from services.registry.domain.requests import FileKey, RequestedFile
from services.registry.queries.known_files import KnownDataset
from services.registry.queries.registration import RegistrationScope


def check_new_names(
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    known: Sequence[KnownDataset],
    paths: Sequence[FileKey],
) -> None:
    """Raises BadRequest for a new path that some file system cannot have, Conflict for one that has a twin.

    `paths`: all those that the session or object has.
    """
    new = {file.key for file in files} - {dataset.key for dataset in known}
    if new:
        for revision in {key[1] for key in new} - {key[1] for key in paths}:
            if revision and find_uuid(revision) is not None:
                check_new_name("filenames", revision)
        check_portable(sorted(new), paths, scope.below, "filenames")
        check_no_twins(sorted(new), paths)
