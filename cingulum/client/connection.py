"""A signed-in caller of the public API: requests, pages, and refusals as sentences."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

PAGE: Final = 1_000
TRIES: Final = 5


class ServerProblem(Exception):
    """A request did not do what was asked; the message is for people."""


class Unreachable(ServerProblem):
    """Nobody answers at the address."""


class Refused(ServerProblem):
    """The server understood and said no: `status` is HTTP's, `body` its answer, the message that in one line."""

    def __init__(self, status: int, body: object) -> None:
        self.status, self.body = status, body
        super().__init__(told(body))


def told(body: object) -> str:
    """What the body of a refusal says, in one line.

    >>> told({"detail": "Not found.", "status_code": 404, "type": "not-found"})
    'Not found.'
    >>> told({"lab": ["Object with name=foo does not exist."], "status_code": 400, "type": "bad-request"})
    'lab: Object with name=foo does not exist.'
    """
    if not isinstance(body, Mapping):
        return str(body)
    if "detail" in body:
        return str(body["detail"])
    about = {name: value for name, value in body.items() if name not in {"status_code", "type"}}
    return "; ".join(
        f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in about.items()
    )


class Connection:
    """Requests to one server as one caller. Close it, or use it in a `with` block.

    base_url    scheme, host and port, such as http://127.0.0.1:8000
    token       of `/auth-token` or of `/tokens`; None: a stranger
    timeout_s   for one request; a busy server that names a time (Retry-After) is asked again, up to 5 times
    """

    def __init__(self, base_url: str, token: str | None = None, *, timeout_s: float = 60.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._http = httpx.Client(base_url=self.base_url, headers=headers, timeout=timeout_s)

    @classmethod
    def sign_in(cls, base_url: str, username: str, password: str) -> Self:
        """Connect with a username and a password. Raises Refused or Unreachable."""
        with cls(base_url) as stranger:
            answer = stranger.request(
                "POST", "/auth-token", form={"username": username, "password": password}
            )
        return cls(base_url, answer.json()["token"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the network connections back."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request; the answer is a success. Raises Refused or Unreachable."""
        more: dict[str, Any] = {"data": form} if form is not None else {}
        if body is not None:
            more = {"json": body}
        for left in reversed(range(TRIES)):
            try:
                answer = self._http.request(method, path, params=params, headers=headers, **more)
            except httpx.TransportError as error:
                raise Unreachable(f"{self.base_url} does not answer ({error})") from error
            if left and answer.status_code in {429, 503} and "retry-after" in answer.headers:
                time.sleep(min(_patience_s(answer), 5.0))
                continue
            break
        if not answer.is_success:
            raise Refused(answer.status_code, _body(answer))
        return answer

    def get(self, path: str, **params: str) -> Any:
        """The JSON at a path."""
        return self.request("GET", path, params=params).json()

    def post(self, path: str, body: object) -> Any:
        """Write something down; what the server says of it."""
        return self.request("POST", path, body=body).json()

    def patch(self, path: str, body: object) -> Any:
        """Change something; how it is then."""
        return self.request("PATCH", path, body=body).json()

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


def _patience_s(answer: httpx.Response) -> float:
    said = answer.headers["retry-after"]
    return float(said) if said.isdecimal() else 0.5


def _body(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return answer.text[:300] or f"the server answers {answer.status_code}"
