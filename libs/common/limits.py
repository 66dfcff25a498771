"""How large a request's body may be, checked before a byte of it is stored, at the gateway and every service."""

from __future__ import annotations

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.catalogue import MOST_BYTES, Body, body_of
from libs.common.cookies import keep_own_cookies
from libs.common.problem import BodyTooLarge, NoFileExpected, Problem

JSON_BYTES: Final = MOST_BYTES[Body.JSON] or 0


class Limited:
    """ASGI: refuse a body that is too large (413) or a form with files where none is expected (415).

    A body of unknown length is counted while it streams. Once it is too long the application reads the end of the
    connection instead of the rest, so it never takes a cut body for a whole one. Cookies are ours, and short.
    """

    def __init__(self, app: ASGIApp, json_bytes: int = JSON_BYTES) -> None:
        self.app = app
        self.json_bytes = json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = body_of(scope["method"], scope["path"])
        most = self.json_bytes if body is Body.JSON else MOST_BYTES[body]
        problem = _refusal(scope, body, most)
        if problem is not None:
            await _answer(problem, scope, receive, send)
            return
        scope = {**scope, "headers": keep_own_cookies(list(scope["headers"]))}
        if most is None:
            await self.app(scope, receive, send)
            return
        counted = _Counted(scope, receive, send, most)
        try:
            await self.app(scope, counted.receive, counted.send)
        except ClientDisconnect:
            if not counted.is_over:
                raise


class _Counted:
    """One request whose body is counted while the application reads it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        self.scope = scope
        self.is_over = False
        self._receive = receive
        self._send = send
        self._most = most
        self._came = 0
        self._has_begun = False

    async def receive(self) -> Message:
        if self.is_over:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._came += len(message.get("body", b""))
        if self._came <= self._most:
            return message
        self.is_over = True
        if not self._has_begun:
            await _answer(_too_large(self._most), self.scope, self._receive, self._send)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_over:  # answered already, or to be broken off
            return
        self._has_begun = True
        await self._send(message)


def _refusal(scope: Scope, body: Body, most: int | None) -> Problem | None:
    """The problem that the headers alone reveal."""
    for name, value in scope["headers"]:
        if name == b"content-length" and most is not None and _number(value) > most:
            return _too_large(most)
        if name == b"content-type" and body is not Body.IMAGE and b"multipart" in value.lower():
            return NoFileExpected()
    return None


def _number(value: bytes) -> int:
    """A Content-Length; an invalid one counts as absent, and the body is counted as it comes."""
    return int(value[:20]) if value.isdigit() else 0


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than the {most} bytes that this path accepts: send less per request. "
        "Upload files to /uploads.",
        extra={"limit_bytes": most},
    )


async def _answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse(problem.body(), problem.status)(scope, receive, send)
