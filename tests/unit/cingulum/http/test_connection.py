"""Requests that outlive a bad network, and those of a person, which do not wait for one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cingulum.http import Connection, OtherSize, Refused, Unreachable, etag_file
from tests.support.fake_transfer import problem


def unattended(handle: httpx.MockTransport | None = None, **more: Any) -> Connection:
    return Connection.unattended("http://cingulum.test", "a-token", transport=handle, **more)


def attended(transport: httpx.MockTransport) -> Connection:
    return Connection("http://cingulum.test", "a-token", transport=transport)


def responding(*responses: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A server that gives these responses one after the other, and the requests that it got."""
    remaining, requests = list(responses), []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        response = remaining.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return httpx.MockTransport(handle), requests


def test_a_request_is_retried_until_the_server_is_back() -> None:
    transport, requests = responding(
        httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(200, json={"job": None})
    )
    assert unattended(transport).post("/jobs/claim", {}) == {"job": None}
    assert [request.headers["Authorization"] for request in requests] == ["Token a-token"] * 3


def test_all_attempts_of_an_idempotent_request_have_the_same_key() -> None:
    transport, requests = responding(httpx.ReadTimeout("lost"), httpx.Response(201, json={}))
    unattended(transport).post("/uploads", {}, idempotent=True)
    assert requests[0].headers["Idempotency-Key"] == requests[1].headers["Idempotency-Key"]


def test_all_requests_for_a_job_have_the_same_id(tmp_path: Path) -> None:
    transport, requests = responding(
        httpx.Response(204),
        httpx.ConnectError("refused"),
        httpx.Response(200, stream=httpx.ByteStream(b"abc")),
        httpx.Response(204),
    )
    connection = unattended(transport)
    for_job = connection.with_request_id("job-7")
    for_job.post("/jobs/7/log", {})
    for_job.download("/data/a", tmp_path / "a")
    connection.post("/jobs/heartbeat", {})
    assert [request.headers.get("X-Request-Id") for request in requests] == ["job-7"] * 3 + [None]


def test_a_refusal_is_not_retried_and_has_the_server_s_problem() -> None:
    transport, requests = responding(problem(409, "late-token"))
    with pytest.raises(Refused, match="late-token") as refusal:
        unattended(transport).post("/jobs/1/complete", {})
    assert (refusal.value.status, refusal.value.kind, len(requests)) == (409, "late-token", 1)


