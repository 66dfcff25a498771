"""Responses with an ETag and byte ranges."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.common.http import PreconditionFailed, RangeNotSatisfiable, ranged_response

CONTENT = b"0123456789"
HEADERS = {"ETag": '"ten"'}


async def _read(start: int, stop: int) -> AsyncIterator[bytes]:
    yield CONTENT[start:stop]


async def _serve(request: Request) -> Response:
    return ranged_response(request, len(CONTENT), HEADERS, _read)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/", _serve, methods=["GET", "HEAD"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_without_a_range_the_whole_file_is_sent(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["accept-ranges"] == "bytes"


async def test_a_range_is_sent_alone(client: httpx.AsyncClient) -> None:
    response = await client.get("/", headers={"Range": "bytes=2-5"})
    assert (response.status_code, response.content) == (206, b"2345")
    assert response.headers["content-range"] == "bytes 2-5/10"


async def test_a_range_of_other_bytes_is_ignored(client: httpx.AsyncClient) -> None:
    response = await client.get("/", headers={"Range": "bytes=2-5", "If-Range": '"other"'})
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_a_range_is_sent_only_of_the_bytes_that_the_caller_expects(client: httpx.AsyncClient) -> None:
    for tags in ('"ten"', '"other", "ten"', "*"):
        response = await client.get("/", headers={"Range": "bytes=2-5", "If-Match": tags})
        assert (response.status_code, response.content) == (206, CONTENT[2:6])
    for tags in ('"other"', 'W/"ten"'):
        with pytest.raises(PreconditionFailed):
            await client.get("/", headers={"Range": "bytes=2-5", "If-Match": tags})


async def test_head_has_the_headers_alone(client: httpx.AsyncClient) -> None:
    response = await client.head("/", headers={"Range": "bytes=2-5"})
    assert (response.status_code, response.content) == (206, b"")
    assert response.headers["content-length"] == "4"


async def test_a_range_beyond_the_file_is_refused(client: httpx.AsyncClient) -> None:
    with pytest.raises(RangeNotSatisfiable):
        await client.get("/", headers={"Range": "bytes=10-"})
