"""The bus is a doorbell, not a memory.

What happened stands in the outbox (`events`) of the service that says it. A relay rings it on NATS JetStream; a
consumer writes `inbox(event_id)` in its handler's own transaction; and every 20 s a sweep looks into the published
events of the neighbours for what was missed. Without NATS all stays correct, only slower. `Nats-Msg-Id` cannot take
the inbox's place: it swallows a repeat for two minutes only, and even after the stream was wiped.
"""

from libs.common.bus.connection import STREAM, Bus
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
    "Envelope",
    "EventHandlers",
    "Handler",
    "Inbox",
    "Listener",
    "Outcome",
    "Relay",
]
