"""Logs that carry the request's id through every hop and job, metrics, and the event loop's lag."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from uuid import UUID, uuid4

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Gauge, Histogram, generate_latest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.http import SAFE
from libs.common.problem import Internal

REQUEST_ID_HEADER = "x-request-id"
_TOKEN_IN_PATH = re.compile(r"(/release-links/)[^/]+")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
caller: ContextVar[UUID | None] = ContextVar("caller", default=None)  # the account behind the request
_OF_JOB = re.compile(r"job-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+")

REQUESTS = Histogram(
    "cingulum_request_seconds",
    "Time to the first byte of a response.",
    ["service", "method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
LOOP_LAG = Gauge("cingulum_loop_lag_seconds", "Longest wait of a ready task over the last 10 s.", ["service"])
LOOP_HELD = Gauge(
    "cingulum_loop_held_seconds",
    "Part of the lag in which the loop's own thread ran; in the rest other threads and processes did.",
    ["service"],
)
HANDLED = Counter("cingulum_events_handled_total", "Events handled.", ["service", "subject", "how"])
DEAD = Gauge("cingulum_dead_events", "Events parked after five failures of their handler.", ["service"])
WAITING = Gauge("cingulum_events_waiting", "Failed events that wait for a retry.", ["service"])
OUTBOX = Gauge("cingulum_outbox_waiting", "Events committed and not yet announced.", ["service"])


def configure_logs(level: str, *, as_json: bool) -> None:
    """Write one line per event to standard error: JSON for machines, plain text for people."""
    render: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]
        if as_json
        else [_without_controls, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # Standard error of now: an earlier one may have been replaced and closed, by a test for instance.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def _with_request_id(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    this = request_id.get()
    event.setdefault("request_id", this)
    if user_id := caller.get():
        event.setdefault("caller", str(user_id))
    if job_id := job_of(this):
        event.setdefault("job_id", job_id)
    return event


def _without_controls(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Escape control characters of caller input, which could forge lines of a plain log; JSON escapes by itself."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            allowed = "\n" if name == "exception" else ""  # a traceback has lines
            event[name] = "".join(c if c.isprintable() or c in allowed else ascii(c)[1:-1] for c in value)
    return event


def job_of(request: str) -> str | None:
    """The job that a request was made for: a worker's requests bear the ids of job and attempt.

    >>> job_of("job-5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52-7")
    '5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52'
    >>> job_of("3a0e") is None
    True
    """
    match = _OF_JOB.fullmatch(request)
    return match[1] if match else None


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that names the part of the system."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(part=name)
    return bound


REFUSED = frozenset({401, 403})

# What an answer carries unless its route decided otherwise: answers depend on the caller, and are what they say.
# Pages have a policy of their own; anything else, opened in a browser, loads nothing and is shown in no frame.
DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
)


def internal_error(_request: Request) -> Response:
    """The response to an unexpected error."""
    return JSONResponse(Internal().body(), Internal.status)


def shown_path(path: str) -> str:
    """The path of a request as it is logged: without the token of a link, which opens what it leads to.

    >>> shown_path("/release-links/8KJfqzL/files/a.npy"), shown_path("/releases/paper/links")
    ('/release-links/…/files/a.npy', '/releases/paper/links')
    """
    return _TOKEN_IN_PATH.sub(r"\1…", path)


class Observed:
    """ASGI: give each request an id (kept if it came with one) and answer with it, time it.

    Writes, failures, and what is refused (401, 403) are logged, with the caller where one is known.
    An error that nothing handled is logged once and answered by `on_error`, so the connection stays usable.
    """

    def __init__(
        self, app: ASGIApp, service: str, on_error: Callable[[Request], Response] = internal_error
    ) -> None:
        self.app = app
        self.service = service
        self.on_error = on_error
        self._log = logger(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(REQUEST_ID_HEADER.encode(), b"").decode("latin-1")
        this = sent if 0 < len(sent) <= 100 and sent.isprintable() else str(uuid4())
        token = request_id.set(this)
        began = time.perf_counter()
        status: int | None = None

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete_headers(message, this)
                self._count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            with structlog.contextvars.bound_contextvars(
                method=scope["method"], path=shown_path(scope["path"])
            ):
                try:
                    await self.app(scope, receive, observed)
                except ClientDisconnect:
                    self._log.info("the client disconnected while it sent its request")
                except Exception as error:  # noqa: BLE001 - the last resort: logged once, answered once
                    self._log.error("a request failed", status=status or Internal.status, exc_info=error)
                    # An answer that has begun ends here: the server closes the connection, so it never looks whole.
                    if status is None:
                        await self.on_error(Request(scope))(scope, receive, observed)
        finally:
            request_id.reset(token)

    @staticmethod
    def _complete_headers(message: Message, this: str) -> None:
        defaults = (*DEFAULT_HEADERS, (REQUEST_ID_HEADER.encode(), this.encode("latin-1")))
        names = {name.lower() for name, _ in message["headers"]}
        message["headers"] = [*message["headers"], *(each for each in defaults if each[0] not in names)]

    def _count(self, scope: Scope, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path", "-")
        REQUESTS.labels(self.service, scope["method"], route, status).observe(took_s)
        if scope["method"] not in SAFE or status >= 500 or status in REFUSED:
            self._log.info("answered", status=status, ms=round(1000 * took_s, 1))


async def watch_loop(service: str, every_s: float = 0.05) -> None:
    """Measure how late the event loop runs; anything above 100 ms means work that belongs in a thread."""
    worst, worst_held, since = 0.0, 0.0, time.monotonic()
    while True:
        before, cpu_before = time.monotonic(), time.thread_time()
        await asyncio.sleep(every_s)
        now = time.monotonic()
        lag = now - before - every_s
        worst, worst_held = max(worst, lag), max(worst_held, min(lag, time.thread_time() - cpu_before))
        LOOP_LAG.labels(service).set(worst)
        LOOP_HELD.labels(service).set(worst_held)
        if now - since > 10:
            worst, worst_held, since = 0.0, 0.0, now


async def metrics(_request: Request) -> Response:
    """Prometheus' own text; with thousands of series it takes 0.1 s to write."""
    return Response(await asyncio.to_thread(generate_latest, REGISTRY), media_type=CONTENT_TYPE_LATEST)
