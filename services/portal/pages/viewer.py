"""Who looks at a page, and the public API as they see it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Request

from libs.common.address import HEADER as ADDRESS_HEADER
from libs.common.client import Answer, Api, with_query
from libs.common.cookies import SESSION_COOKIE, cookie_name, cookie_value, csrf_token
from libs.common.observability import REQUEST_ID_HEADER, request_id
from libs.common.permissions import Principal
from libs.common.problem import Problem, Unavailable


class SignInFirst(Exception):
    """Nobody is signed in; `path` is where they wanted to go."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class Refused(Exception):
    """The API said no. `text` is its sentence, `fields` what it said of single values."""

    def __init__(self, status: int, slug: str, text: str, fields: Mapping[str, list[str]]) -> None:
        self.status = status
        self.slug = slug
        self.text = text
        self.fields = fields
        super().__init__(text)

    @property
    def sentence(self) -> str:
        """What a person should read: the reasons alone where fields are to blame."""
        return " ".join(str(text) for texts in self.fields.values() for text in texts) or self.text


@dataclass(frozen=True)
class Part:
    """A piece of a page: its value, or the sentence that says why it cannot be shown."""

    value: Any = None
    missing: str = ""

    @property
    def rows(self) -> list[Any]:
        """The rows of a list; none where it cannot be shown."""
        found: list[Any] = self.value["results"] if self.value else []
        return found

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [row["name"] for row in self.rows]


@dataclass(frozen=True)
class Viewer:
    """A person who is signed in. Everything is asked with their own credential."""

    api: Api
    who: Principal
    headers: Mapping[str, str]
    path: str
    origin: str

    @property
    def username(self) -> str:
        """As they signed in."""
        return self.who.username

    async def get(self, path: str, **query: Any) -> Any:
        """What the API answers, as JSON. Raises Refused, or SignInFirst if the credential ran out."""
        return _value(await self.bytes_of(with_query(path, query)), self.path)

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Ask for a change; what the API answers, None where it says nothing. Raises Refused, SignInFirst."""
        headers = {**self.headers, "Content-Type": "application/json"}
        content = b"" if body is None else orjson.dumps(body)
        answer = await ask(self.api, method, path, headers, content)
        return None if answer.status == 204 else _value(answer, self.path)

    async def bytes_of(self, path: str) -> Answer:
        """The API's answer as it is. Raises Refused if nobody answers."""
        return await ask(self.api, "GET", path, self.headers)

    async def part(self, path: str, **query: Any) -> Part:
        """The same for a piece of a page that the rest of the page can do without."""
        try:
            return Part(await self.get(path, **query))
        except Refused as refused:
            return Part(missing=refused.text)

    async def parts(self, *asked: tuple[str, Mapping[str, Any]]) -> list[Part]:
        """Several at once, in the order asked."""
        return await asyncio.gather(*(self.part(path, **query) for path, query in asked))


async def ask(api: Api, method: str, path: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
    """Ask the API. Raises Refused if it does not answer."""
    try:
        return await api.request(method, path, headers=headers, content=content)
    except Problem as problem:
        raise Refused(problem.status, problem.slug, problem.text, problem.fields) from problem


def refusal(answer: Answer) -> Refused:
    """What a refusing answer says."""
    try:
        said = answer.json()
    except ValueError:
        said = {}
    told: dict[str, Any] = said if isinstance(said, dict) else {}
    fields = {name: texts for name, texts in told.items() if isinstance(texts, list)}
    sentences = [f"{name}: {' '.join(map(str, texts))}" for name, texts in fields.items()]
    text = told.get("detail") or " ".join(sentences) or f"The API answered {answer.status}."
    return Refused(answer.status, str(told.get("type", "")), str(text), fields)


def _value(answer: Answer, path: str) -> Any:
    if answer.status < 300:
        return answer.json()
    refused = refusal(answer)
    if refused.slug in {"invalid-token", "not-authenticated"}:
        raise SignInFirst(path)
    raise refused


def api_of(request: Request) -> Api:
    """The way to the public API. Raises Unavailable before there is one."""
    api: Api | None = request.app.state.api
    if api is None:
        raise Unavailable("The portal does not know where the API is: set CINGULUM_GATEWAY_URL.")
    return api


def headers_of(request: Request) -> dict[str, str]:
    """What goes with every question, so that the API's absolute addresses fit the viewer's own browser."""
    told = {
        "Host": request.headers.get("x-forwarded-host") or request.headers.get("host", "localhost"),
        "X-Forwarded-Proto": request.headers.get("x-forwarded-proto", request.url.scheme),
        "Accept": "application/json",
        REQUEST_ID_HEADER: request_id.get(),
    }
    if address := request.headers.get(ADDRESS_HEADER):
        told[ADDRESS_HEADER] = address
    if credential := request.headers.get("authorization"):
        told["Authorization"] = credential
    elif token := own_cookie(request, SESSION_COOKIE):
        # Our own forms have proved by now where they come from, so the proof goes on with the session.
        told["Cookie"] = f"{cookie_name(SESSION_COOKIE, secure=is_secure(request))}={token}"
        told["X-CSRF-Token"] = csrf_token(token)
    return told


def as_stranger(request: Request) -> dict[str, str]:
    """The same without any credential."""
    credentials = {"Authorization", "Cookie", "X-CSRF-Token"}
    return {name: value for name, value in headers_of(request).items() if name not in credentials}


def is_secure(request: Request) -> bool:
    """Whether the browser's own connection is https."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def own_cookie(request: Request, base: str) -> str | None:
    """One of our cookies, by the name that fits the scheme."""
    return cookie_value(request.cookies, base, secure=is_secure(request))


def here(request: Request) -> str:
    """Path and query of the page that is looked at, also while a part of it is renewed."""
    if (shown := request.headers.get("hx-current-url", "")) and "/app/" in shown:
        return "/app/" + shown.partition("/app/")[2]
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def viewer(request: Request) -> Viewer:
    """The person who is signed in. Raises SignInFirst."""
    who: Principal | None = getattr(request.state, "principal", None)
    if who is None:
        raise SignInFirst(here(request))
    headers = headers_of(request)
    origin = f"{headers['X-Forwarded-Proto']}://{headers['Host']}"
    return Viewer(api_of(request), who, headers, here(request), origin)


Viewing = Annotated[Viewer, Depends(viewer)]


def sign_in_address(path: str) -> str:
    """The log-in page that leads back.

    >>> sign_in_address("/app/sessions?lab=a")
    '/app/login?next=%2Fapp%2Fsessions%3Flab%3Da'
    """
    return f"/app/login?{urlencode({'next': path})}"
