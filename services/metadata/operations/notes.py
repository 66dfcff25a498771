"""Notes on records, with their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.db.rows import create_row, lock_by_id, update_row
from libs.common.db.stored_fields import StoredFields, check_not_cleared
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import BadRequest, Forbidden, NotFound, UnknownReference
from libs.common.schemas.content_types import find_model
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.notes import Note, NoteIn
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.clock import DEFAULT_ZONE, time_or_now
from services.metadata.domain.pictures import next_path, picture_path
from services.metadata.models import NoteRow, UserRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.pictures import StoredPicture
from services.metadata.queries import notes as queries
from services.metadata.queries import references
from services.metadata.queries.lock_order import lock_notes, lock_with_parents
from services.metadata.queries.noted_records import RECORD_KINDS, exists_record
from services.metadata.queries.pictures import announce_picture, exists_path

_STORED: Final = StoredFields(
    NoteIn, NoteRow, handled={"user", "date_time", "content_type", "object_id", "image", "width"}
)
_HAS_NOTES: Final = [
    "A note on a note cannot have notes: this one has some, or had some whose deletion can be undone."
]
_PICTURE_IS_TEXT: Final = ["This is not a file: send the picture in multipart/form-data."]


@dataclass(frozen=True)
class _Record:
    """What a note is about, and what that belongs to."""

    model: str
    id: UUID
    target: Target


async def create_note(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: NoteIn,
    picture: StoredPicture | None,
    base_url: str,
) -> Note:
    """Create a note on a record that the caller may change."""
    await _lock_records(tx, body)
    record = await _record_of_body(tx, by, visibility, body)
    if picture is None and body.image:
        raise BadRequest(fields={"image": _PICTURE_IS_TEXT})
    note_id = uuid4()
    values = (
        {"content_type": record.model, "object_id": record.id, "user_id": by.user_id}
        | await _time_values(tx, body, record)
        | await _values(tx, body)
    )
    if picture is not None:
        values |= await _picture_values(tx, picture, record.id)
    await create_row(tx, "note", NoteRow(id=note_id, **values), values)
    return await queries.fetch_note(tx.session, visibility, note_id, base_url)


async def update_note(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    note_id: UUID,
    body: NoteIn,
    picture: StoredPicture | None,
    base_url: str,
) -> Note:
    """Update a note; absent fields keep their value. It may move to another record that the caller may change."""
    await _lock_records(tx, body, note_id)
    row = await lock_note_to_edit(tx, by, visibility, note_id)
    check_not_cleared(body, {"user": row.user_id})
    values = await _values(tx, body)
    if body.content_type is not None or body.object_id is not None:
        moved = body.model_copy(
            update={
                "content_type": body.content_type or row.content_type,
                "object_id": body.object_id or str(row.object_id),
            }
        )
        record = await _record_of_body(tx, by, visibility, moved)
        if record.model == "note" and (
            record.id == note_id or await queries.exists_note_on(tx.session, note_id)
        ):
            raise BadRequest(fields={"object_id": _HAS_NOTES})
        values |= {"content_type": record.model, "object_id": record.id}
    if body.date_time is not None:
        target = await RECORD_KINDS[row.content_type].fetch_target(tx.session, row.object_id)
        values |= await _time_values(tx, body, _Record(row.content_type, row.object_id, target))
    if picture is not None:
        values |= await _picture_values(tx, picture, values.get("object_id", row.object_id))
    elif "image" in body.model_fields_set:
        values |= _picture_as_text(row, body.image, base_url)
    if row.image_sha256 is not None and "image_sha256" in values:
        await announce_picture(tx.session, row.image_sha256)  # the change can be undone
    await update_row(tx, "note", row, values)
    return await queries.fetch_note(tx.session, visibility, note_id, base_url)


async def delete_note(
    tx: Transaction, by: Principal, visibility: Visibility, note_id: UUID, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a note; its picture stays stored, so that it can be restored."""
    row = await lock_note_to_edit(tx, by, visibility, note_id)
    return await delete_row(tx, by, visibility, "note", row, dry_run=dry_run)


async def _values(tx: Transaction, body: NoteIn) -> dict[str, Any]:
    """The columns that a body sets without its record, time and picture."""
    user_id = await references.fetch_id(tx.session, UserRow, body.user, "user")
    return _STORED.values(body) | ({} if user_id is None else {"user_id": user_id})


async def _time_values(tx: Transaction, body: NoteIn, record: _Record) -> dict[str, Any]:
    zone = await references.find_lab_zone(tx.session, record.target.lab_id) or DEFAULT_ZONE
    when = time_or_now(body.date_time, zone, "date_time", datetime.now(UTC))
    return {"date_time": when.text, "date_time_at": when.at}


async def _lock_records(tx: Transaction, body: NoteIn, *note_ids: UUID) -> None:
    """Lock the session or note that a note gets, before the note.

    A session may be about to be merged with another one, and a note about to become one on a note.
    """
    if body.object_id is not None:
        object_id = parse_field_id("object_id", body.object_id)
        await lock_with_parents(tx.session, actions=[object_id])
        await lock_notes(tx.session, {object_id, *note_ids})


async def _record_of_body(tx: Transaction, by: Principal, visibility: Visibility, body: NoteIn) -> _Record:
    """The record that a body names. Raises BadRequest, UnknownReference and Forbidden."""
    name = required(body.content_type, "content_type")
    object_id = parse_field_id("object_id", required(body.object_id, "object_id"))
    model = find_model(name)
    if model is None:
        raise UnknownReference("content_type", name, key="model")
    if not await exists_record(tx.session, visibility, model, object_id):
        raise UnknownReference("object_id", object_id, key="pk")
    return _Record(model, object_id, await _check_may_write(tx, by, model, object_id))


async def _check_may_write(tx: Transaction, by: Principal, model: str, object_id: UUID) -> Target:
    """What a record belongs to. Raises Forbidden unless the caller may change it."""
    rights = await RECORD_KINDS[model].fetch_rights(tx.session, object_id)
    if not all(may_on(by, permission, target) for permission, target in rights):
        raise Forbidden("Notes are written by those who may change the record that they are about.")
    return rights[0][1]


async def lock_note_to_edit(tx: Transaction, by: Principal, visibility: Visibility, note_id: UUID) -> NoteRow:
    """A note whose record the caller may change, locked. Raises NotFound and Forbidden."""
    row = await lock_by_id(tx.session, NoteRow, note_id)
    if not await exists_record(tx.session, visibility, row.content_type, row.object_id):
        raise NotFound(f"There is no note {note_id}.")
    await _check_may_write(tx, by, row.content_type, row.object_id)
    return row


async def _picture_values(tx: Transaction, picture: StoredPicture, object_id: UUID) -> dict[str, Any]:
    """The columns of a new picture; its path is one that no other note has."""
    day = datetime.now(UTC).date()
    path = picture_path(day, picture.file_name, object_id, picture.extension)
    if await exists_path(tx.session, path):
        path = next_path(path, uuid4())
    return {"image_path": path, "image_sha256": picture.sha256}


def _picture_as_text(row: NoteRow, image: str | None, base_url: str) -> dict[str, Any]:
    """The columns that a text instead of a file sets: none for the note's own URL. Raises BadRequest."""
    if not image:
        return {"image_path": None, "image_sha256": None}
    if row.image_path is None or image != queries.image_url(base_url, row.image_path):
        raise BadRequest(fields={"image": _PICTURE_IS_TEXT})
    return {}
