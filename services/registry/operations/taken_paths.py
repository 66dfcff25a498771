"""No two datasets have a record at one path of one repository: bytes of one would overwrite those of the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from cingulum.alf import inner_path, path_below_subjects
from libs.common.db import ReadSession
from libs.common.problem import Conflict
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import ProtectedDataset
from services.registry.domain.file_paths import describe_taken
from services.registry.domain.requests import FileKey, RequestedFile
from services.registry.models import DatasetRow
from services.registry.queries.columns import GONE
from services.registry.queries.copies import fetch_copies_of_datasets
from services.registry.queries.files import fetch_own_place
from services.registry.queries.known_files import KnownDataset
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.taken_paths import (
    Folder,
    TakenPath,
    fetch_owners,
    fetch_taken_ids,
    fetch_taken_paths,
)

_MOST_NAMED: Final = 20


async def check_files_free(
    session: ReadSession,
    visibility: Visibility,
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    known: Sequence[KnownDataset],
    repositories: Collection[str],
) -> None:
    """Raises Conflict where another dataset has the id of a new file, or its path in one of the repositories.

    A file that has a record in the repository already keeps it. Raises ProtectedDataset if the other is protected.
    """
    ids = {dataset.key: dataset.id for dataset in known}
    await _check_ids_free(
        session, [file.import_id for file in files if file.import_id and file.key not in ids]
    )
    if not repositories:
        return
    paths = {path_below_subjects(scope.folder, inner_path(*file.key)): ids.get(file.key) for file in files}
    taken = await fetch_taken_paths(session, repositories, paths, Folder(scope.folder, scope.session_id))
    taken = [place for place in taken if place.dataset_id != paths[place.path]]
    if not taken:
        return
    own = await _fetch_records(session, [dataset_id for dataset_id in paths.values() if dataset_id])
    taken = [place for place in taken if (paths[place.path], place.repository) not in own]
    await _refuse(session, visibility, taken, "filenames")


async def _check_ids_free(session: ReadSession, import_ids: Sequence[UUID]) -> None:
    """Raises Conflict for an id that a dataset has, also a deleted one, and for one that is sent twice."""
    if not import_ids:
        return
    taken = await fetch_taken_ids(session, import_ids)
    twice = [dataset_id for dataset_id, n in Counter(import_ids).items() if n > 1]
    for dataset_id in (*taken, *twice):
        raise Conflict(
            f"Another dataset has the id {dataset_id}: without `import_ids` the file gets a new one."
        )


async def check_dataset_free(
    session: ReadSession, visibility: Visibility, dataset: DatasetRow, key: FileKey, *, field: str
) -> None:
    """The same of a dataset that comes to this collection and revision with its records, or back from a deletion."""
    rows = (await fetch_copies_of_datasets(session, [dataset.id])).get(dataset.id, [])
    folder, _ = await fetch_own_place(session, dataset)
    own, within = path_below_subjects(folder, inner_path(*key)), Folder(folder, dataset.session_id)
    taken = []
    for row in rows:
        if row.copy.generation == dataset.generation and row.copy.state not in GONE:
            path, where = (row.relative_path, None) if row.relative_path else (own, within)
            taken += await fetch_taken_paths(session, [row.copy.repository], [path], where)
    await _refuse(session, visibility, [place for place in taken if place.dataset_id != dataset.id], field)


async def _fetch_records(session: ReadSession, dataset_ids: Collection[UUID]) -> set[tuple[UUID | None, str]]:
    """Datasets with the repositories in which they have records."""
    copies = await fetch_copies_of_datasets(session, [*dataset_ids])
    newest = {dataset_id: max(row.copy.generation for row in rows) for dataset_id, rows in copies.items()}
    return {
        (dataset_id, row.copy.repository)
        for dataset_id, rows in copies.items()
        for row in rows
        if row.copy.generation == newest[dataset_id] and row.copy.state not in GONE
    }


async def _refuse(
    session: ReadSession, visibility: Visibility, taken: Collection[TakenPath], field: str
) -> None:
    owners = await fetch_owners(session, visibility, {place.dataset_id for place in taken}) if taken else {}
    if any(owner.is_protected for owner in owners.values()):
        raise ProtectedDataset
    texts = []
    for place in sorted(taken, key=lambda place: (place.path, place.repository))[:_MOST_NAMED]:
        owner = owners[place.dataset_id]
        named = place.dataset_id if owner.is_visible else None
        texts.append(describe_taken(place.path, place.repository, named, owner.session_id))
    if texts:
        raise Conflict(fields={field: texts})
