"""Handles events as their messages arrive from NATS."""

from __future__ import annotations

import asyncio
import contextlib

import nats
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig

from libs.common.bus.connection import STREAM, Bus
from libs.common.bus.handlers import Envelope
from libs.common.bus.listener import AGAIN_S, HANDLE_S, Listener
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.observability import logger

MESSAGES = 32  # per fetch
FETCH_S = 5
BY_MESSAGE = "bell"  # label of the metric, which stays as dashboards know it


class Consumer:
    """Passes messages of NATS to a listener; each is acknowledged once its event is handled, or stored for a retry."""

    def __init__(self, bus: Bus, listener: Listener) -> None:
        self.bus = bus
        self.listener = listener
        self.log = logger("consumer")

    async def run(self) -> None:
        """Handle messages until cancelled; a deleted stream is created again, and the sweep handles what it lost."""
        while self.listener.handlers.by_subject:
            try:
                await self._consume()
            except (NatsError, *DATABASE_ERRORS) as error:
                self.bus.forget_stream()
                self.log.info("messages are unavailable", error=str(error) or type(error).__name__)
            await asyncio.sleep(0.5)

    async def _consume(self) -> None:
        js = await self.bus.jetstream()
        if js is None:
            return
        service = self.listener.service
        config = ConsumerConfig(
            durable_name=service,
            filter_subjects=self.listener.handlers.subjects(),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=HANDLE_S + 30,
            max_deliver=-1,  # the rows of waiting events limit how often an event is tried
        )
        await js.add_consumer(STREAM, config)
        subscription = await js.pull_subscribe_bind(consumer=service, stream=STREAM)
        try:
            while self.bus.connected:
                try:
                    messages = await subscription.fetch(MESSAGES, timeout=FETCH_S)
                except (TimeoutError, nats.errors.TimeoutError):
                    await subscription.consumer_info()  # raises if the consumer was deleted
                    continue
                for message in messages:
                    await self._handle(message)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _handle(self, message: Msg) -> None:
        try:
            event = Envelope.decode(message.data)
        except (ValueError, KeyError, TypeError) as error:
            self.log.warning("a message is not an event", subject=message.subject, exc_info=error)
            await message.term()
            return
        try:
            await self.listener.handle(event, BY_MESSAGE)
        except DATABASE_ERRORS:
            await message.nak(delay=AGAIN_S)
            raise
        await message.ack()
