"""Errors of requests to a server, and the problem documents they carry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


class ServerProblem(Exception):
    """A request failed. The message is for people."""


class Unreachable(ServerProblem):
    """The server gave no usable answer in the time allowed; the same request may succeed later."""


class Refused(ServerProblem):
    """The server refused the request.

    status         of HTTP
    kind           slug of the problem (`late-token`, `part-missing`, …); empty if the response has none
    body           the whole problem document
    retry_after_s  delay before a retry, if the server sent one
    """

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status, self.body, self.retry_after_s = status, body, retry_after_s
        self.kind = str(body.get("type", ""))
        super().__init__(describe(body))

    @property
    def in_full(self) -> str:
        """The message with status and kind, for logs.

        >>> Refused(409, {"type": "late-token", "detail": "The job has a newer attempt."}).in_full
        '409 late-token: The job has a newer attempt.'
        """
        return f"{self.status} {self.kind}: {self}"


def describe(body: Mapping[str, Any]) -> str:
    """The problem document as one line.

    >>> describe({"detail": "Not found.", "status_code": 404, "type": "not-found"})
    'Not found.'
    >>> describe({"lab": ["Object with name=foo does not exist."], "status_code": 400, "type": "bad-request"})
    'lab: Object with name=foo does not exist.'
    """
    if body.get("detail"):
        return str(body["detail"])
    fields = {name: value for name, value in body.items() if name not in {"status_code", "type"}}
    return "; ".join(
        f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in fields.items()
    )


def check(response: httpx.Response) -> None:
    """Raise Refused unless the response is a success. Its content must have been read."""
    if not response.is_success:
        raise Refused(response.status_code, _problem(response), _retry_after_s(response))


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = response.text[:300] or f"the server responds with {response.status_code}"
    return body if isinstance(body, dict) else {"detail": body}


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
