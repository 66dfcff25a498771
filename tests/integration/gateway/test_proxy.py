"""The gateway in front of other processes: bodies are streamed, disconnects forwarded, crashes reported."""

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


async def start_response(send: Send, status: int = 200, **headers: str) -> None:
    """The beginning of an answer."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def test_a_body_arrives_while_it_is_sent() -> None:
    received = asyncio.Event()

    async def hears(_scope: Scope, receive: Receive, send: Send) -> None:
        came, more = b"", True
        while more:
            message = await receive()
            came, more = came + message.get("body", b""), message.get("more_body", False)
            received.set()
        await start_response(send)
        await send({"type": "http.response.body", "body": came})

    async def body() -> AsyncIterator[bytes]:
        yield b"one "
        await received.wait()  # the rest is sent only when the service has the beginning
        yield b"two"

    async with at_a_port(hears, **ABRUPT) as address, before(address) as http:
        assert (await http.put("/uploads/1/parts/0", content=body())).content == b"one two"


async def test_an_answer_arrives_while_it_is_sent() -> None:
    read_first = asyncio.Event()

    async def tells(_scope: Scope, _receive: Receive, send: Send) -> None:
        await start_response(send)
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await read_first.wait()
        await send({"type": "http.response.body", "body": b"two"})

    async with (
        at_a_port(tells, **ABRUPT) as address,
        before(address) as http,
        http.stream("GET", "/data/a") as response,
    ):
        came = b""
        async for piece in response.aiter_raw():
            came += piece
            read_first.set()
    assert came == b"one two"


async def test_head_range_and_encoded_paths_pass_unchanged() -> None:
    async def shown(scope: Scope, _receive: Receive, send: Send) -> None:
        byte_range = dict(scope["headers"])[b"range"].decode()
        path = scope["raw_path"].decode()
        await start_response(
            send, 206, content_length="3", content_range="bytes 0-2/9", x_range=byte_range, x_path=path
        )
        await send({"type": "http.response.body", "body": b"abc" if scope["method"] == "GET" else b""})

    async with at_a_port(shown, **ABRUPT) as address, before(address) as http:
        for method, body in (("GET", b"abc"), ("HEAD", b"")):
            response = await http.request(method, "/data/a%2Fb%20c", headers={"Range": "bytes=0-2"})
            assert (response.status_code, response.content) == (206, body)
            assert response.headers["content-length"] == "3"
            assert [len(response.headers.get_list(name)) for name in ("date", "server")] == [1, 1]
            assert (response.headers["x-range"], response.headers["x-path"]) == (
                "bytes=0-2",
                "/data/a%2Fb%20c",
            )


@pytest.mark.parametrize("begun", [False, True])
async def test_a_disconnect_of_the_caller_reaches_the_service(*, begun: bool) -> None:
    requested, left = asyncio.Event(), asyncio.Event()

    async def parked(_scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await start_response(send)
        requested.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with at_a_port(parked, **ABRUPT) as address, before(address) as http:
        waiting = asyncio.create_task(http.post("/jobs/claim", json={}))
        async with asyncio.timeout(60):
            await requested.wait()
            waiting.cancel()
            await left.wait()


async def test_an_unavailable_service_gives_503_with_retry_after() -> None:
    async with before(f"http://127.0.0.1:{free_port()}") as http:
        response = await http.get("/datasets")
    assert (response.status_code, response.json()["type"], response.headers["retry-after"]) == (
        503,
        "unavailable",
        "2",
    )
    assert "try again" in response.json()["detail"]


async def test_a_service_that_dies_during_a_request_gives_502() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(dies, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with before(f"http://127.0.0.1:{port}") as http:
            response = await http.post("/register-file", json={})
    assert (response.status_code, response.json()["type"]) == (502, "broken-off")
    assert "Idempotency-Key" in response.json()["detail"]


async def test_a_truncated_response_never_looks_complete() -> None:
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
        await start_response(send, set_cookie="cingulum_session=of-the-first; Path=/; HttpOnly")
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
