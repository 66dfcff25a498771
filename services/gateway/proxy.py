"""Forwarding to a service, in this process or over HTTP to another one. Bodies are streamed both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

import aiohttp
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from libs.common.catalogue import Service
from libs.common.observability import logger
from libs.common.problem import Problem, Unavailable

CHUNK: Final = 1 << 18
# Headers of one connection only (RFC 9110, 7.6.1).
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Each server writes its own; a response with two of them is invalid.
OWN: Final = frozenset({b"date", b"server"})


class ResponseInterrupted(Problem):
    """The service stopped during the request, which may or may not have been carried out."""

    status = 502
    slug = "broken-off"


class Upstream(Protocol):
    """Forwards requests to services."""

    async def __call__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request. Raises Unavailable, ResponseInterrupted before any of the response was sent."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class MountedUpstream:
    """All services in this process; no prefix is removed, so each gets the path as the caller wrote it."""

    def __init__(self, apps: Mapping[Service, ASGIApp]) -> None:
        self.apps = apps

    async def __call__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.apps.get(service)
        if app is None:
            raise Unavailable(f"The service {service} is not part of this installation.")
        # Starlette and FastAPI write into the scope; each hop gets its own.
        await app({**scope, "state": {}, "app": app}, receive, send)

    async def close(self) -> None:
        """Nothing to close."""


class ProxiedUpstream:
    """Each service in a process of its own, by its address."""

    def __init__(self, addresses: Mapping[Service, str]) -> None:
        self.addresses = addresses
        self._client: aiohttp.ClientSession | None = None

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                # A jar would add what a service set for one browser to the requests of all others.
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._client

    async def __call__(self, service: Service, scope: Scope, receive: Receive, send: Send) -> None:
        address = self.addresses.get(service)
        if address is None:
            raise Unavailable(f"The service {service} is not part of this installation.")
        incoming = _Incoming(scope, receive)
        exchange = asyncio.create_task(self._exchange(service, address, scope, incoming, send))
        disconnected = asyncio.create_task(incoming.wait_disconnected())
        try:
            await asyncio.wait({exchange, disconnected}, return_when=asyncio.FIRST_COMPLETED)
            if exchange.done():
                exchange.result()
        finally:  # the caller has left: the end of its connection lets the service know
            exchange.cancel()
            disconnected.cancel()
            await asyncio.wait({exchange, disconnected})

    async def _exchange(
        self, service: Service, address: str, scope: Scope, incoming: _Incoming, send: Send
    ) -> None:
        headers = [(k, v) for k, v in scope["headers"] if k not in HOP_BY_HOP]
        query = scope["query_string"]
        target = scope.get("raw_path") or scope["path"].encode()
        url = URL(
            address + target.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else ""),
            encoded=True,
        )
        try:
            answer = await self._session().request(
                scope["method"],
                url,
                headers=[(k.decode("latin-1"), v.decode("latin-1")) for k, v in headers],
                data=incoming.body() if incoming.has_body else None,
                allow_redirects=False,
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unavailable(
                f"The service {service} does not respond: try again in a moment.",
                headers={"Retry-After": "2"},
            ) from error
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            if incoming.has_left:  # the service notices the end of its connection, in the middle of the body
                raise ClientDisconnect from error
            raise ResponseInterrupted(
                f"The service {service} stopped during this request: check whether it was carried out, or "
                "repeat it; under the same Idempotency-Key it is carried out once.",
                headers={"Retry-After": "2"},
            ) from error
        async with answer:
            try:
                await _forward(answer, send)
            except (TimeoutError, aiohttp.ClientError) as error:  # the caller's connection is closed, too
                logger("gateway").warning(
                    "a service broke off during its response", service=service, error=str(error)
                )

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


class _Incoming:
    """What arrives from the caller: a body, and at some time the end of the connection."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.receive = receive
        self.has_body = any(k in {b"content-length", b"transfer-encoding"} for k, _ in scope["headers"])
        self.has_left = False
        self._is_complete = asyncio.Event()
        if not self.has_body:
            self._is_complete.set()

    async def body(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises ConnectionResetError if it breaks off."""
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self.has_left = True
                raise ConnectionResetError("the client disconnected")
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]
        self._is_complete.set()

    async def wait_disconnected(self) -> None:
        """Return once the caller has disconnected."""
        await self._is_complete.wait()
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _forward(answer: aiohttp.ClientResponse, send: Send) -> None:
    headers = [(k.lower(), v) for k, v in answer.raw_headers if k.lower() not in HOP_BY_HOP | OWN]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for chunk in answer.content.iter_chunked(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
