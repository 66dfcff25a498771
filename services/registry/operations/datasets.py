"""Datasets, created and changed one by one as Alyx's contract allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from cingulum.alf import AlfError, check_plain_name, folder_text, parse_inside
from libs.common.catalogue import Service
from libs.common.db import ReadSession, Transaction
from libs.common.db.removal import lock_taken, remove
from libs.common.db.rows import update_row
from libs.common.db.stored_fields import StoredFields
from libs.common.events import FilesRegistered
from libs.common.filters.parameters import parse_day
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import REQUIRED, BadRequest, Conflict, Forbidden, NotFound, UnknownReference
from libs.common.protection import lock_deletions, lock_protection
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.ids import parse_field_id
from libs.common.scopes import Permission
from libs.common.targets import fetch_dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import Registration, check_delete_dataset, effect_of_register
from services.registry.domain.requests import RequestedFile, match_kinds
from services.registry.domain.tags import check_may_change_tags
from services.registry.models import DatasetRow, DatasetTypeRow, FormatRow, VersionRow
from services.registry.models.dependants import DEPENDANTS
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.dataset_types import fetch_types_of_files
from services.registry.queries import datasets as queries
from services.registry.queries import deletions, registration
from services.registry.queries.copies import StoredCopy, fetch_copies_of_datasets
from services.registry.queries.datasets import ShownDataset
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.repositories import fetch_repository_ids
from services.registry.queries.vocabularies import (
    fetch_formats,
    fetch_term_id,
    insert_missing_revisions,
)

_NAMED: Final = {"session", "subject", "date", "number", "collection", "revision", "name"}
_STORED: Final = StoredFields(
    DatasetIn,
    DatasetRow,
    renamed={"version": "software_version"},
    handled=_NAMED
    | {"created_by", "dataset_type", "data_format", "file_size", "hash", "default_dataset", "tags"},
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
    await _await_deletions(tx, new)
    scope = await _fetch_scope(tx, visibility, new)
    target = await registration.fetch_target(tx.session, scope)
    if not may_on(by, Permission.REGISTER, target):
        raise Forbidden
    collection, revision, name = _parse_names(new)
    if new.created_by:
        await registration.fetch_user_id(tx.session, new.created_by)
    await registration.lock_registrations(tx.session, scope.owner_id)
    known = await registration.fetch_known_datasets(tx.session, scope, {name})
    if any(dataset.key == (collection, revision, name) for dataset in known):
        raise Conflict("This dataset is already registered: update it, or register its file again.")
    await insert_missing_revisions(tx.session, {revision} - {""})
    created_by = new.created_by or by.username
    type_id, format_id = await _fetch_type_and_format(tx, new, name, created_by, creates_types=creates_types)
    row = DatasetRow(
        **_columns(new, scope),
        collection=collection,
        revision=revision,
        name=name,
        created_by=created_by,
        dataset_type_id=type_id,
        format_id=format_id,
    )
    version = VersionRow(dataset_id=row.id, generation=1, size_bytes=new.file_size, md5=new.hash)
    await queries.insert_dataset(tx.session, row, version)
    if new.default_dataset is not False:
        await queries.update_default_revision(tx.session, row)
    if new.tags:
        await _set_tags(tx, by, target, row.id, new.tags)
    tx.audit("dataset.created", "dataset", row.id, after={"name": name, "session": str(scope.session_id)})
    tx.publish(FilesRegistered(session_id=scope.session_id, user_id=by.user_id, dataset_ids=[row.id]))
    return await read_dataset(tx.session, visibility, row.id)


def _columns(new: DatasetIn, scope: RegistrationScope) -> dict[str, object]:
    """The columns of a new dataset that follow from the body and its session alone."""
    return {
        "id": uuid4(),
        "session_id": scope.session_id,
        "lab_path": scope.folder,
        "is_default": False,
        "generation": 1,
        **_STORED.values(new),
    }


def _parse_names(new: DatasetIn) -> tuple[str, str, str]:
    if not new.name:
        raise BadRequest(fields={"name": REQUIRED})
    try:
        collection, revision = parse_inside(folder_text(new.collection or "", new.revision or ""))
        return collection, revision, check_plain_name(new.name)
    except AlfError as error:
        raise BadRequest(fields={"name": [str(error)]}) from None


async def _fetch_scope(tx: Transaction, visibility: Visibility, new: DatasetIn) -> RegistrationScope:
    if new.session:
        session_id = parse_field_id("session", new.session)
        scope = await registration.find_session_by_id(tx.session, visibility, session_id)
    elif new.subject and new.date:
        try:
            day = parse_day(new.date)
        except ValueError as error:
            raise BadRequest(fields={"date": [str(error)]}) from None
        scope = await registration.find_session_by_path(
            tx.session, visibility, new.subject, day, new.number or 1
        )
    else:
        raise BadRequest(fields={"session": ["Set the session, or subject, date and number."]})
    if scope is None:
        raise UnknownReference("session", new.session or f"{new.subject}/{new.date}/{new.number}", key="id")
    return scope


async def _fetch_type_and_format(
    tx: Transaction, new: DatasetIn, name: str, created_by: str, *, creates_types: bool
) -> tuple[UUID, UUID]:
    """As the body names both of them, else as the file name implies."""
    if new.dataset_type is not None and new.data_format is not None:
        return (
            await fetch_term_id(tx.session, DatasetTypeRow, "dataset_type", new.dataset_type),
            await fetch_term_id(tx.session, FormatRow, "data_format", new.data_format),
        )
    types, type_ids = await fetch_types_of_files(tx, [name], created_by, creates_types=creates_types)
    format_ids = await fetch_formats(tx.session)
    file = RequestedFile(collection="", revision="", name=name)
    ((kind, extension),) = match_kinds([file], types, list(format_ids))
    return type_ids[kind], format_ids[extension]


async def update_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, dataset_id: UUID, body: DatasetIn
) -> ShownDataset:
    """Update a dataset's annotations; another hash or size makes a new version, as registering the file again."""
    await _await_deletions(tx, body)
    locked = await lock_dataset(tx, by, visibility, dataset_id)
    fields = await _changed_columns(tx, body)
    if fields:
        fields["auto_datetime"] = datetime.now(UTC)
    if body.default_dataset is not None:
        fields["is_default"] = body.default_dataset
    await update_row(tx, "dataset", locked.row, fields)
    if body.hash is not None or body.file_size is not None:
        await _set_bytes(tx, locked, body)
    if body.default_dataset:
        await queries.update_default_revision(tx.session, locked.row)
    if body.tags is not None:
        await _set_tags(tx, by, locked.target, dataset_id, body.tags)
    return await read_dataset(tx.session, visibility, dataset_id)


