"""Requests to one server as one caller: JSON, lists, downloads, with retries."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from uuid import uuid4

import httpx

from cingulum.http.downloads import Download, etag_file
from cingulum.http.errors import Refused, Unreachable, check
from cingulum.http.retries import ATTENDED, UNATTENDED, RetryPolicy, retry

T = TypeVar("T")
REQUEST_ID_HEADER: Final = "X-Request-Id"
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
PAGE: Final = 1_000
_ATTENDED_TIMEOUT: Final = httpx.Timeout(60.0)
_UNATTENDED_TIMEOUT: Final = httpx.Timeout(120.0, connect=10.0)


class Connection:
    """Requests to one server as one caller. Threads may share it. Close it, or use it in a `with` block.

    base_url   scheme, host and port, such as http://127.0.0.1:8000
    token      of `/auth-token` or of `/tokens`; None: not signed in
    timeout_s  of one request, unless the request names its own
    retries    which failures are retried, and for how long
    stop       setting it ends every pause between two attempts

    Every request raises Refused if the server refuses it, and Unreachable if the server gives no answer.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        timeout_s: float | httpx.Timeout = _ATTENDED_TIMEOUT,
        retries: RetryPolicy = ATTENDED,
        stop: threading.Event | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.retries = retries
        self.stop = stop or threading.Event()
        self._headers: Mapping[str, str] = {}
        self._client = httpx.Client(
            base_url=self.base_url,
            headers={"Accept": "application/json"} | ({"Authorization": f"Token {token}"} if token else {}),
            timeout=timeout_s,
            transport=transport,
            limits=httpx.Limits(max_connections=None, keepalive_expiry=30),
        )

    @classmethod
    def unattended(
        cls,
        base_url: str,
        token: str,
        *,
        within_s: float = UNATTENDED.within_s,
        stop: threading.Event | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> Self:
        """A connection for a long-running program: it retries over network failures and restarts of the server."""
        retries = replace(UNATTENDED, within_s=within_s)
        return cls(
            base_url, token, timeout_s=_UNATTENDED_TIMEOUT, retries=retries, stop=stop, transport=transport
        )

    @classmethod
    def sign_in(cls, base_url: str, username: str, password: str) -> Self:
        """Connect with a username and a password. Raises Refused or Unreachable."""
        with cls(base_url) as anonymous:
            form = {"username": username, "password": password}
            response = anonymous.request("POST", "/auth-token", form=form)
        return cls(base_url, response.json()["token"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the network connections."""
        self._client.close()

    def with_stop(self, stop: threading.Event) -> Self:
        """A connection with the same sockets; its pauses end when this event is set."""
        other = copy.copy(self)
        other.stop = stop
        return other

    def with_request_id(self, request_id: str) -> Self:
        """A connection with the same sockets; its requests have this id in the server's logs, audit rows and events."""
        other = copy.copy(self)
        other._headers = {REQUEST_ID_HEADER: request_id}
        return other

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        within_s: float | None = None,
    ) -> httpx.Response:
        """Send one request, with retries; the response is a success.

        body, form, content   JSON, form fields or bytes to send: at most one of them
        timeout_s, within_s   limits for one attempt and for all together, if not the connection's
        """
        prepared = self._client.build_request(
            method,
            path,
            json=body,
            data=form,
            content=content,
            params=params or None,  # empty ones would remove those of the path
            headers={**self._headers, **(headers or {})},
            timeout=httpx.USE_CLIENT_DEFAULT if timeout_s is None else self._timeout(timeout_s),
        )

        def attempt() -> httpx.Response:
            response = self._client.send(prepared)
            check(response)
            return response

        return self._retried(attempt, within_s)

    def get(self, path: str, **params: str) -> Any:
        """The JSON at a path."""
        return _json(self.request("GET", path, params=params))

    def post(
        self,
        path: str,
        body: object,
        *,
        idempotent: bool = False,
        timeout_s: float | None = None,
        within_s: float | None = None,
    ) -> Any:
        """Send JSON; the JSON of the response, None if it has no content.

        `idempotent` sends the same key with all attempts, so that a route that creates a row creates only one.
        """
        headers = {IDEMPOTENCY_HEADER: str(uuid4())} if idempotent else {}
        return _json(
            self.request("POST", path, body=body, headers=headers, timeout_s=timeout_s, within_s=within_s)
        )

    def patch(self, path: str, body: object) -> Any:
        """Change fields of a row; the whole row afterwards."""
        return _json(self.request("PATCH", path, body=body))

    def rows(self, path: str, **params: str) -> Iterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        offset = 0
        while True:
            page = self.get(path, **params, limit=str(PAGE), offset=str(offset))
            if isinstance(page, list):
                yield from page
                return
            yield from page["results"]
            offset += len(page["results"])
            if not page["results"] or offset >= page["count"]:
                return

    def download(
        self,
        path: str,
        target: Path,
        *,
        progress: Callable[[int], None] | None = None,
        resume: bool = False,
        size_bytes: int | None = None,
    ) -> str:
        """Download a file to `target`; its SHA-256. An interrupted download resumes.

        progress    gets the number of bytes of each block, less than zero if the download starts again
        resume      also continue what an earlier process began, if the file is the same: its ETag stays in
                    `etag_file(target)`, to be removed once the file has been checked
        size_bytes  raise OtherSize, before anything is read, if the server's file has another size
        """
        beside = etag_file(target)
        begun = resume and target.exists() and beside.exists()
        with target.open("r+b" if begun else "wb") as file:
            download = Download(file, self._headers, progress, beside if resume else None, size_bytes)
            if begun:
                download.continue_file()
            self._retried(lambda: download.resume(self._client, path), progress=lambda: download.done_bytes)
        return download.hasher.digests().sha256

    def _timeout(self, timeout_s: float) -> httpx.Timeout:
        return httpx.Timeout(timeout_s, connect=self._client.timeout.connect)

    def _retried(
        self,
        attempt: Callable[[], T],
        within_s: float | None = None,
        progress: Callable[[], int] = lambda: 0,
    ) -> T:
        policy = self.retries if within_s is None else replace(self.retries, within_s=within_s)

        def classified() -> T:
            with self._network_errors():
                return attempt()

        try:
            return retry(classified, policy, self.stop, progress)
        except Refused as refusal:
            # For a long-running program, a server that stays busy is the same as one that is down.
            if policy.network_errors and policy.is_retried(refusal):
                raise Unreachable(f"{self.base_url} does not respond ({refusal.in_full})") from refusal
            raise

    @contextmanager
    def _network_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            # Some network errors have no text of their own.
            raise Unreachable(f"{self.base_url} does not respond ({str(error) or repr(error)})") from error


def _json(response: httpx.Response) -> Any:
    return response.json() if response.content else None
