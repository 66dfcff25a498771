"""Datasets, created and changed one by one as Alyx's contract allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from cingulum.alf import AlfError, match_extension
from libs.common.catalogue import Service
from libs.common.db import ReadSession, Transaction
from libs.common.db.removal import lock_taken, remove
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields, check_not_cleared
from libs.common.events import FilesRegistered
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound
from libs.common.protection import lock_protection
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.times import parse_utc
from libs.common.scopes import Permission
from libs.common.targets import fetch_dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import Registration, check_change_dataset, effect_of_register
from services.registry.domain.authors import Author, author_columns, author_of_body
from services.registry.domain.copies import Version
from services.registry.domain.new_names import check_no_twins, check_portable
from services.registry.models import DatasetRow, DatasetTypeRow, FormatRow, VersionRow
from services.registry.models.dependants import DEPENDANTS
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.dataset_moves import (
    OWNER,
    check_names,
    check_unchanged,
    lock_siblings,
    move_copies,
    moved_columns,
    parse_names,
)
from services.registry.operations.dataset_scopes import fetch_dataset_scope
from services.registry.operations.dataset_tags import await_deletions, set_tags
from services.registry.operations.dataset_types import fetch_types_of_files
from services.registry.operations.default_revisions import next_default
from services.registry.queries import datasets as queries
from services.registry.queries import deletions, registration
from services.registry.queries.copies import StoredCopy, fetch_copies_of_datasets
from services.registry.queries.dataset_moves import choose_default_revision, update_default_revision
from services.registry.queries.datasets import ShownDataset
from services.registry.queries.known_files import fetch_known_files
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.registration_locks import lock_registrations, lock_registrations_of_dataset
from services.registry.queries.repositories import fetch_repository_ids
from services.registry.queries.vocabularies import (
    fetch_formats,
    fetch_term_id,
)

_NAMED: Final = OWNER | {"collection", "revision", "name"}
_STORED: Final = StoredFields(
    DatasetIn,
    DatasetRow,
    renamed={"version": "software_version"},
    handled=_NAMED
    | {
        "created_by",
        "created_datetime",
        "dataset_type",
        "data_format",
        "file_size",
        "hash",
        "default_dataset",
        "tags",
    },
)


@dataclass(frozen=True)
class LockedDataset:
    """A dataset the caller may change, locked, with what decides about it."""

    row: DatasetRow
    is_protected: bool
    copies: list[StoredCopy]
    target: Target


async def lock_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, dataset_id: UUID
) -> LockedDataset:
    """A dataset, locked for a change. Raises NotFound, Forbidden."""
    row, is_protected = await queries.lock_dataset(tx.session, visibility, dataset_id)
    target = await fetch_dataset_target(tx.session, row.session_id, row.content_type, row.object_id)
    if not may_on(by, Permission.REGISTER, target):
        raise Forbidden
    copies = await fetch_copies_of_datasets(tx.session, [dataset_id])
    return LockedDataset(row, is_protected, copies.get(dataset_id, []), target)


async def read_dataset(session: ReadSession, visibility: Visibility, dataset_id: UUID) -> ShownDataset:
    """A dataset. Raises NotFound."""
    dataset = await queries.find_dataset(session, visibility, dataset_id)
    if dataset is None:
        raise NotFound(f"There is no dataset {dataset_id}.")
    return dataset


async def create_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, new: DatasetIn, *, creates_types: bool
) -> ShownDataset:
    """Create a dataset without any copy. Raises BadRequest, Forbidden, Conflict."""
    await await_deletions(tx, new)
    scope = await fetch_dataset_scope(tx.session, by, visibility, new)
    await lock_registrations(tx.session, scope.owner_id)
    target = await registration.fetch_target(tx.session, scope)
    if not may_on(by, Permission.REGISTER, target):
        raise Forbidden
    collection, revision, name = key = parse_names(new, scope.folder)
    await check_names(tx, key, scope.below)
    named_id = await registration.fetch_user_id(tx.session, new.created_by) if new.created_by else None
    author = author_of_body(by, new.created_by, named_id)
    known, paths = await fetch_known_files(tx.session, scope, {name})
    if any(dataset.key == key for dataset in known):
        raise Conflict("This dataset is already registered: update it, or register its file again.")
    check_portable([key], paths, scope.below)
    check_no_twins([key], paths, "name")
    type_id, format_id = await _fetch_type_and_format(tx, new, name, author, creates_types=creates_types)
    row = DatasetRow(
        **_columns(new, scope),
        collection=collection,
        revision=revision,
        name=name,
        **author_columns(author),
        dataset_type_id=type_id,
        format_id=format_id,
    )
    version = VersionRow(dataset_id=row.id, generation=1, size_bytes=new.file_size, md5=new.hash)
    await queries.insert_dataset(tx.session, row, version)
    if new.default_dataset is not False:
        await update_default_revision(tx.session, row)
    if new.tags:
        await set_tags(tx, by, target, row.id, new.tags)
    tx.audit("dataset.created", "dataset", row.id, after={"name": name, "session": str(scope.session_id)})
    tx.publish(FilesRegistered(session_id=scope.session_id, user_id=by.user_id, dataset_ids=[row.id]))
    return await read_dataset(tx.session, visibility, row.id)


def _columns(new: DatasetIn, scope: RegistrationScope) -> dict[str, object]:
    """The columns of a new dataset that follow from the body and its session alone."""
    return {
        "id": uuid4(),
        "session_id": scope.session_id,
        "content_type": scope.content_type,
        "object_id": scope.object_id,
        "lab_path": scope.folder,
        "is_default": False,
        "generation": 1,
        **_created_at(new),
        **_STORED.values(new),
    }


def _created_at(body: DatasetIn) -> dict[str, object]:
    """The time of creation that a body sets. Raises BadRequest."""
    if body.created_datetime is None:
        return {}
    return {"created_at": parse_utc("created_datetime", body.created_datetime)}


async def _fetch_type_and_format(
    tx: Transaction, new: DatasetIn, name: str, author: Author, *, creates_types: bool
) -> tuple[UUID, UUID]:
    """As the body names them, else as the file name implies."""
    kinds = await _named_kinds(tx, new)
    try:
        if "dataset_type_id" not in kinds:
            types, ids, _ = await fetch_types_of_files(tx, [name], author, creates_types=creates_types)
            kinds["dataset_type_id"] = ids[types.match(name).name]
        if "format_id" not in kinds:
            formats = await fetch_formats(tx.session)
            kinds["format_id"] = formats[match_extension(name, list(formats))]
    except AlfError as error:
        raise BadRequest(fields={"name": [str(error)]}) from None
    return kinds["dataset_type_id"], kinds["format_id"]


async def _named_kinds(tx: Transaction, body: DatasetIn) -> dict[str, UUID]:
    """The columns of the dataset type and the format that a body names. Raises BadRequest."""
    columns = {}
    if body.dataset_type is not None:
        type_id = await fetch_term_id(tx.session, DatasetTypeRow, "dataset_type", body.dataset_type)
        columns["dataset_type_id"] = type_id
    if body.data_format is not None:
        columns["format_id"] = await fetch_term_id(tx.session, FormatRow, "data_format", body.data_format)
    return columns


async def update_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, dataset_id: UUID, body: DatasetIn
) -> ShownDataset:
    """Update a dataset; another hash or size makes a new version, as registering the file again.

    Another collection or revision moves it. Its name and what it belongs to cannot change.
    """
    await await_deletions(tx, body)
    await lock_siblings(tx, dataset_id, body)
    locked = await lock_dataset(tx, by, visibility, dataset_id)
    await check_unchanged(tx, visibility, locked.row, body)
    check_not_cleared(body, {"created_datetime": locked.row.created_at})
    moved = await moved_columns(tx, visibility, locked.row, body, is_protected=locked.is_protected)
    before = (locked.row.collection, locked.row.is_default)
    fields = moved | await _changed_columns(tx, body)
    if body.default_dataset is not None:
        fields["is_default"] = body.default_dataset
    await update_row(tx, "dataset", locked.row, fields)
    locked.row.auto_datetime = datetime.now(UTC)  # of no interest in the audit
    if moved:
        version = await _current_version(tx, locked.row)
        await move_copies(tx, locked.row, version, locked.copies)
        await _choose_defaults(tx, locked.row, body, *before)
    if body.model_fields_set & {"hash", "file_size"}:
        await _set_bytes(tx, locked, body)
    if body.default_dataset:
        await update_default_revision(tx.session, locked.row)
    if body.tags is not None:
        await set_tags(tx, by, locked.target, dataset_id, body.tags)
    return await read_dataset(tx.session, visibility, dataset_id)


async def _choose_defaults(
    tx: Transaction, row: DatasetRow, body: DatasetIn, moved_from: str, was_default: bool
) -> None:
    """Let a file have a default revision in the collection that it moved from, and in its new one."""
    if was_default:
        await choose_default_revision(tx.session, row, moved_from)
    if body.default_dataset is None:
        await choose_default_revision(tx.session, row, row.collection)


async def _changed_columns(tx: Transaction, body: DatasetIn) -> dict[str, object]:
    """The columns that a body changes, beside those of its path."""
    fields = _STORED.values(body) | await _named_kinds(tx, body) | _created_at(body)
    if "created_by" in body.model_fields_set:
        username = body.created_by or None
        user_id = await registration.fetch_user_id(tx.session, username) if username else None
        fields |= {"created_by": username, "created_by_id": user_id}
    return fields


async def _current_version(tx: Transaction, row: DatasetRow) -> Version:
    version = await queries.find_current_version(tx.session, row)
    if version is None:
        raise NotFound
    return version


async def _set_bytes(tx: Transaction, locked: LockedDataset, body: DatasetIn) -> None:
    before = await _current_version(tx, locked.row)
    check_not_cleared(body, {"hash": before.md5, "file_size": before.size_bytes})
    if body.hash in {None, before.md5} and body.file_size in {None, before.size_bytes}:
        return
    if before.sha256 is None and body.hash in {None, before.md5} and before.size_bytes is None:
        await queries.update_size_of_version(tx.session, locked.row, body.file_size)
        tx.audit("dataset.changed", "dataset", locked.row.id, after={"file_size": body.file_size})
        return
    effect = effect_of_register(
        before,
        [row.copy for row in locked.copies],
        Registration(body.file_size, body.hash, exists=False),
        [],
        is_protected=locked.is_protected,
    )
    writes = BulkWrites(await fetch_repository_ids(tx.session))
    writes.add(locked.row.id, before, locked.copies, effect)
    await writes.write(tx)


async def delete_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, dataset_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a dataset; its copies stay as they are. Raises ProtectedDataset.

    If it is the default revision of its file, the last of the others becomes it, until an undo.
    """
    await lock_protection(tx.session)
    await lock_registrations_of_dataset(tx.session, dataset_id)
    locked = await lock_dataset(tx, by, visibility, dataset_id)
    check_change_dataset(is_protected=locked.is_protected)
    taken = await lock_taken(tx.session, DEPENDANTS, locked.row)
    hidden = await deletions.count_hidden(tx.session, dataset_id)
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    before = {"name": locked.row.name} | await next_default(tx.session, locked.row)
    deletion = await remove(tx, Service.REGISTRY, "dataset", locked.row, taken, hidden=hidden, before=before)
    if locked.row.is_default:
        await choose_default_revision(tx.session, locked.row, locked.row.collection)
    session_id = locked.row.session_id
    tx.publish(FilesRegistered(session_id=session_id, user_id=None, dataset_ids=[dataset_id]))
    return deletion
