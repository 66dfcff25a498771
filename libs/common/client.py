"""The public API for our own pages: called in this process, or over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote, urlencode

import aiohttp
import orjson
from starlette.types import ASGIApp, Message, Scope

from libs.common.problem import Unavailable


@dataclass(frozen=True)
class Answer:
    """A response of the API."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError (orjson.JSONDecodeError) if it is not JSON."""
        return orjson.loads(self.content)


class Api(Protocol):
    """Access to the public API."""

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """Send a request and read the whole response. Raises Unavailable if there is none."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def with_query(path: str, query: Mapping[str, Any]) -> str:
    """A path with its query; entries that are None are left out.

    >>> with_query("/sessions", {"subject": "SWC_054", "lab": None})
    '/sessions?subject=SWC_054'
    """
    params = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(params)}" if params else path


class InProcess:
    """The gateway is in this process: no socket, no copy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """See Api."""
        sent: list[Message] = []
        is_sent = False

        async def receive() -> Message:
            # Once only: a streaming response waits here for the caller to disconnect, which we do not.
            nonlocal is_sent
            if is_sent:
                await asyncio.Event().wait()
            is_sent = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(_scope(method, path, headers, content), receive, send)
        return _answer(sent)

    async def close(self) -> None:
        """There is nothing to close."""


def _scope(method: str, path: str, headers: Mapping[str, str], content: bytes) -> Scope:
    """The ASGI scope of a request."""
    raw_headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
    ]
    if content:
        raw_headers.append((b"content-length", str(len(content)).encode()))
    plain, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": headers.get("X-Forwarded-Proto", "http"),
        "path": unquote(plain),
        "raw_path": plain.encode(),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": raw_headers,
        "client": None,
        "server": None,
    }


def _answer(messages: Sequence[Message]) -> Answer:
    """The response that an ASGI application sent: its start, then its body in parts."""
    start, *parts = messages
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))


class OverHttp:
    """The gateway is another process."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """See Api."""
        if self._session is None:
            # Many people's requests share this session: it keeps no cookies.
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=60)
            )
        try:
            async with self._session.request(
                method, f"{self.base_url}{path}", headers=headers, data=content or None, allow_redirects=False
            ) as answer:
                response_headers = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, response_headers, await answer.read())
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unavailable(f"The API does not respond: {type(error).__name__}.") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
