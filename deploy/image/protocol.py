"""The HTTP protocol of a connection with limits of size and time, which uvicorn's httptools protocol lacks."""

from __future__ import annotations

import asyncio
import enum
from typing import ClassVar, Final, cast
from weakref import WeakKeyDictionary

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from deploy.image.counted_transport import CountedTransport
from deploy.image.places import Places
from deploy.image.wire_limits import HeadersTooLarge, RequestTimeout, TooManyConnections, WireLimits
from libs.common.catalogue import Body, body_of
from libs.common.problem import Problem


class _Stage(enum.Enum):
    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()


_PLACES: Final[WeakKeyDictionary[ServerState, Places]] = WeakKeyDictionary()


def _places_of(server: ServerState, limits: WireLimits) -> Places:
    """The places shared by all connections of one server."""
    if server not in _PLACES:
        _PLACES[server] = Places(limits.connections, limits.connections_per_address, limits.trusted_proxies)
    return _PLACES[server]


class BoundedProtocol(HttpToolsProtocol):
    """One connection with limits; `bounded` makes the class for uvicorn."""

    limits: ClassVar[WireLimits] = WireLimits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if necessary in place of an idle connection; refuse if there are too many, none of them idle."""
        self._stage = _Stage.IDLE
        self._head_bytes = 0  # of the lines that are whole
        self._raw_bytes = 0  # since the last whole head or body, the line that is not whole yet included
        self._is_too_long = False
        self._is_refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._begin_body()
        self._sent = CountedTransport(transport)
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
            ends.evict()
        self._call_later(self.limits.head_timeout_s, self._on_late_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers and free the place."""
        self._cancel_timer()
        self._writing.cancel()
        self._places.leave(self)
        super().connection_lost(exc)

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of a response is left to send."""
        return self._sent.is_drained

    def evict(self) -> None:
        """End now, as another connection needs the place and no response is being sent on this one."""
        self._places.leave(self)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse data, and count what is not part of a body."""
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
        """A head begins, unless the previous one is to be refused."""
        if self._is_too_long:
            return
        self._stage = _Stage.HEAD
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._head_bytes += len(url)
        if self._head_bytes <= self.limits.head_bytes:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; those after a body (trailers) count as well and are discarded."""
        self._head_bytes += len(name) + len(value) + 4
        if self._stage is _Stage.HEAD and self._head_bytes <= self.limits.head_bytes:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """A head is complete: the application begins, unless it is too long."""
        self._cancel_timer()
        self._raw_bytes = 0
        self._is_too_long |= self._head_bytes > self.limits.head_bytes
        if self._is_too_long:
            return  # refused once all data that arrived are parsed
        self._stage = _Stage.BODY
        self._begin_body()
        self._places.work(self)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body; after the response it is dropped."""
        if self._stage is not _Stage.BODY:
            return
        self._progress_bytes += len(body)
        if self.cycle.response_complete:
            self._drop(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete."""
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
        """A response is complete; the next request of this connection may have arrived already."""
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
        if self._stage is _Stage.IDLE and self._raw_bytes == 0:  # there is no request to respond to
            self.transport.close()
            return
        self._refuse(RequestTimeout("The headers did not arrive in time."))

    def _on_body_window(self) -> None:
        self._timer = None
        if self.cycle.response_complete:  # the client kept sending, but had time to read the response
            self.transport.close()
            return
        if not self._waits_for_application():
            self._waited_s += self._window_s()
            is_bytes = body_of(self.scope["method"], self.scope["path"]) is Body.BYTES
            is_late = not is_bytes and self._waited_s >= self.limits.body_timeout_s
            if is_late or self._progress_bytes < self.limits.stall_bytes:
                self._refuse(
                    RequestTimeout("The body did not arrive in time: send it again, or send smaller parts.")
                )
                return
        self._progress_bytes = 0
        self._call_later(self._window_s(), self._on_body_window)

    def _on_write_window(self) -> None:
        """Abort a connection whose client reads nothing of its response: closing would wait for it."""
        left_bytes = self._sent.left_bytes
        if left_bytes == self._left_bytes and not self._sent.is_drained:
            self._sent.drop()
            return
        self._left_bytes = left_bytes
        self._writing = self.loop.call_later(self.limits.write_timeout_s, self._on_write_window)

    def _waits_for_application(self) -> bool:
        """Whether the application has not read what arrived: then a pause is not the client's."""
        return self.flow.read_paused or bool(self.cycle.body) or self.cycle.waiting_for_100_continue

    # Endings

    def _refuse(self, problem: Problem) -> None:
        """Respond, unless another response is being sent, and read no more requests from this connection."""
        self._cancel_timer()
        self._is_refused = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._stage is not _Stage.BODY or cycle.response_started:
                # The response to an earlier request is being sent: the connection ends after it.
                cycle.keep_alive = False
                if self._stage is _Stage.BODY:
                    self.transport.close()
                return
            # The application sees a closed connection, and never takes the body for complete.
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
