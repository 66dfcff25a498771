"""How long and how slow a request may be on the wire: uvicorn's httptools protocol has no limit of its own."""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast
from weakref import WeakKeyDictionary

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from deploy.image.places import Places
from libs.common.address import Network
from libs.common.catalogue import Body, body_of
from libs.common.problem import Problem


class HeadersTooLarge(Problem):
    """The request line and the headers are longer than the server's limit."""

    status = 431
    slug = "headers-too-large"


class TooSlow(Problem):
    """The request did not arrive in time."""

    status = 408
    slug = "request-timeout"


class TooManyConnections(Problem):
    """The server holds as many connections as it takes."""

    status = 503
    slug = "unavailable"


@dataclass(frozen=True)
class WireLimits:
    """What one server takes from its connections.

    head_bytes        request line and headers together
    head_timeout_s    until they are whole, from their first byte; a new connection has as long to begin
    body_timeout_s    for a whole body that is not BYTES, of the time in which the application waits for it
    stall_timeout_s   in which a body must grow by `stall_bytes`
    drain_bytes       read and dropped of a body that was answered already, for `stall_timeout_s` at most: who sends it
                      all before reading would find a broken connection instead of the answer
    linger_s          for the same after a refusal
    write_timeout_s   in which of an answer that waits to be sent not one byte leaves; a slow line moves, and is alive
    connections       open at the same time
    connections_per_address   of these, for one address (of IPv6 a network of 64 bits)
    trusted_proxies   addresses behind which many people stand: they have no share of their own
    """

    head_bytes: int = 16 * 1024
    head_timeout_s: float = 20.0
    body_timeout_s: float = 120.0
    stall_timeout_s: float = 30.0
    stall_bytes: int = 1024
    drain_bytes: int = 512 * 1024 * 1024
    linger_s: float = 2.0
    write_timeout_s: float = 120.0
    connections: int = 1000
    connections_per_address: int = 100
    trusted_proxies: tuple[Network, ...] = ()


class _Stage(enum.Enum):
    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()


class _Counted:
    """A transport that counts what it is given to send."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._written_bytes += len(data)
        self._transport.write(data)

    def drop(self) -> None:
        """Abort the connection: the kernel discards what the client has not read."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    @property
    def left_bytes(self) -> int:
        """How much has left this process."""
        return self._written_bytes - self._transport.get_write_buffer_size()

    @property
    def is_drained(self) -> bool:
        return self._transport.get_write_buffer_size() == 0


_PLACES: Final[WeakKeyDictionary[ServerState, Places]] = WeakKeyDictionary()


def _places_of(server: ServerState, limits: WireLimits) -> Places:
    """The places that all connections of one server share."""
    if server not in _PLACES:
        _PLACES[server] = Places(limits.connections, limits.connections_per_address, limits.trusted_proxies)
    return _PLACES[server]


