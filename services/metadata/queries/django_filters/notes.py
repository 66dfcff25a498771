"""Fields of the free filter on notes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters import Field, FieldMap, JsonField, Relation, visible_to_all
from libs.common.schemas.content_types import APP_OF
from libs.common.visibility import Visibility
from services.metadata.models import NoteRow
from services.metadata.queries.django_filters.maps import Fields, clock, to_one
from services.metadata.queries.django_filters.people import NAMED_USERS, USER_MAP
from services.metadata.queries.noted_records import RECORD_KINDS, is_record_visible

_note = NoteRow.__table__.c
_type = NoteRow.__table__.alias("typed")
_CONTENT_TYPES = FieldMap("content types", _type, {
    "model": Field(_type.c.content_type, "text"),
    "app_label": Field(sa.case(dict(APP_OF), value=_type.c.content_type, else_=""), "text"),
}, "model", visible=visible_to_all)  # fmt: skip
_FIELDS: Fields = {
    "id": Field(_note.id, "uuid"),
    "user": to_one(USER_MAP, _note.user_id, NAMED_USERS),
    "date_time": clock(_note.date_time),
    "content_type": Relation(lambda: _CONTENT_TYPES, on=_type.c.id == _note.id),
    "object_id": Field(_note.object_id, "uuid"),
    "text": Field(_note.text, "text"),
    "image": Field(_note.image_path, "text"),
    "json": JsonField(_note.json),
}


def _map_of_notes(*content_types: str) -> FieldMap:
    """Notes on some kinds of records: planning the rules of all takes longer than reading the notes."""

    def is_visible(visibility: Visibility, row: Any) -> Condition:
        record = is_record_visible(visibility, row.content_type, row.object_id, content_types)
        return sa.and_(row.deleted_at.is_(None), record)

    return FieldMap("notes", NoteRow.__table__, _FIELDS, visible=is_visible)


NOTE_MAP = _map_of_notes(*RECORD_KINDS)


def notes_of(content_type: str, key: Any) -> Relation:
    """The notes on records of a kind, whose id `key` holds."""
    target = _map_of_notes(content_type)
    return Relation(lambda: target, on=sa.and_(_note.object_id == key, _note.content_type == content_type))
