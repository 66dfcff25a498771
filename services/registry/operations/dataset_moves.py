"""What may change of a dataset's name: its collection and revision. The paths of its copies follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from cingulum.alf import (
    AlfError,
    check_plain_name,
    check_relative_path,
    folder_text,
    inner_path,
    parse_inside,
    path_below_subjects,
)
from libs.common.db import Transaction
from libs.common.events import FilesRegistered, ProofOrdered
from libs.common.filters.parameters import parse_day
from libs.common.problem import REQUIRED, BadRequest, Conflict, NotFound, UnknownReference
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import check_change_dataset, effect_of_move
from services.registry.domain.copies import Version
from services.registry.domain.new_names import check_no_twins, check_portable
from services.registry.domain.requests import FileKey, RequestedFile, check_below
from services.registry.models import DatasetRow
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.taken_paths import check_dataset_free
from services.registry.queries import dataset_moves as queries
from services.registry.queries.aggregates import fetch_aggregate_scope
from services.registry.queries.copies import StoredCopy
from services.registry.queries.datasets import find_dataset
from services.registry.queries.registration import fetch_paths_beside
from services.registry.queries.registration_locks import lock_registrations_of_dataset
from services.registry.queries.repositories import fetch_repository_ids
from services.registry.queries.vocabularies import lock_revisions

OWNER: Final = frozenset({"session", "subject", "date", "number", "content_type", "object_id"})
_PLACE: Final = frozenset({"collection", "revision"})


def parse_names(new: DatasetIn, folder: str) -> FileKey:
    """Collection, revision and name of a new dataset. Raises BadRequest that names the field."""
    if not new.name:
        raise BadRequest(fields={"name": REQUIRED})
    try:
        name = check_plain_name(new.name)
    except AlfError as error:
        raise BadRequest(fields={"name": [str(error)]}) from None
    return *parse_place(folder, new.collection or "", new.revision or "", name), name


def parse_place(folder: str, collection: str, revision: str, name: str) -> tuple[str, str]:
    """Collection and revision of a file in the folder of its session. Raises BadRequest that names the field."""
    try:
        parse_inside(folder_text("", revision))
    except AlfError as error:
        raise BadRequest(fields={"revision": [str(error)]}) from None
    try:
        parsed = parse_inside(folder_text(collection, revision))
        check_relative_path(path_below_subjects(folder, inner_path(*parsed, name)))
    except AlfError as error:
        raise BadRequest(fields={"collection": [str(error)]}) from None
    return parsed


async def check_unchanged(tx: Transaction, visibility: Visibility, row: DatasetRow, body: DatasetIn) -> None:
    """Raises BadRequest for another name, session or object: a field of the same value is accepted."""
    sent = (OWNER | {"name"}) & body.model_fields_set
    if not sent:
        return
    shown = await find_dataset(tx.session, visibility, row.id)
    if shown is None:
        raise NotFound
    current = {
        "name": shown.name,
        "session": shown.session_id and str(shown.session_id),
        "subject": shown.subject,
        "date": shown.date and str(shown.date),
        "number": shown.number,
        "content_type": shown.content_type,
        "object_id": shown.object_id,
    }
    new = {name: None if getattr(body, name) == "" else getattr(body, name) for name in sent}
    if body.session:
        new["session"] = str(parse_field_id("session", body.session))
    if body.content_type:
        new["content_type"] = ContentType.name_in(body.content_type)
    if body.date:
        new["date"] = str(day_of_body(body.date))
    changed = sorted(name for name in sent if new[name] != current[name])
    if changed:
        text = ["It cannot change: register the file under its new name or in its other session."]
        raise BadRequest(fields=dict.fromkeys(changed, text))


def day_of_body(text: str) -> date:
    """The day in the field `date` of a body. Raises BadRequest."""
    try:
        return parse_day(text)
    except ValueError as error:
        raise BadRequest(fields={"date": [str(error)]}) from None


async def check_names(tx: Transaction, key: FileKey, below: Sequence[str]) -> None:
    """Raises BadRequest for a revision that does not exist, and for a collection of another object."""
    collection, revision, name = key
    if revision and not await lock_revisions(tx.session, [revision]):
        raise UnknownReference("revision", revision)
    check_below([RequestedFile(collection, revision, name)], below, field="collection")


async def lock_siblings(tx: Transaction, dataset_id: UUID, body: DatasetIn) -> None:
    """Lock what is registered beside a dataset, before the dataset itself, where a body may change both."""
    if body.model_fields_set & _PLACE or body.default_dataset is not None:
        await lock_registrations_of_dataset(tx.session, dataset_id)


async def moved_columns(
    tx: Transaction, visibility: Visibility, row: DatasetRow, body: DatasetIn, *, is_protected: bool
) -> dict[str, object]:
    """The columns of another collection or revision; none if a body names neither. Raises BadRequest, Conflict."""
    if not body.model_fields_set & _PLACE:
        return {}
    collection = (body.collection or "") if "collection" in body.model_fields_set else row.collection
    revision = (body.revision or "") if "revision" in body.model_fields_set else row.revision
    collection, revision = parse_place(row.lab_path, collection, revision, row.name)
    if (collection, revision) == (row.collection, row.revision):
        return {}
    check_change_dataset(is_protected=is_protected)
    below = await _folders(tx, visibility, row)
    await check_names(tx, (collection, revision, row.name), below)
    if await queries.exists_dataset_at(tx.session, row, collection, revision):
        path = inner_path(collection, revision, row.name)
        raise Conflict(fields={"collection": [f"'{path}' is already registered."]})
    key = (collection, revision, row.name)
    beside = await fetch_paths_beside(tx.session, row)
    check_portable([key], [*beside, (row.collection, row.revision, row.name)], below)
    check_no_twins([key], beside, "collection")
    await check_dataset_free(tx.session, visibility, row, key, field="collection")
    return {"collection": collection, "revision": revision}


async def _folders(tx: Transaction, visibility: Visibility, row: DatasetRow) -> tuple[str, ...]:
    """The folders that a dataset may be in; none: all of its session."""
    if row.object_id is None or row.content_type is None or row.content_type == ContentType.LABMEMBER:
        return ()
    scope = await fetch_aggregate_scope(tx.session, visibility, row.content_type, row.object_id)
    return scope.below


async def move_copies(tx: Transaction, row: DatasetRow, version: Version, copies: list[StoredCopy]) -> None:
    """Write what a move means for the copies of a dataset."""
    effect = effect_of_move(version, [copy.copy for copy in copies])
    writes = BulkWrites(await fetch_repository_ids(tx.session))
    writes.add(row.id, version, copies, effect)
    await writes.write(tx)
    if row.is_default:
        await queries.update_default_revision(tx.session, row)
    if writes.proofs:
        tx.publish(ProofOrdered(copy_ids=writes.proofs))
    tx.publish(FilesRegistered(session_id=row.session_id, user_id=None, dataset_ids=[row.id]))
