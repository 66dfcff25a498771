"""The viewer of a page, signed in or not, and calls of the public API with their credential."""

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
    """The page needs a signed-in viewer; `path` is the page to return to."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class ApiRefused(Exception):
    """The API refused a request. `text` is its message, `fields` the messages per field."""

    def __init__(self, status: int, slug: str, text: str, fields: Mapping[str, list[str]]) -> None:
        self.status = status
        self.slug = slug
        self.text = text
        self.fields = fields
        super().__init__(text)

    @property
    def sentence(self) -> str:
        """Message for people: only the messages of the fields, if there are any."""
        return " ".join(str(text) for texts in self.fields.values() for text in texts) or self.text


@dataclass(frozen=True)
class PagePart:
    """A part of a page: its value, or the reason why it cannot be shown."""

    value: Any = None
    missing: str = ""

    @property
    def rows(self) -> list[Any]:
        """Rows of a list; empty if it cannot be shown."""
        rows: list[Any] = self.value["results"] if self.value else []
        return rows

    @property
    def names(self) -> list[str]:
        """Names of the rows."""
        return [row["name"] for row in self.rows]


@dataclass(frozen=True)
class Visitor:
    """A person who opens a page, signed in or not. All API calls carry their own credential, if they have one."""

    api: Api
    headers: Mapping[str, str]
    path: str
    origin: str

    async def get(self, path: str, **query: Any) -> Any:
        """GET from the API, as JSON. Raises ApiRefused, or SignInFirst if the credential has expired."""
        return _value(await self.bytes_of(with_query(path, query)), self.path)

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a change to the API; its JSON, or None without content. Raises ApiRefused, SignInFirst."""
        headers = {**self.headers, "Content-Type": "application/json"}
        content = b"" if body is None else orjson.dumps(body)
        answer = await call_api(self.api, method, path, headers, content)
        return None if answer.status == 204 else _value(answer, self.path)

    async def bytes_of(self, path: str) -> Answer:
        """GET from the API, unparsed. Raises ApiRefused if the API does not respond."""
        return await call_api(self.api, "GET", path, self.headers)

    async def part(self, path: str, **query: Any) -> PagePart:
        """GET for a part of a page; a refusal becomes the reason why the part is missing."""
        try:
            return PagePart(await self.get(path, **query))
        except ApiRefused as refused:
            return PagePart(missing=refused.text)

    async def parts(self, *queries: tuple[str, Mapping[str, Any]]) -> list[PagePart]:
        """Several parts concurrently, in the same order."""
        return await asyncio.gather(*(self.part(path, **query) for path, query in queries))


@dataclass(frozen=True)
class Viewer(Visitor):
    """A signed-in person."""

    principal: Principal

    @property
    def username(self) -> str:
        """Name with which they signed in."""
        return self.principal.username


async def call_api(
    api: Api, method: str, path: str, headers: Mapping[str, str], content: bytes = b""
) -> Answer:
    """Call the API. Raises ApiRefused if it does not respond."""
    try:
        return await api.request(method, path, headers=headers, content=content)
    except Problem as problem:
        raise ApiRefused(problem.status, problem.slug, problem.text, problem.fields) from problem


def refusal(answer: Answer) -> ApiRefused:
    """The refusal in an error response."""
    try:
        content = answer.json()
    except ValueError:
        content = {}
    body: dict[str, Any] = content if isinstance(content, dict) else {}
    fields = {name: texts for name, texts in body.items() if isinstance(texts, list)}
    sentences = [f"{name}: {' '.join(map(str, texts))}" for name, texts in fields.items()]
    text = body.get("detail") or " ".join(sentences) or f"The API responded with {answer.status}."
    return ApiRefused(answer.status, str(body.get("type", "")), str(text), fields)


def _value(answer: Answer, path: str) -> Any:
    if answer.status < 300:
        return answer.json()
    refused = refusal(answer)
    if refused.slug in {"invalid-token", "not-authenticated"}:
        raise SignInFirst(path)
    raise refused


def api_of(request: Request) -> Api:
    """The client of the public API. Raises Unavailable if none is configured."""
    api: Api | None = request.app.state.api
    if api is None:
        raise Unavailable("The portal does not know the URL of the API: set CINGULUM_GATEWAY_URL.")
    return api


def headers_of(request: Request) -> dict[str, str]:
    """Headers of every API call, so that absolute addresses in responses fit the viewer's browser."""
    headers = {
        "Host": request.headers.get("x-forwarded-host") or request.headers.get("host", "localhost"),
        "X-Forwarded-Proto": request.headers.get("x-forwarded-proto", request.url.scheme),
        "Accept": "application/json",
        REQUEST_ID_HEADER: request_id.get(),
    }
    if address := request.headers.get(ADDRESS_HEADER):
        headers[ADDRESS_HEADER] = address
    if credential := request.headers.get("authorization"):
        headers["Authorization"] = credential
    elif token := own_cookie(request, SESSION_COOKIE):
        # The origin of our own form has been checked at this point, so the CSRF token is sent along.
        headers["Cookie"] = f"{cookie_name(SESSION_COOKIE, secure=is_secure(request))}={token}"
        headers["X-CSRF-Token"] = csrf_token(token)
    return headers


def without_credential(request: Request) -> dict[str, str]:
    """The same headers without a credential."""
    credentials = {"Authorization", "Cookie", "X-CSRF-Token"}
    return {name: value for name, value in headers_of(request).items() if name not in credentials}


def is_secure(request: Request) -> bool:
    """Whether the browser's connection uses https."""
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"


def own_cookie(request: Request, base: str) -> str | None:
    """One of our cookies; its name depends on the scheme."""
    return cookie_value(request.cookies, base, secure=is_secure(request))


def here(request: Request) -> str:
    """Path and query of the page, also while htmx refreshes a part of it."""
    if (shown := request.headers.get("hx-current-url", "")) and "/app/" in shown:
        return "/app/" + shown.partition("/app/")[2]
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def visitor(request: Request) -> Visitor:
    """Dependency: the person who opens a page that needs no account; a Viewer if signed in."""
    principal: Principal | None = getattr(request.state, "principal", None)
    headers = headers_of(request)
    origin = f"{headers['X-Forwarded-Proto']}://{headers['Host']}"
    if principal is None:
        return Visitor(api_of(request), headers, here(request), origin)
    return Viewer(api_of(request), headers, here(request), origin, principal)


Visiting = Annotated[Visitor, Depends(visitor)]


async def viewer(request: Request, visitor: Visiting) -> Viewer:
    """Dependency: the signed-in person. Raises SignInFirst."""
    if not isinstance(visitor, Viewer):
        raise SignInFirst(here(request))
    return visitor


Viewing = Annotated[Viewer, Depends(viewer)]


def sign_in_address(path: str) -> str:
    """Address of the sign-in page that returns to `path`.

    >>> sign_in_address("/app/sessions?lab=a")
    '/app/login?next=%2Fapp%2Fsessions%3Flab%3Da'
    """
    return f"/app/login?{urlencode({'next': path})}"