async def _changed_columns(tx: Transaction, body: DatasetIn) -> dict[str, object]:
    """The columns that a body changes; the name, folder and session of a dataset cannot change."""
    fields = _STORED.values(body)
    if body.created_by:
        await registration.fetch_user_id(tx.session, body.created_by)
        fields["created_by"] = body.created_by
    if body.dataset_type is not None:
        type_id = await fetch_term_id(tx.session, DatasetTypeRow, "dataset_type", body.dataset_type)
        fields["dataset_type_id"] = type_id
    if body.data_format is not None:
        fields["format_id"] = await fetch_term_id(tx.session, FormatRow, "data_format", body.data_format)
    return fields


async def _set_bytes(tx: Transaction, locked: LockedDataset, body: DatasetIn) -> None:
    before = await queries.find_current_version(tx.session, locked.row)
    if before is None:
        raise NotFound
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


async def _await_deletions(tx: Transaction, body: DatasetIn) -> None:
    """Wait for deletions, before any row is locked, where a tag is to protect: see `libs.common.protection`."""
    if body.tags:
        tags = await queries.fetch_tags(tx.session, body.tags)
        if any(tag.protected for tag in tags.values()):
            await lock_deletions(tx.session)


async def _set_tags(
    tx: Transaction, by: Principal, target: Target, dataset_id: UUID, names: list[str]
) -> None:
    """Give a dataset exactly these tags. Only administrators add or remove protected and public ones."""
    tags = await queries.fetch_tags(tx.session, names)
    for name in names:
        if name not in tags:
            raise UnknownReference("tags", name)
    before = await queries.fetch_tags_of_dataset(tx.session, dataset_id)
    check_may_change_tags(by, target, before, tags)
    await queries.update_tags_of_dataset(tx.session, dataset_id, [tag.id for tag in tags.values()])
    if before.keys() != tags.keys():
        tx.audit(
            "dataset.tagged",
            "dataset",
            dataset_id,
            before={"tags": sorted(before)},
            after={"tags": sorted(tags)},
        )


async def delete_dataset(
    tx: Transaction, by: Principal, visibility: Visibility, dataset_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a dataset; its copies stay as they are. Raises ProtectedDataset."""
    await lock_protection(tx.session)
    locked = await lock_dataset(tx, by, visibility, dataset_id)
    check_delete_dataset(is_protected=locked.is_protected)
    taken = await lock_taken(tx.session, DEPENDANTS, locked.row)
    hidden = await deletions.count_hidden(tx.session, dataset_id)
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    before = {"name": locked.row.name}
    deletion = await remove(tx, Service.REGISTRY, "dataset", locked.row, taken, hidden=hidden, before=before)
    session_id = locked.row.session_id
    tx.publish(FilesRegistered(session_id=session_id, user_id=None, dataset_ids=[dataset_id]))
    return deletion
