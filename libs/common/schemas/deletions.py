"""What a deletion takes, and what an undo brings back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Self

from pydantic import Field

from libs.common.schemas.base import Schema

UNDO_DAYS: Final = 30


class Deletion(Schema):
    """What a deletion takes, counted by kind."""

    removed: dict[str, int] = Field(
        description="rows of this service that it deletes", examples=[{"session": 1, "insertion": 2}]
    )
    hidden: dict[str, int] = Field(
        description="rows that are not deleted, but not shown without them, and come back with them",
        examples=[{"dataset": 40, "task": 12}],
    )
    is_dry_run: bool = Field(description="nothing was deleted: these are the numbers of what would be")
    undo: str | None = Field(
        description=f"`POST` to this path restores all of it, within {UNDO_DAYS} days; null: that is not possible",
        examples=["/undo/metadata/17"],
    )

    @classmethod
    def done(cls, service: str, audit_id: int, removed: Mapping[str, int], hidden: Mapping[str, int]) -> Self:
        """One that was carried out."""
        undo = f"/undo/{service}/{audit_id}"
        return cls(removed=dict(removed), hidden=_some(hidden), is_dry_run=False, undo=undo)

    @classmethod
    def final(cls, removed: Mapping[str, int], hidden: Mapping[str, int]) -> Self:
        """One that was carried out and cannot be undone."""
        return cls(removed=dict(removed), hidden=_some(hidden), is_dry_run=False, undo=None)

    @classmethod
    def preview(cls, removed: Mapping[str, int], hidden: Mapping[str, int]) -> Self:
        """One that was not carried out."""
        return cls(removed=_some(removed), hidden=_some(hidden), is_dry_run=True, undo=None)


class Restoration(Schema):
    """What an undo brought back, counted by kind."""

    restored: dict[str, int] = Field(examples=[{"session": 1, "insertion": 2}])
    action: str = Field(description="what was undone", examples=["session.deleted", "session.changed"])
    done_at: datetime = Field(description="when that was done")
    done_by: str


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {kind: n for kind, n in counts.items() if n}
