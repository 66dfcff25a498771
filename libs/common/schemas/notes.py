"""Notes on records, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose


class Note(Record):
    """A note on a record, perhaps with a picture."""

    id: UUID
    user: str | None
    date_time: str
    content_type: str = Field(
        description="what the note is about, as app.model", examples=["actions.session"]
    )
    object_id: UUID
    text: str
    image: str | None = Field(description="URL of the picture; null: none")
    json_: Any | None = Field(alias="json")


class NoteIn(BodyRecord):
    """A note to create or update; the time is now and the user is the caller unless stated."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("user", "content_type", "object_id")
    not_blank: ClassVar[tuple[str, ...]] = ("content_type", "object_id", "date_time")
    not_null: ClassVar[tuple[str, ...]] = ("text",)
    user: str | None = None
    date_time: str | None = None
    content_type: str | None = Field(default=None, description="model, or app.model", examples=["session"])
    object_id: str | None = Field(default=None, description="id of the record")
    text: Prose | None = None
    image: str | None = Field(
        default=None,
        description="a PNG, JPEG or GIF file in multipart/form-data; empty or null removes the picture, and the URL "
        "that the note shows leaves it as it is",
    )
    width: str | int | None = Field(
        default=None,
        description="width of the stored picture, pixels: 800 at most unless stated; `orig`: as it is",
    )
    json_: Any | None = Field(default=None, alias="json")
