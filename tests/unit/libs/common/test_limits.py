"""A body that is too large, or of a kind nobody wants, is refused; the application never takes a cut one for whole."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from libs.common.catalogue import BODIES, MOST_BYTES, SEGMENTS, Body, body_of
from libs.common.limits import Limited

JSON_BYTES = 1000


class Reads:
    """An application that reads a body to its end, and remembers what came."""

    def __init__(self) -> None:
        self.came = 0
        self.has_whole = False
        self.cookies = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.cookies = b"".join(value for name, value in scope["headers"] if name == b"cookie")
        while (message := await receive())["type"] == "http.request":
            self.came += len(message.get("body", b""))
            if not message.get("more_body"):
                self.has_whole = True
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def sent(
    method: str, path: str, size_bytes: int, *, chunked: bool = False, **headers: str
) -> tuple[httpx.Response, Reads]:
    """The answer to a body of that size, and what the application got."""
    reads = Reads()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size_bytes, 100_000):
            yield bytes(min(100_000, size_bytes - start))

    transport = httpx.ASGITransport(Limited(reads, JSON_BYTES))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        content = pieces() if chunked else bytes(size_bytes)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await http.request(method, path, content=content, headers=named), reads


CASES = [
    ("POST", "/auth-token", MOST_BYTES[Body.SIGN_IN]),
    ("POST", "/app/login", MOST_BYTES[Body.SIGN_IN]),
    ("POST", "/app/subjects/1/weighings", MOST_BYTES[Body.PAGE]),
    ("POST", "/sessions", JSON_BYTES),
    ("GET", "/uploads/1/parts/0", JSON_BYTES),
    ("PUT", "/uploads/1/parts/0/more", JSON_BYTES),
    ("POST", "/nobody/answers/here", JSON_BYTES),
]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("method", "path", "most"), CASES)
async def test_a_body_may_be_as_long_as_its_kind_and_no_longer(
    method: str, path: str, most: int, *, chunked: bool
) -> None:
    answer, reads = await sent(method, path, most, chunked=chunked)
    assert (answer.status_code, reads.came, reads.has_whole) == (200, most, True)
    answer, reads = await sent(method, path, most + 1, chunked=chunked)
    assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
    assert answer.json()["limit_bytes"] == most
    assert str(most) in answer.json()["detail"]
    assert reads.came <= most
    assert not reads.has_whole


@pytest.mark.parametrize("path", ["/uploads/1/parts/0", "/bundles"])
async def test_a_body_of_bytes_has_no_limit_here(path: str) -> None:
    method = "PUT" if path.startswith("/uploads") else "POST"
    answer, reads = await sent(method, path, 40_000_000)
    assert (answer.status_code, reads.came) == (200, 40_000_000)


@pytest.mark.parametrize("path", ["/auth-token", "/app/login", "/sessions", "/bundles"])
@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "Multipart/Form-Data", "multipart/form-data=1; boundary=x"]
)
async def test_a_form_with_files_is_refused_where_no_file_is_expected(path: str, kind: str) -> None:
    answer, reads = await sent("POST", path, 10, content_type=kind)
    assert (answer.status_code, answer.json()["type"]) == (415, "unsupported-media-type")
    assert reads.came == 0


async def test_only_our_own_cookies_go_further() -> None:
    theirs = 'a="' + r"\"" * 5000 + '"; cingulum_csrf="quoted"; cingulum_session=0123; cingulum_session=4567'
    _, reads = await sent("GET", "/me", 0, cookie=theirs)
    assert reads.cookies == b"cingulum_session=0123"


def test_every_declared_path_has_a_route() -> None:
    for method, template, body in BODIES:
        assert template.split("/")[1] in SEGMENTS
        assert body_of(method, template) is body
    assert {path for _, path, body in BODIES if body is Body.IMAGE} == {"/notes", "/notes/{note_id}"}