def test_retries_end_after_their_limit() -> None:
    def never(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        unattended(httpx.MockTransport(never), within_s=0.3).get("/me")


def test_stopping_ends_a_pause() -> None:
    stop = threading.Event()

    def never(_request: httpx.Request) -> httpx.Response:
        stop.set()
        return httpx.Response(503, headers={"Retry-After": "30"})

    with pytest.raises(Unreachable):
        unattended(httpx.MockTransport(never), stop=stop).get("/me")


class Breaks(httpx.SyncByteStream):
    """Sends some bytes, then the connection is gone."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        yield self.data
        raise httpx.ReadError("gone")


def test_a_broken_download_resumes_where_it_broke(tmp_path: Path) -> None:
    data = b"0123456789"
    transport, requests = responding(
        httpx.Response(200, stream=Breaks(data[:4]), headers={"ETag": '"a"'}),
        httpx.Response(206, stream=httpx.ByteStream(data[4:]), headers={"ETag": '"a"'}),
    )
    sha256 = unattended(transport).download("/data/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert (requests[1].headers["Range"], requests[1].headers["If-Range"]) == ("bytes=4-", '"a"')


def test_a_file_that_changed_between_two_attempts_is_taken_from_its_start(tmp_path: Path) -> None:
    transport, _ = responding(
        httpx.Response(200, stream=Breaks(b"old version"), headers={"ETag": '"a"'}),
        httpx.Response(200, stream=httpx.ByteStream(b"new"), headers={"ETag": '"b"'}),
    )
    assert unattended(transport).download("/data/x", tmp_path / "x") == hashlib.sha256(b"new").hexdigest()
    assert (tmp_path / "x").read_bytes() == b"new"


def test_a_download_that_makes_progress_is_not_limited(tmp_path: Path) -> None:
    """Each attempt brings a byte, and all together take longer than the limit."""
    data = b"01"
    parts = [
        httpx.Response(206 if n else 200, stream=Breaks(data[n : n + 1]), headers={"ETag": '"a"'})
        for n in range(len(data))
    ]
    transport, _ = responding(*parts, httpx.Response(206, stream=httpx.ByteStream(b"2")))
    unattended(transport, within_s=0.25).download("/data/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"012"


def test_a_person_s_request_without_an_answer_fails_at_once() -> None:
    transport, requests = responding(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="does not respond"):
        attended(transport).get("/me")
    assert len(requests) == 1


def test_a_person_s_request_is_retried_when_the_server_names_a_time() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "0"})
    transport, requests = responding(busy, busy, httpx.Response(200, json=[]))
    assert attended(transport).get("/me") == []
    assert len(requests) == 3


def test_a_person_s_request_is_tried_five_times_and_then_refused() -> None:
    transport, requests = responding(*[httpx.Response(503, headers={"Retry-After": "0"})] * 5)
    with pytest.raises(Refused, match="the server responds with 503"):
        attended(transport).get("/me")
    assert len(requests) == 5


def test_an_unready_server_without_a_time_is_a_refusal_with_its_body() -> None:
    transport, _ = responding(httpx.Response(503, json={"status": "metadata: no database"}))
    with pytest.raises(Refused) as refusal:
        attended(transport).get("/health/ready")
    assert refusal.value.body == {"status": "metadata: no database"}


def test_a_retry_time_may_be_a_date() -> None:
    passed = httpx.Response(429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"})
    transport, requests = responding(passed, httpx.Response(204))
    assert attended(transport).post("/labs", {}) is None
    assert len(requests) == 2


def test_a_download_of_an_earlier_process_is_continued(tmp_path: Path) -> None:
    etag = {"ETag": '"1"'}
    transport, requests = responding(
        httpx.Response(200, headers=etag, stream=Breaks(b"abc")),
        httpx.Response(206, headers=etag, stream=httpx.ByteStream(b"def")),
    )
    sizes: list[int] = []
    with pytest.raises(Unreachable):
        attended(transport).download("/data/a", tmp_path / "a", resume=True)
    sha256 = attended(transport).download("/data/a", tmp_path / "a", resume=True, progress=sizes.append)
    assert requests[1].headers["Range"] == "bytes=3-"
    assert requests[1].headers["If-Range"] == '"1"'
    assert (tmp_path / "a").read_bytes() == b"abcdef"
    assert sha256 == hashlib.sha256(b"abcdef").hexdigest()
    assert sum(sizes) == 6
    assert etag_file(tmp_path / "a").read_text() == '"1"'  # until the caller has checked the file


def test_a_complete_download_of_an_earlier_process_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    etag_file(tmp_path / "a").write_text('"1"')
    transport, requests = responding(httpx.Response(416, headers={"Content-Range": "bytes */6"}))
    sha256 = attended(transport).download("/data/a", tmp_path / "a", resume=True)
    assert (sha256, len(requests)) == (hashlib.sha256(b"abcdef").hexdigest(), 1)


def test_a_file_that_became_shorter_is_taken_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    etag_file(tmp_path / "a").write_text('"1"')
    transport, requests = responding(
        httpx.Response(416, headers={"Content-Range": "bytes */3"}),
        httpx.Response(200, stream=httpx.ByteStream(b"xyz"), headers={"ETag": '"2"'}),
    )
    attended(transport).download("/data/a", tmp_path / "a", resume=True)
    assert (tmp_path / "a").read_bytes() == b"xyz"
    assert "Range" not in requests[1].headers


def test_a_file_of_another_size_is_not_read(tmp_path: Path) -> None:
    transport, _ = responding(httpx.Response(200, stream=Breaks(b"0123"), headers={"Content-Length": "80"}))
    with pytest.raises(OtherSize, match="80 bytes, 6 were expected"):
        attended(transport).download("/data/a", tmp_path / "a", size_bytes=6)


def test_a_stranger_s_etag_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a.etag").write_text("mine")
    transport, _ = responding(httpx.Response(200, stream=httpx.ByteStream(b"xyz")))
    attended(transport).download("/data/a", tmp_path / "a")
    assert (tmp_path / "a.etag").read_text() == "mine"
