"""A connection is held to its limits by bytes and by time; both are driven by hand, whatever the machine's speed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from deploy.image.protocol import BoundedProtocol, bounded
from deploy.image.wire_limits import WireLimits

LIMITS = WireLimits(
    head_bytes=1000, head_timeout_s=10, body_timeout_s=60, stall_timeout_s=20, drain_bytes=5000, connections=3
)


class Timer:
    def __init__(self, at: float, then: Callable[[], None]) -> None:
        self.at, self.then, self.is_off = at, then, False

    def cancel(self) -> None:
        self.is_off = True


class Loop:
    """A loop whose time is moved by hand; tasks run on the real one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def call_later(self, seconds: float, then: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + seconds, then))
        return self.timers[-1]

    def create_task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def pass_time(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [timer for timer in self.timers if timer.at <= until and not timer.is_off]:
            timer = min(due, key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.then()
        self.now = until


class Transport:
    """The other end, as far as a server sees it."""

    def __init__(self) -> None:
        self.answer = b""
        self.is_closed: Any = False
        self.is_half_closed = False
        self.is_aborted = False
        self.taken: int | None = None  # bytes that the other end has taken; None: all

    def get_extra_info(self, _name: str) -> None: ...

    def write(self, data: bytes) -> None:
        self.answer += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return bool(self.is_closed)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_half_closed = True

    def get_write_buffer_size(self) -> int:
        return 0 if self.taken is None else len(self.answer) - self.taken

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Application:
    """Reads a body unless told not to, then answers; what it saw."""

    def __init__(self) -> None:
        self.reads = True
        self.requests: list[tuple[str, int, bool]] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, is_whole = 0, False
        while self.reads and not is_whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            size += len(message["body"])
            is_whole = not message["more_body"]
        self.requests.append((scope["path"], size, is_whole))
        self.headers = list(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class Connection:
    def __init__(self, limits: WireLimits = LIMITS, state: ServerState | None = None) -> None:
        self.app, self.loop, self.transport = Application(), Loop(), Transport()
        loop: Any = self.loop
        config = uvicorn.Config(
            self.app,
            http=bounded(limits),
            lifespan="off",
            ws="none",
            log_level="critical",
            timeout_keep_alive=75,
        )
        made: Any = bounded(limits)(config, state or ServerState(), {}, _loop=loop)
        self.protocol: BoundedProtocol = made
        transport: Any = self.transport
        self.protocol.connection_made(transport)

    async def sends(self, data: bytes, *, every: int = 1 << 20) -> None:
        for start in range(0, len(data), every):
            self.protocol.data_received(data[start : start + every])
        for _ in range(20):  # the application takes what there is
            await asyncio.sleep(0)

    def status(self) -> int | None:
        """Of the first answer; None before there is one."""
        return int(self.transport.answer.split(b" ", 2)[1]) if self.transport.answer else None

    def problem(self) -> dict[str, Any]:
        problem: dict[str, Any] = json.loads(self.transport.answer.partition(b"\r\n\r\n")[2])
        return problem


def a_post(path: str = "/sessions", length: int = 10, more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{more}\r\n".encode()


async def test_a_request_within_the_limits_keeps_the_connection_open() -> None:
    connection = Connection()
    await connection.sends(a_post() + bytes(10), every=7)
    connection.loop.pass_time(70)  # less than the keep-alive, more than any other limit
    await connection.sends(a_post("/labs") + bytes(10))
    assert connection.app.requests == [("/sessions", 10, True), ("/labs", 10, True)]
    assert connection.transport.answer.count(b"200 OK") == 2
    assert not connection.transport.is_closed


@pytest.mark.parametrize("every", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nCookie: " + b"a" * 1000 + b"\r\n\r\n",
        b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nCookie: " + b"a" * 1100,  # never ends
        b"GET /" + b"a" * 1100,
        b"\r\n" * 600,
    ],
)
async def test_headers_that_are_too_long_are_refused_unread(head: bytes, every: int) -> None:
    connection = Connection()
    await connection.sends(head, every=every)
    assert (connection.status(), connection.problem()["type"]) == (431, "headers-too-large")
    assert connection.problem()["limit_bytes"] == LIMITS.head_bytes
    assert b"connection: close" in connection.transport.answer
    assert connection.app.requests == []
    # The sender may go on for a moment, to read the answer; then the connection ends.
    await connection.sends(b"x" * 1000)
    assert (connection.transport.is_half_closed, connection.transport.is_closed) == (True, False)
    connection.loop.pass_time(3)
    assert connection.transport.is_closed


async def test_a_client_that_keeps_sending_after_a_refusal_is_cut_off() -> None:
    connection = Connection()
    await connection.sends(b"\r\n" * 600)
    await connection.sends(b"x" * 5001)
    assert connection.transport.is_closed


async def test_a_request_behind_a_refused_one_is_never_served() -> None:
    connection = Connection()
    await connection.sends(b"GET / HTTP/1.1\r\nA: " + b"b" * 1000 + b"\r\n\r\n" + a_post("/evil") + bytes(10))
    assert (connection.status(), connection.app.requests) == (431, [])


async def test_a_large_body_followed_by_a_head_is_not_counted_as_head() -> None:
    connection = Connection()
    await connection.sends(a_post(length=5000) + bytes(5000) + b"GET /labs HTTP/1.1\r\nHo")
    await connection.sends(b"st: a\r\n\r\n")
    assert [path for path, _, _ in connection.app.requests] == ["/sessions", "/labs"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\nContent-Length: 1\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\n Content-Length: 1\r\n\r\n",
    ],
    ids=["two lengths", "length and chunks", "not chunked last", "bare line feed", "space", "folded"],
)
async def test_a_head_whose_end_two_servers_might_see_differently_is_refused(head: bytes) -> None:
    connection = Connection()
    await connection.sends(head + b"GET /evil HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (connection.status(), connection.app.requests) == (400, [])
    assert connection.transport.is_closed


async def test_bytes_after_a_body_do_not_count_as_header() -> None:
    connection = Connection()
    chunks = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"
    await connection.sends(chunks + b"X-Cingulum-Identity: me\r\n\r\n")
    assert connection.app.requests == [("/a", 2, True)]
    assert [name for name, _ in connection.app.headers] == [b"transfer-encoding"]
    other = Connection()
    await other.sends(chunks + b"A: b\r\n" * 200 + b"\r\n")
    assert b"431" in other.transport.answer or other.transport.is_closed


async def test_headers_that_drip_are_refused_when_their_time_is_over() -> None:
    connection = Connection()
    for letter in b"GET / HTT":
        await connection.sends(bytes([letter]))
        connection.loop.pass_time(1)
    assert connection.status() is None
    connection.loop.pass_time(2)
    assert connection.status() == 408
    assert connection.problem()["type"] == "request-timeout"


async def test_an_idle_connection_is_closed() -> None:
    connection = Connection()
    connection.loop.pass_time(11)
    assert connection.transport.is_closed
    assert connection.status() is None


async def test_a_truncated_body_is_refused() -> None:
    connection = Connection()
    await connection.sends(a_post(length=5000) + bytes(3000))
    connection.loop.pass_time(21)  # it came in this time, so the next one counts
    assert connection.status() is None
    connection.loop.pass_time(20)
    await connection.sends(bytes(2000))
    assert connection.status() == 408
    assert connection.problem()["type"] == "request-timeout"
    assert connection.app.requests == [("/sessions", 3000, False)]
    assert connection.transport.answer.count(b"HTTP/1.1") == 1


async def test_slow_json_times_out_and_slow_bytes_do_not() -> None:
    json_body, part = Connection(), Connection()
    await json_body.sends(a_post(length=1_000_000))
    await part.sends(a_post(length=1_000_000).replace(b"POST /sessions", b"PUT /uploads/1/parts/0"))
    for _ in range(10):
        await json_body.sends(bytes(2000))
        await part.sends(bytes(2000))
        json_body.loop.pass_time(20)
        part.loop.pass_time(20)
    assert (json_body.status(), part.status()) == (408, None)
    part.loop.pass_time(20)
    assert part.status() == 408


async def test_a_part_that_drips_less_than_a_kilobyte_in_a_while_is_refused() -> None:
    connection = Connection()
    await connection.sends(a_post(length=1_000_000).replace(b"POST /sessions", b"PUT /uploads/1/parts/0"))
    for _ in range(20):
        await connection.sends(b"x")
        connection.loop.pass_time(1.1)
    assert connection.status() == 408


async def test_a_pause_of_our_own_is_not_the_senders() -> None:
    connection = Connection()
    hold = asyncio.Event()

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await hold.wait()
        await Application.__call__(connection.app, scope, receive, send)

    connection.protocol.app = busy
    await connection.sends(a_post(length=5000) + bytes(100))
    connection.loop.pass_time(500)
    hold.set()
    await connection.sends(bytes(4900))
    assert (connection.status(), connection.app.requests) == (200, [("/sessions", 5000, True)])


async def test_what_is_sent_after_the_answer_is_dropped_and_ends() -> None:
    connection = Connection()
    connection.app.reads = False
    await connection.sends(a_post(length=1_000_000))
    assert connection.status() == 200
    await connection.sends(bytes(4000))
    assert not connection.transport.is_closed
    await connection.sends(bytes(2000))
    assert connection.transport.is_closed
    slow = Connection()
    slow.app.reads = False
    await slow.sends(a_post(length=1_000_000))
    slow.loop.pass_time(21)
    assert slow.transport.is_closed


async def test_a_client_that_reads_nothing_is_cut_off() -> None:
    connection = Connection()
    connection.transport.taken = 0
    await connection.sends(a_post() + bytes(10))
    connection.transport.taken = 50
    connection.loop.pass_time(LIMITS.write_timeout_s)  # some went in this time, so the next one counts
    assert not connection.transport.is_aborted
    connection.loop.pass_time(LIMITS.write_timeout_s)
    assert connection.transport.is_aborted


async def test_a_client_that_reads_slowly_is_served_to_the_end() -> None:
    connection = Connection()
    connection.transport.taken = 0
    await connection.sends(a_post() + bytes(10))
    for taken in range(1, len(connection.transport.answer) + 1):
        connection.transport.taken = taken
        connection.loop.pass_time(LIMITS.write_timeout_s)
        assert not connection.transport.is_aborted
    connection.loop.pass_time(10 * LIMITS.write_timeout_s)
    assert not connection.transport.is_aborted


async def test_one_connection_too_many_gets_503() -> None:
    state = ServerState()
    connections = [Connection(state=state) for _ in range(3)]
    for each in connections:
        await each.sends(a_post())
    connection = Connection(state=state)
    assert (connection.status(), connection.transport.is_closed) == (503, True)
    assert not any(each.transport.is_closed or each.transport.is_aborted for each in connections)
    await connections[1].sends(bytes(10))
    assert connections[1].status() == 200
    Connection(state=state).protocol.connection_lost(None)
    assert [each.transport.is_aborted for each in connections] == [False, True, False]
