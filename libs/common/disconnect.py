"""A read is cancelled when its caller disconnects, together with its statement in the database."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.observability import logger

_READS: Final = frozenset({"GET", "HEAD"})


class EndsWithItsCaller:
    """ASGI: cancel the work on a GET whose caller has disconnected. Writes continue: they commit or roll back.

    The database's driver answers the cancellation by cancelling the running statement on the server.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _READS:
            await self.app(scope, receive, send)
            return
        messages: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)  # a body is not gathered here
        is_answered = False

        async def watched_send(message: Message) -> None:
            nonlocal is_answered
            await send(message)
            is_answered |= message["type"] == "http.response.body" and not message.get("more_body", False)

        async def wait_for_the_end() -> None:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    while not messages.empty():
                        messages.get_nowait()
                await messages.put(message)
                if message["type"] == "http.disconnect":
                    return

        work = asyncio.ensure_future(self.app(scope, messages.get, watched_send))
        gone = asyncio.create_task(wait_for_the_end())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not is_answered:
                logger("disconnect").info(
                    "the caller disconnected: its read is cancelled", path=scope["path"]
                )
                work.cancel()
            await asyncio.wait({work})
        finally:
            gone.cancel()
            work.cancel()
            await asyncio.wait({work, gone})
        if not work.cancelled():
            work.result()
