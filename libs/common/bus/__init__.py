"""Events between services: the database stores them, NATS announces them.

Events are in the outbox (`events`) of the service that publishes them. A relay announces them on NATS JetStream; a
consumer inserts `inbox(event_id)` in its handler's own transaction; and every 20 s a sweep reads the published events
of the other services for what was missed. Without NATS all stays correct, only slower. `Nats-Msg-Id` cannot replace
the inbox: it deduplicates for two minutes only, and also after the stream was wiped.
"""

from libs.common.bus.connection import STREAM, Bus
from libs.common.bus.consumer import Consumer
from libs.common.bus.failures import FAILURES
from libs.common.bus.handlers import Envelope, EventHandlers, Handler
from libs.common.bus.inbox import Inbox
from libs.common.bus.listener import LATE_COMMIT_S, LOOK_BACK_S, WHOLE_SWEEP_S, Listener, Outcome
from libs.common.bus.relay import Relay

__all__ = [
    "FAILURES",
    "LATE_COMMIT_S",
    "LOOK_BACK_S",
    "STREAM",
    "WHOLE_SWEEP_S",
    "Bus",
    "Consumer",
    "Envelope",
    "EventHandlers",
    "Handler",
    "Inbox",
    "Listener",
    "Outcome",
    "Relay",
]
