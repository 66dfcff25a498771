"""Merges of sessions that are of one subject, day and number."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema

MOST_MERGED = 50  # sessions of one merge


class SessionMergeIn(BodySchema):
    """Sessions to merge into one of the same subject, day, number and lab."""

    into: UUID = Field(description="the session that stays")
    sessions: list[UUID] = Field(
        min_length=1,
        max_length=MOST_MERGED,
        description="the sessions whose data move to it; they are deleted",
    )


class FieldNotTaken(Schema):
    """A field in which a merged session differs from the one that stays. Its value stays in the deleted session."""

    session: UUID
    field: str = Field(examples=["narrative"])
    value: Any = Field(description="of the merged session")
    current: Any = Field(description="of the session that stays")


class SessionMerge(Schema):
    """What a merge moves to the session that stays, counted by kind, and what it leaves."""

    id: UUID | None = Field(description="null: a dry run")
    into: UUID
    sessions: list[UUID]
    moved: dict[str, int] = Field(examples=[{"insertion": 1, "dataset": 40, "task": 3}])
    not_moved: dict[str, int] = Field(
        description="rows that stay with the deleted sessions: tasks that the other session has, too",
        examples=[{"task": 1}],
    )
    not_taken: list[FieldNotTaken]
    is_dry_run: bool = Field(description="nothing was changed: this is what would be")
    undo: str | None = Field(
        description="`POST` to this path undoes it, within 30 days; null: a dry run, or undone",
        examples=["/undo/metadata/17"],
    )
    created_at: datetime | None
    created_by: str | None
    undone_at: datetime | None


class SessionMergeDetail(SessionMerge):
    """A merge, and how far other services are with it."""

    pending: dict[str, int] = Field(
        description="rows of other services that still have to move, by kind; soon empty",
        examples=[{"dataset": 40}],
    )
