"""When a weighing or water is the one that was recorded a moment ago, sent again by a client without keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

WINDOW: Final = timedelta(seconds=60)  # a client that got no response repeats its request within this time


@dataclass(frozen=True, slots=True)
class Measured:
    """What makes a weighing or water the same event: who, when, and every measured value.

    at   the time that the client stated: a record without one is of now, and never a repeat
    """

    user_id: UUID | None
    at: datetime
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record that was created before."""

    id: UUID
    created_at: datetime
    measured: Measured


def is_repeat(new: Measured, earlier: Stored, now: datetime) -> bool:
    """Whether a record is the same event as one that was created at most a minute ago.

    >>> from datetime import UTC
    >>> now, noon = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC), datetime(2024, 3, 1, 12, tzinfo=UTC)
    >>> dose = Measured(None, noon, (0.5, "Water"))
    >>> first = Stored(UUID(int=1), noon, dose)
    >>> is_repeat(dose, first, now), is_repeat(dose, first, now + WINDOW)
    (True, False)
    >>> [is_repeat(other, first, now) for other in (
    ...     Measured(None, now, dose.values), Measured(None, noon, (0.6, "Water")))]
    [False, False]
    """
    return new == earlier.measured and abs(now - earlier.created_at) <= WINDOW


def repeat_notice(noun: str, row_id: UUID) -> str:
    """The notice for a client that sent a record twice."""
    return f"repeated: this {noun} was created a moment ago, id {row_id}; a second one has another time"
