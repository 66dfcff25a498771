"""File records: what clients claim about copies, one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from libs.common.db import ReadSession, Transaction
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields, check_unchanged
from libs.common.events import ProofOrdered
from libs.common.permissions import Principal
from libs.common.problem import REQUIRED, BadRequest, Conflict, NotFound, UnknownReference
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.files import FileRecordIn
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import (
    RepositoryTarget,
    effect_of_delete_file,
    effect_of_new_file,
    effect_of_patch_file,
)
from services.registry.domain.copies import VersionCopy
from services.registry.domain.file_paths import check_path, check_same, path_in
from services.registry.domain.holdings import Policy
from services.registry.domain.rights import may_doubt
from services.registry.models import CopyRow, DatasetRow
from services.registry.operations import retirement
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.datasets import LockedDataset, lock_dataset
from services.registry.queries import files as queries
from services.registry.queries.columns import GONE
from services.registry.queries.copies import update_copy
from services.registry.queries.deletions import count_notes
from services.registry.queries.files import ShownFile
from services.registry.queries.repositories import KnownRepository, fetch_repository_by_name
from services.registry.queries.retirement import find_copy_to_retire
from services.registry.queries.taken_paths import Folder, fetch_taken_paths

_STORED: Final = StoredFields(
    FileRecordIn, CopyRow, handled={"dataset", "data_repository", "relative_path", "exists", "name"}
)


async def read_file(session: ReadSession, visibility: Visibility, file_id: UUID) -> ShownFile:
    """A file record. Raises NotFound."""
    file = await queries.find_file(session, visibility, file_id)
    if file is None:
        raise _missing(file_id)
    return file


async def create_file(tx: Transaction, by: Principal, visibility: Visibility, new: FileRecordIn) -> ShownFile:
    """Create the record of a dataset in another repository that has it, or will have it."""
    if not new.dataset or not new.data_repository:
        raise BadRequest(fields={"dataset" if not new.dataset else "data_repository": REQUIRED})
    dataset_id = parse_field_id("dataset", new.dataset)
    try:
        locked = await lock_dataset(tx, by, visibility, dataset_id)
    except NotFound:
        raise UnknownReference("dataset", dataset_id, key="id") from None
    repository = await fetch_repository_by_name(tx.session, new.data_repository, "data_repository")
    path = await _relative_path(tx, locked.row, repository, new, is_new=True)
    generation = locked.row.generation
    if any(
        (row.copy.repository, row.copy.generation) == (repository.name, generation)
        and row.copy.state not in {CopyState.RETIRED, CopyState.RETIRING}
        for row in locked.copies
    ):
        raise Conflict("This dataset already has a record in that repository.")
    target = RepositoryTarget(repository.name, repository.place, is_named=True)
    copies = [row.copy for row in locked.copies]
    effect = effect_of_new_file(generation, copies, target, exists=new.exists is True)
    writes = BulkWrites({repository.name: repository.id})
    writes.add(locked.row.id, effect.version, locked.copies, effect)
    await writes.write(tx)
    if writes.proofs:
        tx.publish(ProofOrdered(copy_ids=writes.proofs))
    file_id = await queries.find_copy_id(tx.session, locked.row.id, repository.id, generation)
    if file_id is None:
        raise NotFound
    await update_copy(tx.session, file_id, json=new.json_, **path)
    locked.row.auto_datetime = datetime.now(UTC)
    tx.audit("file.created", "file", file_id, after={"repository": repository.name})
    return await _changed(tx, visibility, file_id, new)


async def _changed(tx: Transaction, visibility: Visibility, file_id: UUID, body: FileRecordIn) -> ShownFile:
    shown = await read_file(tx.session, visibility, file_id)
    name = shown.relative_path.rpartition("/")[2]
    check_unchanged("name", body.name, name, "It is the last part of `relative_path`.")
    return shown


async def _relative_path(
    tx: Transaction,
    dataset: DatasetRow,
    repository: KnownRepository,
    body: FileRecordIn,
    *,
    is_new: bool = False,
) -> dict[str, object]:
    """The column of the path that a body sets; null where it is that of the dataset. Raises BadRequest.

    is_new   a record of which the body names no path has that of the dataset
    """
    sent = path_in(body)
    if sent is None and not is_new:
        return {}
    folder, own = await queries.fetch_own_place(tx.session, dataset)
    path = own if sent is None else sent
    within = Folder(folder, dataset.session_id) if path == own else None
    taken = await fetch_taken_paths(tx.session, [repository.name], [path], within)
    is_taken = any(place.dataset_id != dataset.id for place in taken)
    check_path(path, own, repository.name, is_managed=repository.place.is_managed, is_taken=is_taken)
    return {"relative_path": None if path == own else path}


async def _lock_file(
    tx: Transaction, by: Principal, visibility: Visibility, file_id: UUID
) -> tuple[LockedDataset, CopyRow, VersionCopy]:
    """A file record, with its dataset locked. Raises NotFound, Forbidden."""
    ids = await queries.find_copy_of_file(tx.session, file_id)
    if ids is None:
        raise _missing(file_id)
    dataset_id, copy_id = ids
    try:
        locked = await lock_dataset(tx, by, visibility, dataset_id)
    except NotFound:
        raise _missing(file_id) from None
    row = await queries.lock_copy_row(tx.session, copy_id)
    stored = next((copy for copy in locked.copies if copy.id == copy_id), None)
    if stored is None or row.generation != locked.row.generation or stored.copy.state in GONE:
        raise _missing(file_id)
    return locked, row, stored.copy


def _missing(file_id: UUID) -> NotFound:
    return NotFound(f"There is no file record {file_id}.")


async def update_file(
    tx: Transaction, by: Principal, visibility: Visibility, file_id: UUID, body: FileRecordIn
) -> ShownFile:
    """Apply a client's claim that a file exists or does not; `json` replaces the stored one. Raises ProvedCopy."""
    locked, row, copy = await _lock_file(tx, by, visibility, file_id)
    repository = await fetch_repository_by_name(tx.session, copy.repository, "data_repository")
    check_same(body, dataset_id=locked.row.id, repository=repository.name)
    values = _STORED.values(body) | await _relative_path(tx, locked.row, repository, body)
    if body.exists is not None:
        values |= _claim(tx, by, locked, row, copy, exists=body.exists)
    await update_row(tx, "file", row, values)
    locked.row.auto_datetime = datetime.now(UTC)
    return await _changed(tx, visibility, file_id, body)


