"""The connection to NATS of one process; it is optional, and may be lost and restored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from libs.common.observability import logger
from libs.common.shutdown import CLOSE_S, end_within

STREAM = "CINGULUM"
KEPT_S = 24 * 3600


class Bus:
    """The connection to NATS of one process; it is optional, and may be lost and restored."""

    def __init__(self, url: str | None, name: str) -> None:
        self.url = url
        self.name = name
        self.log = logger("bus")
        self.came_up = asyncio.Event()
        self._client: Client | None = None
        self._stream_known = False

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self._client is not None and self._client.is_connected

    @property
    def largest_bytes(self) -> int:
        """Maximum size of a message; a kilobyte is reserved for its headers."""
        return (self._client.max_payload if self._client else 0) - 1024

    async def keep_connected(self) -> None:
        """Connect, and keep retrying: a service starts and works without NATS."""
        while self.url and self._client is None:
            client = Client()
            try:
                await client.connect(
                    self.url,
                    name=self.name,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.5,  # type: ignore[arg-type]  # half a second is as good to it
                    connect_timeout=2,
                    allow_reconnect=True,
                    error_cb=self._error,
                    disconnected_cb=self._lost,
                )
            except asyncio.CancelledError:
                await client.close()  # no other reference to the half-made connection exists
                raise
            except (TimeoutError, NatsError, OSError) as error:
                self.log.info("NATS does not respond yet", error=str(error) or type(error).__name__)
                await asyncio.sleep(1)
                continue
            self._client = client
            self.came_up.set()

    async def _error(self, error: Exception) -> None:
        self.log.info("NATS", error=str(error) or type(error).__name__)

    async def _lost(self) -> None:
        self._stream_known = False

    async def close(self) -> None:
        """Close the connection, within a limited time."""
        if self._client is not None:
            with contextlib.suppress(NatsError, OSError, asyncio.TimeoutError):
                await end_within(CLOSE_S, self._client.close(), "the connection to NATS")

    async def jetstream(self) -> JetStreamContext | None:
        """JetStream with our stream in it, or None while NATS is unavailable."""
        if not self.connected or self._client is None:
            return None
        js = self._client.jetstream(timeout=2)
        if not self._stream_known:
            config = StreamConfig(name=STREAM, subjects=["cingulum.>"], max_age=KEPT_S)
            try:
                await js.add_stream(config)
            except NatsError as error:
                # 10058: it exists with other settings, which an operator chose.
                if getattr(error, "err_code", None) != 10058:
                    raise
            self._stream_known = True
        return js

    def forget_stream(self) -> None:
        """Create the stream at the next use, as it may have been deleted."""
        self._stream_known = False

    async def wake(self, subject: str, data: bytes = b"") -> None:
        """Send a message that is not stored (core NATS), which wakes whatever waits for the subject."""
        if self.connected and self._client is not None:
            with contextlib.suppress(NatsError, OSError):
                await self._client.publish(f"wake.{subject}", data)

    async def on_wake(self, subject: str, called: Callable[[bytes], Awaitable[None]]) -> None:
        """Call `called` with the data of each `wake(subject)`."""

        async def receive(message: Msg) -> None:
            await called(message.data)

        await self.came_up.wait()
        if self._client is not None:
            await self._client.subscribe(f"wake.{subject}", cb=receive)
