"""Calls that outlive a bad network."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cingulum.worker.http import Refused, Server, Unreachable
from tests.support.fake_transfer import problem


def a_server(handle: httpx.MockTransport | None = None, **more: object) -> Server:
    return Server("http://cingulum.test", "a-token", transport=handle, **more)  # type: ignore[arg-type]


def answers(*given: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A server that gives these answers one after the other."""
    left, seen = list(given), []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    return httpx.MockTransport(handle), seen


def test_a_call_is_repeated_until_the_server_is_back() -> None:
    transport, seen = answers(
        httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(200, json={"job": None})
    )
    assert a_server(transport).post("/jobs/claim", {}) == {"job": None}
    assert [request.headers["Authorization"] for request in seen] == ["Token a-token"] * 3


def test_a_repeat_of_what_must_happen_once_carries_the_same_key() -> None:
    transport, seen = answers(httpx.ReadTimeout("lost"), httpx.Response(201, json={}))
    a_server(transport).post("/uploads", {}, once=True)
    assert seen[0].headers["Idempotency-Key"] == seen[1].headers["Idempotency-Key"]


def test_all_that_is_asked_for_a_job_bears_the_same_id(tmp_path: Path) -> None:
    transport, seen = answers(
        httpx.Response(204),
        httpx.ConnectError("refused"),
        httpx.Response(200, stream=httpx.ByteStream(b"abc")),
        httpx.Response(204),
    )
    server = a_server(transport)
    about_job = server.speaking_of("job-7")
    about_job.post("/jobs/7/log", {})
    about_job.fetch("/data/a", tmp_path / "a")
    server.post("/jobs/heartbeat", {})
    assert [request.headers.get("X-Request-Id") for request in seen] == ["job-7"] * 3 + [None]


def test_a_refusal_is_not_repeated_and_says_what_the_server_said() -> None:
    transport, seen = answers(problem(409, "late-token"))
    with pytest.raises(Refused, match="late-token") as refusal:
        a_server(transport).post("/jobs/1/complete", {})
    assert (refusal.value.status, refusal.value.kind, len(seen)) == (409, "late-token", 1)


def test_patience_ends() -> None:
    def never(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        a_server(httpx.MockTransport(never), patience_s=0.3).get("/me")


def test_a_wish_to_stop_ends_the_waiting() -> None:
    stop = threading.Event()

    def never(_request: httpx.Request) -> httpx.Response:
        stop.set()
        return httpx.Response(503, headers={"Retry-After": "30"})

    with pytest.raises(Unreachable):
        a_server(httpx.MockTransport(never), stop=stop).get("/me")


class Breaks(httpx.SyncByteStream):
    """Sends some bytes, then the connection is gone."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data
        raise httpx.ReadError("gone")


def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    data = b"0123456789"
    transport, seen = answers(
        httpx.Response(200, stream=Breaks(data[:4]), headers={"ETag": '"a"'}),
        httpx.Response(206, stream=httpx.ByteStream(data[4:]), headers={"ETag": '"a"'}),
    )
    found = a_server(transport).fetch("/data/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    assert found == hashlib.sha256(data).hexdigest()
    assert (seen[1].headers["Range"], seen[1].headers["If-Range"]) == ("bytes=4-", '"a"')


def test_a_file_that_changed_between_two_attempts_is_taken_from_its_start(tmp_path: Path) -> None:
    transport, _ = answers(
        httpx.Response(200, stream=Breaks(b"old version"), headers={"ETag": '"a"'}),
        httpx.Response(200, stream=httpx.ByteStream(b"new"), headers={"ETag": '"b"'}),
    )
    assert a_server(transport).fetch("/data/x", tmp_path / "x") == hashlib.sha256(b"new").hexdigest()
    assert (tmp_path / "x").read_bytes() == b"new"
