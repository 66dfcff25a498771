"""Notes on records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import AnySession, ReadSession
from libs.common.db.json_pages import request_value
from libs.common.db.pages import fetch_page
from libs.common.db.prepared import fetch_rows
from libs.common.problem import NotFound
from libs.common.schemas.content_types import full_name
from libs.common.schemas.notes import Note
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import NoteRow, UserRow
from services.metadata.queries.list_filters.notes import NoteFilters
from services.metadata.queries.noted_records import is_record_visible


def _select_notes(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(
            NoteRow.id,
            NoteRow.date_time,
            NoteRow.content_type,
            NoteRow.object_id,
            NoteRow.text,
            NoteRow.image_path,
            NoteRow.json,
            UserRow.username.label("user"),
        )
        .join(UserRow, UserRow.id == NoteRow.user_id, isouter=True)
        .where(NoteRow.deleted_at.is_(None), *conditions)
        .order_by(NoteRow.date_time_at.desc(), NoteRow.created_at.desc(), NoteRow.id)
    )


async def _visible(
    session: ReadSession, visibility: Visibility, *conditions: sa.ColumnElement[bool]
) -> list[sa.ColumnElement[bool]]:
    """The conditions, and that the caller can see the note's record: of the kinds of records that these notes have."""
    statement = sa.select(NoteRow.content_type).where(NoteRow.deleted_at.is_(None), *conditions).distinct()
    kinds = sorted(await session.scalars(statement))
    return [*conditions, is_record_visible(visibility, NoteRow.content_type, NoteRow.object_id, kinds)]


def _note(row: Mapping[str, Any], base_url: str) -> Note:
    path = row["image_path"]
    image = None if path is None else image_url(base_url, path)
    return Note.model_validate({**row, "content_type": full_name(row["content_type"]), "image": image})


def image_url(base_url: str, path: str) -> str:
    """The URL of a picture."""
    return f"{base_url}/uploaded/{path}"


async def list_notes(
    session: ReadSession, visibility: Visibility, filters: NoteFilters, paging: PageRequest, base_url: str
) -> tuple[int, list[Note]]:
    """A page of notes, newest first, and the count of all."""
    statement = _select_notes(*await _visible(session, visibility, *filters.conditions(visibility)))
    count, rows = await fetch_page(session, statement, paging)
    return count, [_note(row, base_url) for row in rows]


async def fetch_notes_of_record(
    session: AnySession, model: str, record_id: UUID, base_url: str
) -> list[Note]:
    """All notes of a record that the caller can see, newest first."""
    rows = await fetch_rows(session, _select_of_record(), object_id=record_id, content_type=model)
    return [_note(row, base_url) for row in rows]


@cache
def _select_of_record() -> sa.Select[Any]:
    return _select_notes(
        NoteRow.object_id == request_value("object_id", sa.Uuid()),
        NoteRow.content_type == request_value("content_type", sa.Text()),
    )


async def exists_note_on(session: ReadSession, note_id: UUID) -> bool:
    """Whether a note has notes, also deleted ones, which can be restored."""
    of_note = sa.exists().where(NoteRow.object_id == note_id, NoteRow.content_type == "note")
    return bool(await session.scalar(sa.select(of_note)))


async def fetch_note(session: ReadSession, visibility: Visibility, note_id: UUID, base_url: str) -> Note:
    """One note. Raises NotFound."""
    is_it = await _visible(session, visibility, NoteRow.id == note_id)
    rows = await session.execute(_select_notes(*is_it))
    row = rows.mappings().first()
    if row is None:
        raise NotFound(f"There is no note {note_id}.")
    return _note(row, base_url)


async def find_picture(session: ReadSession, visibility: Visibility, path: str) -> str | None:
    """The hash of the picture at a path, if its note is visible to the caller."""
    is_there = await _visible(session, visibility, NoteRow.image_path == path)
    sha256: str | None = await session.scalar(
        sa.select(NoteRow.image_sha256).where(NoteRow.deleted_at.is_(None), *is_there)
    )
    return sha256
