"""Open connections cannot exclude other callers: each address has a share, and idle ones are closed first.

The whole network 127.0.0.0/8 is this machine, so each client here has an address of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from deploy.image.serve import ServerSettings, options
from deploy.image.wire_limits import WireLimits
from tests.support.gateway import at_a_port

HALF = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"
WHOLE = HALF + b"\r\n"
NO_END_S = 3600.0  # so that nothing in these tests ends by time
WAIT_S = 60


@dataclass
class Socket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def status(self) -> int:
        async with asyncio.timeout(WAIT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            return int(head.split()[1])

    async def ends(self) -> bytes:
        """What was received before the server closed the connection."""
        async with asyncio.timeout(WAIT_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@dataclass
class Server:
    port: int
    released: asyncio.Event
    stack: AsyncExitStack
    working: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def opened(self, address: str, sent: bytes) -> Socket:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        self.stack.callback(writer.close)
        writer.write(sent)
        await writer.drain()
        return Socket(reader, writer)

    async def at_work(self, address: str) -> Socket:
        """A connection whose request the application has, and has not answered yet."""
        busy = await self.opened(address, HALF.replace(b"/health/live", b"/slow") + b"\r\n")
        async with asyncio.timeout(WAIT_S):
            await self.working.acquire()
        return busy


@asynccontextmanager
async def serving(
    connections: int, per_address: int, proxies: tuple[IPv4Network, ...] = ()
) -> AsyncIterator[Server]:
    released, working = asyncio.Event(), asyncio.Semaphore(0)

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            working.release()
            await released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    limits = WireLimits(
        connections=connections,
        connections_per_address=per_address,
        trusted_proxies=proxies,
        head_timeout_s=NO_END_S,
        body_timeout_s=NO_END_S,
        stall_timeout_s=NO_END_S,
        write_timeout_s=NO_END_S,
    )
    served = options(limits) | {"log_level": "critical", "timeout_keep_alive": NO_END_S}
    async with at_a_port(app, **served) as address, AsyncExitStack() as stack:
        yield Server(httpx.URL(address).port or 80, released, stack, working)
        released.set()


async def test_one_address_cannot_keep_the_others_out() -> None:
    async with serving(20, 5) as server:
        strangers = [await server.opened("127.0.0.2", HALF) for _ in range(30)]
        for other in ("127.0.0.1", "127.0.0.3"):
            assert await (await server.opened(other, WHOLE)).status() == 200
        assert [await stranger.ends() for stranger in strangers[:25]] == [b""] * 25
        for stranger in strangers[25:]:  # the last ones are still served
            stranger.writer.write(b"\r\n")
            assert await stranger.status() == 200


async def test_many_addresses_cannot_keep_a_place_without_asking() -> None:
    async with serving(10, 5) as server:
        strangers = [
            await server.opened(f"127.0.0.{n}", sent) for n in range(2, 8) for sent in (HALF, b"", b"G")
        ]
        for _ in range(3):
            assert await (await server.opened("127.0.0.1", WHOLE)).status() == 200
        assert [await stranger.ends() for stranger in strangers[:11]] == [b""] * 11


async def test_an_answered_connection_is_closed_after_those_that_waited_longer() -> None:
    async with serving(3, 3) as server:
        answered = await server.opened("127.0.0.2", WHOLE)
        assert await answered.status() == 200
        half = await server.opened("127.0.0.3", HALF)
        answered.writer.write(WHOLE)
        assert await answered.status() == 200  # it waits since now
        for _ in range(2):
            assert await (await server.opened("127.0.0.4", WHOLE)).status() == 200
        assert await half.ends() == b""
        answered.writer.write(WHOLE)
        assert await answered.status() == 200


async def test_requests_that_are_at_work_are_never_ended_for_newer_ones() -> None:
    async with serving(4, 2) as server:
        mine = [await server.at_work("127.0.0.2") for _ in range(2)]
        assert await (await server.opened("127.0.0.2", WHOLE)).status() == 503  # their share
        others = [await server.at_work("127.0.0.3") for _ in range(2)]
        refused = await server.opened("127.0.0.1", WHOLE)
        assert await refused.status() == 503
        assert b"from your address" in await refused.ends()
        server.released.set()
        assert [await connection.status() for connection in mine + others] == [200] * 4
        assert await (await server.opened("127.0.0.1", WHOLE)).status() == 200


async def test_a_trusted_proxy_has_no_share_of_its_own() -> None:
    async with serving(6, 2, proxies=(IPv4Network("127.0.0.2/32"),)) as server:
        many = [await server.at_work("127.0.0.2") for _ in range(5)]
        assert await (await server.opened("127.0.0.1", WHOLE)).status() == 200
        server.released.set()
        assert [await connection.status() for connection in many] == [200] * 5


def test_shares_are_configured_and_are_the_gateways_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINGULUM_CONNECTIONS", "400")
    monkeypatch.setenv("CINGULUM_CONNECTIONS_PER_ADDRESS", "30")
    monkeypatch.setenv("CINGULUM_TRUSTED_PROXIES", "10.42.0.0/16, fd00::/8")
    limits = ServerSettings().limits(behind_gateway=False)
    assert (limits.connections, limits.connections_per_address) == (400, 30)
    assert limits.trusted_proxies == (ip_network("10.42.0.0/16"), ip_network("fd00::/8"))
    # All connections of a service come from the gateway.
    assert ServerSettings().limits(behind_gateway=True).connections_per_address == 400
