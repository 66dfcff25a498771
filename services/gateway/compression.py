"""Compressed answers for clients that accept them: long lists become a tenth of their size.

Only JSON is compressed. Files are sent as they are stored. Pages hold tokens, of which the length of a compressed page
reveals something to an attacker who can make a browser repeat requests.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES: Final = 1_024
MOST_BYTES: Final = 1 << 22  # a page of 1,000 rows is 1 MB; what is longer passes as it comes
IN_THREAD_BYTES: Final = 1 << 16


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(level=4, wbits=31)
    return compressor.compress(body) + compressor.flush()


def _zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(body)


# The first that a client accepts.
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"zstd": _zstd, "gzip": _gzip}


def accepted_coding(accept_encoding: str) -> str | None:
    """The coding for an Accept-Encoding header; None if it names none that is supported.

    >>> accepted_coding("gzip, deflate, zstd"), accepted_coding("gzip;q=0.5, zstd;q=0"), accepted_coding("identity")
    ('zstd', 'gzip', None)
    """
    accepted = set()
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "").rstrip("0").rstrip(".") != "q=":  # q=0 is a refusal
            accepted.add(name.strip())
    return next((coding for coding in CODINGS if coding in accepted), None)


class Compressed:
    """ASGI: compress the JSON of answers to GET, if the client accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            coding = accepted_coding(Headers(scope=scope).get("accept-encoding", ""))
            if coding is not None:
                send = _Compressing(send, coding).send
        await self.app(scope, receive, send)


class _Compressing:
    """One answer: its start is held until its body is complete, and both are sent then."""

    def __init__(self, send: Send, coding: str) -> None:
        self._send = send
        self._coding = coding
        self._start: Message | None = None
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_compressible(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole(self._start)

    async def _send_whole(self, start: Message) -> None:
        compress, body = CODINGS[self._coding], bytes(self._body)
        is_long = len(body) > IN_THREAD_BYTES
        compressed = await asyncio.to_thread(compress, body) if is_long else compress(body)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-encoding"] = self._coding
        headers["content-length"] = str(len(compressed))
        headers.add_vary_header("Accept-Encoding")
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": compressed})


def _is_compressible(start: Message) -> bool:
    headers = Headers(raw=list(start["headers"]))
    length = headers.get("content-length", "")
    is_json = headers.get("content-type", "").partition(";")[0] == "application/json"
    is_plain = "content-encoding" not in headers and "etag" not in headers
    return is_json and is_plain and length.isdigit() and LEAST_BYTES <= int(length) <= MOST_BYTES
