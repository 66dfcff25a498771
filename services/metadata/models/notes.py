"""Notes on records, and the pictures of notes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson
from services.metadata.models.texts import NOTE_WORDS, words_index
from services.metadata.models.users import UserRow


class PictureRow(Base):
    """An object of the store of pictures, inserted before its bytes are stored and deleted after they are removed."""

    __tablename__ = "pictures"
    __table_args__ = (sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256_is_hexadecimal"),)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    announced_at: Mapped[datetime] = mapped_column(
        sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), index=True
    )  # the last time that it was sent: one that no note has is removed a day later


class NoteRow(Identified, SoftDeleted, WithJson, Base):
    """A note. It is shown while its record is: what is deleted or hidden takes its notes with it."""

    __tablename__ = "notes"
    __table_args__ = (
        sa.CheckConstraint("(image_path IS NULL) = (image_sha256 IS NULL)", name="picture_has_path"),
        sa.Index("ix_notes_newest", sa.text("date_time_at DESC"), "id"),  # the list, newest first
        words_index("ix_notes_words", NOTE_WORDS),
    )
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(UserRow.id))
    date_time: Mapped[str]  # as Alyx answers it: the lab's own clock
    date_time_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    content_type: Mapped[str]  # the model's name
    object_id: Mapped[UUID] = mapped_column(index=True)  # of any service: no foreign key
    text: Mapped[str] = mapped_column(server_default="")
    image_path: Mapped[str | None] = mapped_column(unique=True)  # YYYY/MM/DD/name.objectid.ext
    image_sha256: Mapped[str | None] = mapped_column(sa.ForeignKey(PictureRow.sha256), index=True)
