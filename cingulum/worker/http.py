"""The server as a machine sees it: calls that outlive a bad network, and downloads that go on where they broke."""

from __future__ import annotations

import copy
import hashlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

T = TypeVar("T")
REQUEST_ID_HEADER: Final = "X-Request-Id"
PATIENCE_S: Final = 300.0  # a server that is restarted or upgraded is back by then
CONNECT_S: Final = 10.0
ANSWER_S: Final = 120.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 15.0
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


class Unreachable(Exception):
    """The server did not answer in all the time we had patience for; the same call may succeed later."""


class Refused(Exception):
    """The server answered that it will not do this.

    `kind` is the documented slug of its problem (`late-token`, `part-missing`, …), `body` all that it said.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status, self.body = status, body
        self.kind = str(body.get("type", ""))
        said = {key: value for key, value in body.items() if key not in ("type", "status_code")}
        super().__init__(f"{status} {self.kind}: {body.get('detail') or said}")


class _Busy(Exception):
    """Not now; after `pause_s` perhaps, where the server said so."""

    def __init__(self, why: str, pause_s: float | None) -> None:
        self.pause_s = pause_s
        super().__init__(why)


def pause_s(attempt: int) -> float:
    """How long to wait after that many failed attempts (from 0), before chance is added.

    >>> [pause_s(n) for n in (0, 1, 2, 5, 9)]
    [0.2, 0.4, 0.8, 6.4, 15.0]
    """
    pause: float = min(_FIRST_PAUSE_S * 2.0 ** min(attempt, 20), _LONGEST_PAUSE_S)
    return pause


def data_path(relative_path: str) -> str:
    """Where a file lies on the server, by its path below the data root.

    >>> data_path("hilllab/Subjects/m1/2020-08-21/001/alf/#2024-01-01#/spikes.times.npy")
    '/data/hilllab/Subjects/m1/2020-08-21/001/alf/%232024-01-01%23/spikes.times.npy'
    """
    return f"/data/{quote(relative_path)}"


@dataclass
class Server:
    """One server and the token we have for it. Threads may share it.

    Repeats what failed for want of a network or a free server, with growing pauses, for `patience_s`;
    `stop` ends every wait. Raises Unreachable then, and Refused where the server says no.
    """

    base_url: str
    token: str
    patience_s: float = PATIENCE_S
    stop: threading.Event = field(default_factory=threading.Event)
    transport: httpx.BaseTransport | None = None
    about: str = ""

    def __post_init__(self) -> None:
        self._client = httpx.Client(
            base_url=self.base_url,
            headers={
                "Authorization": f"Token {self.token}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            transport=self.transport,
            limits=httpx.Limits(max_connections=None, keepalive_expiry=30),
        )

    def until(self, stop: threading.Event) -> Server:
        """The same server and connections, with waits that end when `stop` is set."""
        other = copy.copy(self)
        other.stop = stop
        return other

    def speaking_of(self, about: str) -> Server:
        """The same server and connections; what we ask bears this id in the server's logs, audit and events."""
        other = copy.copy(self)
        other.about = about
        return other

    @property
    def _marked(self) -> dict[str, str]:
        return {REQUEST_ID_HEADER: self.about} if self.about else {}

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self.call("GET", path)

    def post(self, path: str, body: object, *, once: bool = False, **more: Any) -> Any:
        """Send JSON, get JSON. `once`: a repeat is recognised by a key, for routes that would do it twice."""
        headers = {"Idempotency-Key": str(uuid4())} if once else {}
        return self.call("POST", path, json=body, headers=headers, **more)

    def call(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        answer_s: float = ANSWER_S,
        patience_s: float | None = None,
    ) -> Any:
        """One call, repeated until it is answered; its JSON, or None for an answer without content."""

        def attempt() -> Any:
            response = self._client.request(
                method,
                path,
                json=json,
                content=content,
                headers={**self._marked, **(headers or {})},
                timeout=httpx.Timeout(answer_s, connect=CONNECT_S),
            )
            _check(response)
            return response.json() if response.content else None

        return self._patiently(attempt, patience_s)

    def fetch(self, path: str, target: Path) -> str:
        """Download a file to `target` and answer its SHA-256. A broken download goes on where it broke."""
        with target.open("wb") as file:
            download = _Download(file, self._marked)
            self._patiently(lambda: download.go_on(self._client, path), None, lambda: download.done_bytes)
        return download.digest.hexdigest()

    def _patiently(
        self, attempt: Callable[[], T], patience_s: float | None, progress: Callable[[], int] = lambda: 0
    ) -> T:
        """Repeat until it works; whatever makes progress is given all the time again."""
        allowed_s = self.patience_s if patience_s is None else patience_s
        began, n, done = time.monotonic(), 0, progress()
        while True:
            try:
                return attempt()
            except (httpx.TransportError, _Busy) as error:
                if progress() != done:
                    began, n, done = time.monotonic(), 0, progress()
                asked = error.pause_s if isinstance(error, _Busy) else None
                # Chance spreads the callers of a server that comes back.
                pause = pause_s(n) * random.uniform(0.5, 1.0) if asked is None else asked  # noqa: S311 - hides nothing
                if time.monotonic() + pause > began + allowed_s or self.stop.wait(pause):
                    raise Unreachable(f"{self.base_url} does not answer: {error!r}") from error
                n += 1


class _Download:
    """A file on its way down."""

    def __init__(self, file: BinaryIO, marked: Mapping[str, str]) -> None:
        self._file = file
        self._marked = marked
        self._etag: str | None = None
        self.digest = hashlib.sha256()
        self.done_bytes = 0

    def go_on(self, client: httpx.Client, path: str) -> None:
        """Ask for what is still missing, and take it in."""
        headers = dict(self._marked)
        if self.done_bytes and self._etag:
            headers |= {"Range": f"bytes={self.done_bytes}-", "If-Range": self._etag}
        with client.stream("GET", path, headers=headers, follow_redirects=True) as response:
            if response.is_error:
                response.read()
            _check(response)
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:
                self._file.seek(0)
                self._file.truncate()
                self.digest, self.done_bytes = hashlib.sha256(), 0
            self._etag = response.headers.get("ETag")
            for block in response.iter_raw():
                self._file.write(block)
                self.digest.update(block)
                self.done_bytes += len(block)


def _check(response: httpx.Response) -> None:
    if not response.is_error:
        return
    if response.status_code in _AGAIN:
        asked = response.headers.get("Retry-After", "")
        raise _Busy(f"{response.status_code}", float(asked) if asked.isdecimal() else None)
    try:
        body = response.json()
    except ValueError:
        body = {"detail": response.text[:200]}
    raise Refused(response.status_code, body if isinstance(body, dict) else {"detail": body})
