"""The gateway before services of other processes: bodies stream, ends are passed on, deaths are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from deploy.local.places import free_port
from libs.common.catalogue import Service
from libs.common.client import OverHttp
from libs.common.errors import answer
from libs.common.problem import Problem
from services.gateway.proxy import ProxiedUpstream
from tests.support.gateway import at_a_port

# Whatever an application still does at the end is broken off.
ABRUPT = {"log_level": "critical", "timeout_graceful_shutdown": 0}


@asynccontextmanager
async def before(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the proxy before a service at this address."""
    way = ProxiedUpstream({Service.REGISTRY: address})

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await way(Service.REGISTRY, scope, receive, send)
        except Problem as problem:
            await answer(problem)(scope, receive, send)

    try:
        async with at_a_port(gateway, **ABRUPT) as base_url, httpx.AsyncClient(base_url=base_url) as http:
            yield http
    finally:
        await way.close()


async def told(send: Send, status: int = 200, **headers: str) -> None:
    """The beginning of an answer."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def test_a_body_arrives_while_it_is_sent() -> None:
    heard = asyncio.Event()

    async def hears(_scope: Scope, receive: Receive, send: Send) -> None:
        came, more = b"", True
        while more:
            message = await receive()
            came, more = came + message.get("body", b""), message.get("more_body", False)
            heard.set()
        await told(send)
        await send({"type": "http.response.body", "body": came})

    async def said() -> AsyncIterator[bytes]:
        yield b"one "
        await heard.wait()  # the rest is sent only when the service has the beginning
        yield b"two"

    async with at_a_port(hears, **ABRUPT) as address, before(address) as http:
        assert (await http.put("/uploads/1/parts/0", content=said())).content == b"one two"


async def test_an_answer_arrives_while_it_is_sent() -> None:
    seen = asyncio.Event()

    async def tells(_scope: Scope, _receive: Receive, send: Send) -> None:
        await told(send)
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await seen.wait()
        await send({"type": "http.response.body", "body": b"two"})

    async with (
        at_a_port(tells, **ABRUPT) as address,
        before(address) as http,
        http.stream("GET", "/data/a") as found,
    ):
        came = b""
        async for piece in found.aiter_raw():
            came += piece
            seen.set()
    assert came == b"one two"


async def test_head_range_and_encoded_paths_pass_unchanged() -> None:
    async def shown(scope: Scope, _receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"])[b"range"].decode()
        path = scope["raw_path"].decode()
        await told(send, 206, content_length="3", content_range="bytes 0-2/9", x_asked=asked, x_path=path)
        await send({"type": "http.response.body", "body": b"abc" if scope["method"] == "GET" else b""})

    async with at_a_port(shown, **ABRUPT) as address, before(address) as http:
        for method, body in (("GET", b"abc"), ("HEAD", b"")):
            found = await http.request(method, "/data/a%2Fb%20c", headers={"Range": "bytes=0-2"})
            assert (found.status_code, found.content) == (206, body)
            assert found.headers["content-length"] == "3"
            assert [len(found.headers.get_list(name)) for name in ("date", "server")] == [1, 1]
            assert (found.headers["x-asked"], found.headers["x-path"]) == ("bytes=0-2", "/data/a%2Fb%20c")


@pytest.mark.parametrize("begun", [False, True])
async def test_a_service_learns_that_its_caller_hung_up(*, begun: bool) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def parked(_scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await told(send)
        asked.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with at_a_port(parked, **ABRUPT) as address, before(address) as http:
        waiting = asyncio.create_task(http.post("/jobs/claim", json={}))
        async with asyncio.timeout(10):
            await asked.wait()
            waiting.cancel()
            await left.wait()


async def test_a_service_that_is_away_is_told_with_the_next_step() -> None:
    async with before(f"http://127.0.0.1:{free_port()}") as http:
        found = await http.get("/datasets")
    assert (found.status_code, found.json()["type"], found.headers["retry-after"]) == (
        503,
        "unavailable",
        "2",
    )
    assert "try again" in found.json()["detail"]


async def test_a_service_that_dies_over_a_request_is_told_as_doubt() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(dies, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with before(f"http://127.0.0.1:{port}") as http:
            found = await http.post("/register-file", json={})
    assert (found.status_code, found.json()["type"]) == (502, "broken-off")
    assert "Idempotency-Key" in found.json()["detail"]


async def test_an_answer_that_breaks_off_never_looks_whole() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(dies, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with before(f"http://127.0.0.1:{port}") as http:
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get("/data/a")


async def test_a_cookie_for_one_browser_never_reaches_the_request_of_another() -> None:
    async def sets_a_cookie(scope: Scope, _receive: Receive, send: Send) -> None:
        shown = dict(scope["headers"]).get(b"cookie", b"none")
        await told(send, set_cookie="cingulum_session=of-the-first; Path=/; HttpOnly")
        await send({"type": "http.response.body", "body": shown})

    async with at_a_port(sets_a_cookie, **ABRUPT) as by_number:
        # By name: aiohttp's cookie jar takes nothing from a host that is a number.
        address = by_number.replace("127.0.0.1", "localhost")
        async with before(address) as http:
            for _ in range(2):
                http.cookies.clear()
                assert (await http.get("/app/")).content == b"none"
            api = OverHttp(address)
            for _ in range(2):
                assert (await api.request("GET", "/app/", headers={})).content == b"none"
            await api.close()
