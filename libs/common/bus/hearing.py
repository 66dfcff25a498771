"""What a service hears, and an event as it travels."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from libs.common.catalogue import Service
from libs.common.db.transaction import Transaction
from libs.common.events import Event

BATCH = 200
E = TypeVar("E", bound=Event)
Handler = Callable[[Transaction, Any], Awaitable[None]]


@dataclass
class Hears:
    """What a service hears: its `events.py` fills one with `@hears.on(SomeEvent)`."""

    handlers: dict[str, Handler] = field(default_factory=dict)

    def on(self, kind: type[E]) -> Callable[[Callable[[Transaction, E], Awaitable[None]]], Handler]:
        """Register the handler of one kind of event."""

        def keep(handler: Callable[[Transaction, E], Awaitable[None]]) -> Handler:
            self.handlers[kind.subject] = handler
            return handler

        return keep

    def origins(self) -> dict[Service, list[str]]:
        """Subjects by the service that says them."""
        found: dict[Service, list[str]] = {}
        for subject in self.handlers:
            found.setdefault(Event.kinds[subject].origin(), []).append(subject)
        return found


@dataclass(frozen=True)
class Envelope:
    """One event as it travels: its id, kind, content, and the request it came from."""

    id: UUID
    subject: str
    payload: dict[str, Any]
    request_id: str

    def encode(self) -> bytes:
        return json.dumps(
            {
                "id": str(self.id),
                "subject": self.subject,
                "payload": self.payload,
                "request_id": self.request_id,
            }
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        told = json.loads(data)
        return cls(UUID(told["id"]), str(told["subject"]), dict(told["payload"]), str(told["request_id"]))