class BoundedProtocol(HttpToolsProtocol):
    """One connection, held to the limits. `bounded` makes the class that uvicorn is given."""

    limits: ClassVar[WireLimits] = WireLimits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many already, all of them at work; one that waits gives way."""
        self._stage = _Stage.IDLE
        self._head_bytes = 0  # of the lines that are whole
        self._raw_bytes = 0  # since the last whole head or body, the line that is not whole yet included
        self._is_too_long = False
        self._is_refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._begin_body()
        self._sent = _Counted(transport)
        self._left_bytes = 0
        self._writing = self.loop.call_later(self.limits.write_timeout_s, self._on_write_window)
        super().connection_made(cast(asyncio.Transport, self._sent))
        self._places = _places_of(self.server_state, self.limits)
        ends = self._places.take(self, self.client[0] if self.client else "")
        if ends is self:
            self._is_refused = True
            self._places.work(self)
            self._write(
                TooManyConnections(
                    "Too many connections are open, in all or from your address: try again shortly."
                )
            )
            self.transport.close()
            return
        if isinstance(ends, BoundedProtocol):
            ends.give_way()
        self._call_later(self.limits.head_timeout_s, self._on_late_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._cancel_timer()
        self._writing.cancel()
        self._places.leave(self)
        super().connection_lost(exc)

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of an answer is left to send."""
        return self._sent.is_drained

    def give_way(self) -> None:
        """End at once, since another connection needs the place and nothing is being answered on this one."""
        self._places.leave(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, and count what is not a body."""
        if self._is_refused:
            self._drop(len(data))
            return
        if self._stage is not _Stage.BODY:
            self._raw_bytes += len(data)
            if self._timer is None:
                self._call_later(self.limits.head_timeout_s, self._on_late_head)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_too_long or max(self._head_bytes, self._raw_bytes) > self.limits.head_bytes:
            self._refuse(
                HeadersTooLarge(
                    f"The request line and the headers are longer than {self.limits.head_bytes} bytes: send fewer or "
                    "shorter cookies, or a shorter address.",
                    extra={"limit_bytes": self.limits.head_bytes},
                )
            )
        elif self._stage is _Stage.BODY and self._timer is None:
            self._call_later(self._window_s(), self._on_body_window)

    # The parser's callbacks

    def on_message_begin(self) -> None:
        """A head begins; none after one that is to be refused."""
        if self._is_too_long:
            return
        self._stage = _Stage.HEAD
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        self._head_bytes += len(url)
        if self._head_bytes <= self.limits.head_bytes:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those after a body (trailers) count as well and are discarded."""
        self._head_bytes += len(name) + len(value) + 4
        if self._stage is _Stage.HEAD and self._head_bytes <= self.limits.head_bytes:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head is whole: the application begins, unless it is too long."""
        self._cancel_timer()
        self._raw_bytes = 0
        self._is_too_long |= self._head_bytes > self.limits.head_bytes
        if self._is_too_long:
            return  # refused once what has arrived is read
        self._stage = _Stage.BODY
        self._begin_body()
        self._places.work(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body; after its answer it is dropped."""
        if self._stage is not _Stage.BODY:
            return
        self._progress_bytes += len(body)
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._stage is not _Stage.BODY:
            return
        self._cancel_timer()
        self._stage = _Stage.IDLE
        self._raw_bytes = 0
        super().on_message_complete()
        self._wait_if_answered()
        if self.cycle.response_complete and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """An answer is whole; the next request of this connection may be there already."""
        super().on_response_complete()
        self._wait_if_answered()

    def _wait_if_answered(self) -> None:
        if self._stage is not _Stage.BODY and self.cycle.response_complete:
            self._places.wait(self)

    # Time

    def _begin_body(self) -> None:
        self._progress_bytes = 0
        self._dropped_bytes = 0
        self._waited_s = 0.0

    def _window_s(self) -> float:
        return min(self.limits.stall_timeout_s, self.limits.body_timeout_s)

    def _on_late_head(self) -> None:
        if self._stage is _Stage.IDLE and self._raw_bytes == 0:  # nothing was asked: nothing is answered
            self.transport.close()
            return
        self._refuse(TooSlow("The headers did not arrive in time."))

    def _on_body_window(self) -> None:
        self._timer = None
        if self.cycle.response_complete:  # who goes on sending after the answer has had time to read it
            self.transport.close()
            return
        if not self._waits_for_application():
            self._waited_s += self._window_s()
            is_bytes = body_of(self.scope["method"], self.scope["path"]) is Body.BYTES
            is_late = not is_bytes and self._waited_s >= self.limits.body_timeout_s
            if is_late or self._progress_bytes < self.limits.stall_bytes:
                self._refuse(TooSlow("The body did not arrive in time: send it again, or in smaller parts."))
                return
        self._progress_bytes = 0
        self._call_later(self._window_s(), self._on_body_window)

    def _on_write_window(self) -> None:
        """End a connection whose other side takes nothing of what it asked for: closing would wait for it."""
        left_bytes = self._sent.left_bytes
        if left_bytes == self._left_bytes and not self._sent.is_drained:
            self._sent.drop()
            return
        self._left_bytes = left_bytes
        self._writing = self.loop.call_later(self.limits.write_timeout_s, self._on_write_window)

    def _waits_for_application(self) -> bool:
        """Whether what has arrived is not taken yet: then a pause is ours, not the sender's."""
        return self.flow.read_paused or bool(self.cycle.body) or self.cycle.waiting_for_100_continue

    # Endings

    def _refuse(self, problem: Problem) -> None:
        """Answer if nothing else is being answered, and read no more requests from this connection."""
        self._cancel_timer()
        self._is_refused = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._stage is not _Stage.BODY or cycle.response_started:
                cycle.keep_alive = (
                    False  # an earlier request is being answered: the connection ends with that
                )
                if self._stage is _Stage.BODY:
                    self.transport.close()
                return
            # The application reads the end of the connection, and never takes the body for whole.
            cycle.disconnected = True
            cycle.message_event.set()
        self._write(problem)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._call_later(self.limits.linger_s, self.transport.close)
        else:
            self.transport.close()

    def _write(self, problem: Problem) -> None:
        body = orjson.dumps(problem.body())
        head = (
            b"content-type: application/json\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[problem.status] + head + body)

    def _drop(self, size_bytes: int) -> None:
        self._dropped_bytes += size_bytes
        if self._dropped_bytes > self.limits.drain_bytes:
            self.transport.close()

    def _call_later(self, seconds: float, then: object) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(seconds, then)  # type: ignore[arg-type]

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(limits: WireLimits) -> type[BoundedProtocol]:
    """The protocol of a server with these limits."""
    return type("Bounded", (BoundedProtocol,), {"limits": limits})
