"""Handlers of events, and the envelope of an event in a message or table."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from libs.common.catalogue import Service
from libs.common.db.transaction import Transaction
from libs.common.events import Event, origin_of

BATCH = 200
E = TypeVar("E", bound=Event)
Handler = Callable[[Transaction, Any], Awaitable[None]]


@dataclass
class EventHandlers:
    """The handlers of a service, by subject: its `events.py` fills one with `@handlers.on(SomeEvent)`."""

    by_subject: dict[str, Handler] = field(default_factory=dict)

    def on(self, kind: type[E]) -> Callable[[Callable[[Transaction, E], Awaitable[None]]], Handler]:
        """Register the handler of one kind of event."""

        def keep(handler: Callable[[Transaction, E], Awaitable[None]]) -> Handler:
            self.by_subject[kind.subject] = handler
            return handler

        return keep

    def subjects(self) -> list[str]:
        """All subjects whose events are handled, former subjects included."""
        return sorted({name for subject in self.by_subject for name in Event.kinds[subject].subjects()})

    def handler_of(self, subject: str) -> tuple[type[Event], Handler] | None:
        """The class and the handler of a subject, also of a former one; None if there is none."""
        kind = Event.kinds.get(subject)
        handler = self.by_subject.get(kind.subject) if kind else None
        return (kind, handler) if kind and handler else None

    def origins(self) -> dict[Service, list[str]]:
        """Subjects by the service that publishes them."""
        origins: dict[Service, list[str]] = {}
        for subject in self.subjects():
            origins.setdefault(origin_of(subject), []).append(subject)
        return origins


@dataclass(frozen=True)
class Envelope:
    """An event in a message or table: its id, subject, payload, the request that caused it, and its time.

    `said_at` is when it was inserted into the outbox; events of one key are handled in this order.
    """

    id: UUID
    subject: str
    payload: dict[str, Any]
    request_id: str
    said_at: datetime

    @property
    def key(self) -> str | None:
        """Events of the same key are handled in order; None if it has none."""
        return Event.ordering_key(self.subject, self.payload)

    def encode(self) -> bytes:
        """The message, as JSON."""
        return json.dumps(
            {
                "id": str(self.id),
                "subject": self.subject,
                "payload": self.payload,
                "request_id": self.request_id,
                "said_at": self.said_at.isoformat(),
            }
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """Read a message; raises ValueError, KeyError or TypeError if it is not an event."""
        message = json.loads(data)
        published_at = message.get("said_at")  # releases before 0006 did not send it
        return cls(
            UUID(message["id"]),
            str(message["subject"]),
            dict(message["payload"]),
            str(message["request_id"]),
            datetime.fromisoformat(published_at) if published_at else datetime.now(UTC),
        )
