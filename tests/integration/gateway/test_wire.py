"""Requests over a raw socket are bounded, with the services in one process and in several."""

from __future__ import annotations

import asyncio
import json
import select
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from deploy.image.wire_limits import WireLimits
from tests.support.gateway import as_deployed
from tests.support.system import Cingulum

ADMIN = {
    "CINGULUM_ADMIN_USERNAME": "ada",
    "CINGULUM_ADMIN_PASSWORD": "correct horse",
    "CINGULUM_JSON_BODY_BYTES": "200000",
}
# Short enough to be waited for; no test asks that anything is done within them.
LIMITS = WireLimits(head_timeout_s=5, body_timeout_s=4, stall_timeout_s=4, linger_s=1, write_timeout_s=3)


class RawResponse(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """A server behind a raw socket."""

    host: str
    port: int

    async def send(self, *pieces: bytes) -> RawResponse:
        """Send these bytes; the first answer. Writing may fail once the server has answered."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        answer = asyncio.create_task(self._answer(reader))
        try:
            async with asyncio.timeout(60):
                with suppress(ConnectionError):
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                return await answer
        finally:
            answer.cancel()
            writer.close()

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> RawResponse:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return RawResponse(int(head[0].split()[1]), headers, body)

    async def get(self, path: str, *headers: str) -> RawResponse:
        return await self.send(
            "\r\n".join((f"GET {path} HTTP/1.1", "Host: a", *headers, "", "")).encode("latin-1")
        )

    async def ends(self, *pieces: bytes) -> bytes:
        """Send these bytes and wait until the server ends the connection; all it answered."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            async with asyncio.timeout(60):
                for piece in pieces:
                    writer.write(piece)
                return await reader.read()
        finally:
            writer.close()


@pytest.fixture(params=["mounted", "split"])
async def wire(request: pytest.FixtureRequest, cingulum: Cingulum) -> AsyncIterator[Wire]:
    environment = {**cingulum.environment, **ADMIN}
    async with as_deployed(environment, LIMITS, split=request.param == "split") as (host, port):
        yield Wire(host, port)


def a_post(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: a", *headers, "", "")).encode()


async def test_bodies_are_bounded_before_they_are_read(wire: Wire) -> None:
    whole = b'{"username": "ada", "password": "correct horse"}'
    json_kind = "Content-Type: application/json"
    signed_in = await wire.send(a_post("/auth-token", json_kind, f"Content-Length: {len(whole)}") + whole)
    assert signed_in.status == 200
    known = f"Authorization: Token {signed_in.json()['token']}"

    form_kind = "Content-Type: application/x-www-form-urlencoded"
    for path, kind, most in (
        ("/auth-token", json_kind, 65_536),
        ("/app/login", form_kind, 65_536),
        ("/labs", json_kind, 200_000),
    ):
        announced = await wire.send(a_post(path, known, kind, f"Content-Length: {most + 1}"))
        assert (announced.status, announced.json()["limit_bytes"]) == (413, most), path
        chunks = [b"%x\r\n%s\r\n" % (65_536, b" " * 65_536)] * (most // 65_536 + 1)
        counted = await wire.send(a_post(path, known, kind, "Transfer-Encoding: chunked"), *chunks)
        assert (counted.status, counted.json()["type"]) == (413, "body-too-large"), path
    page = await wire.send(a_post("/app/subjects", form_kind, "Content-Length: 1048577"))
    assert (page.status, page.json()["limit_bytes"]) == (413, 1_048_576)
    huge = await wire.send(a_post("/auth-token", "Content-Length: 300000000"), *[b" " * 1_000_000] * 300)
    assert huge.status == 413
    form = await wire.send(
        a_post("/app/login", "Content-Type: multipart/form-data; boundary=x", "Content-Length: 9000000")
    )
    assert form.status == 415

    # A truncated body is never accepted as a complete one, even if its beginning is valid by itself.
    lab = b'{"name": "cutlab"}'
    cut = (a_post("/labs", known, json_kind, f"Content-Length: {len(lab) + 10}"), lab)
    assert b" 408 " in await wire.ends(*cut)
    reader, writer = await asyncio.open_connection(wire.host, wire.port)
    writer.write(b"".join(cut))
    writer.write_eof()
    await reader.read()
    writer.close()
    assert b"cutlab" not in (await wire.get("/labs", known)).body
    assert (
        await wire.send(a_post("/labs", known, json_kind, f"Content-Length: {len(lab)}") + lab)
    ).status == 201


async def test_headers_and_time_are_bounded(wire: Wire) -> None:
    long = await wire.get("/health/live", "Cookie: " + 'a="' + '\\"' * 20_000 + '"')
    assert (long.status, long.json()["type"], long.json()["limit_bytes"]) == (
        431,
        "headers-too-large",
        16_384,
    )
    # As long as it may be, quoted as the standard library reads in quadratic time: answered like any other.
    assert (await wire.get("/me", "Cookie: " + 'a="' + '\\"' * 8_000 + '"')).status == 403
    assert b" 408 " in await wire.ends(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
    assert b" 408 " in await wire.ends(
        a_post("/auth-token", "Content-Type: application/json", "Content-Length: 100"), b"{"
    )
    assert await wire.ends(b"") == b""


async def test_forwarded_headers_of_an_untrusted_caller_are_ignored(wire: Wire) -> None:
    forged = ("X-Forwarded-Proto: https", "X-Forwarded-For: 9.9.9.9", "X-Forwarded-Host: evil.example")
    page = await wire.get("/app/login", *forged)
    assert page.status == 200
    assert "secure" not in page.headers["set-cookie"].lower()
    assert "strict-transport-security" not in page.headers


async def test_a_caller_that_never_reads_is_disconnected(wire: Wire) -> None:
    """Whole answers of one connection, more than all buffers on the way hold."""
    end = select.poll()
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect((wire.host, wire.port))
        caller.send(b"GET /api/schema HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
        end.register(caller, 0)  # nothing but its end, without reading
        assert await asyncio.to_thread(end.poll, 120_000)
    assert (await wire.get("/api/schema")).status == 200