def _claim(
    tx: Transaction, by: Principal, locked: LockedDataset, row: CopyRow, copy: VersionCopy, *, exists: bool
) -> dict[str, object]:
    """The columns that follow from a claim; a proof that it needs is ordered. Raises ProvedCopy."""
    after, ordered = effect_of_patch_file(
        copy,
        exists=exists,
        was_proved=row.proved_at is not None,
        may_doubt=may_doubt(by, locked.target, row.repository_id),
    )
    if ordered:
        tx.publish(ProofOrdered(copy_ids=[row.id]))
    return {"state": str(after.state), "order_proof": ordered}


async def delete_file(
    tx: Transaction, by: Principal, visibility: Visibility, file_id: UUID, policy: Policy, *, dry_run: bool
) -> Deletion:
    """Forget a record in an unmanaged repository; retire a managed copy. Raises MayNotRetire, ProtectedDataset."""
    ids = await queries.find_copy_of_file(tx.session, file_id)
    to_retire = None if ids is None else await find_copy_to_retire(tx.session, visibility, ids[1])
    if to_retire is None:
        raise _missing(file_id)
    case, decision = await retirement.lock_decision(tx, to_retire, policy)  # first: it locks in a fixed order
    locked, row, copy = await _lock_file(tx, by, visibility, file_id)
    if copy.place.is_managed:
        await retirement.check_may_retire(tx, by, to_retire)
    after = effect_of_delete_file(
        copy, decision, is_claimed=row.order_proof, is_protected=locked.is_protected
    )
    counts, hidden = {"file": 1}, await count_notes(tx.session, row.file_id or row.id)
    if dry_run:
        return Deletion.preview(counts, hidden)
    if copy.place.is_managed:
        await retirement.write_retirement(tx, case, decision, "DELETE /files")
    else:
        await update_row(tx, "file", row, {"state": str(after.state), "order_proof": False})
    locked.row.auto_datetime = datetime.now(UTC)
    return Deletion.final(counts, hidden)
