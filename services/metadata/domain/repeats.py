"""When a weighing or water is the one that was recorded a moment ago, sent again by a client without keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

WINDOW: Final = timedelta(seconds=60)  # a client that got no response repeats its request within this time


@dataclass(frozen=True, slots=True)
class Measured:
    """What makes a weighing or water of a subject the same event, by any user: when, and every value.

    at         the time that the client stated, else the present time of the server
    is_stated  whether the client stated it: two times that the server added differ though the event is the same
    """

    at: datetime
    values: tuple[object, ...]
    is_stated: bool

    @property
    def times(self) -> tuple[datetime, datetime]:
        """The first and last time of a record that may be the same event."""
        margin = timedelta(0) if self.is_stated else WINDOW
        return self.at - margin, self.at + margin


@dataclass(frozen=True, slots=True)
class Stored:
    """A record that was created before."""

    id: UUID
    created_at: datetime
    at: datetime
    values: tuple[object, ...]


def is_repeat(new: Measured, earlier: Stored, now: datetime) -> bool:
    """Whether a record is the same event as one that was created at most a minute ago.

    >>> from datetime import UTC
    >>> now, noon = datetime(2024, 3, 1, 12, 0, 30, tzinfo=UTC), datetime(2024, 3, 1, 12, tzinfo=UTC)
    >>> dose = Measured(noon, (0.5, "Water"), is_stated=True)
    >>> first = Stored(UUID(int=1), noon, noon, dose.values)
    >>> is_repeat(dose, first, now), is_repeat(dose, first, now + WINDOW)
    (True, False)
    >>> [is_repeat(Measured(now, values, is_stated), first, now) for values, is_stated in (
    ...     (dose.values, True), (dose.values, False), ((0.6, "Water"), False))]
    [False, True, False]
    """
    start, end = new.times
    is_same = start <= earlier.at <= end and new.values == earlier.values
    return is_same and abs(now - earlier.created_at) <= WINDOW


def repeat_notice(noun: str, row_id: UUID) -> str:
    """The notice for a client that sent a record twice."""
    return f"repeated: this {noun} was created a moment ago, id {row_id}; a second one has another time"
