"""Log lines tell which request, and which job, they are about."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.observability import Observed, caller, configure_logs, logger

JOB = "5f0c7bd8-66a4-4d4b-9a0b-0f7e4e0c1a52"


async def _work(_request: Request) -> Response:
    logger("a-part").info("something was done")
    return Response(status_code=204)


async def lines_of(
    capsys: pytest.CaptureFixture[str], method: str, headers: Mapping[str, str]
) -> tuple[httpx.Response, list[dict[str, Any]]]:
    """The answer to a request, and what was logged meanwhile."""
    configure_logs("INFO", as_json=True)
    app = Observed(Starlette(routes=[Route("/work", _work, methods=["GET", "POST"])]), "transfer")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        answer = await http.request(method, "/work", headers=headers)
    return answer, [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_requests_of_a_worker_are_logged_with_the_job_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    this = f"job-{JOB}-7"
    answer, lines = await lines_of(capsys, "POST", {"X-Request-Id": this})
    assert answer.headers["X-Request-Id"] == this
    assert [(line["event"], line["request_id"], line["job_id"]) for line in lines] == [
        ("something was done", this, JOB),
        ("answered", this, JOB),
    ]
    assert (lines[1]["method"], lines[1]["path"], lines[1]["status"]) == ("POST", "/work", 204)


async def test_a_request_without_an_id_gets_one_and_belongs_to_no_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer, lines = await lines_of(capsys, "POST", {})
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-Id"]}
    assert not any("job_id" in line for line in lines)


async def test_looking_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = await lines_of(capsys, "GET", {})
    assert [line["event"] for line in lines] == ["something was done"]


async def failing(
    capsys: pytest.CaptureFixture[str], app: ASGIApp, path: str = "/work"
) -> tuple[httpx.Response | None, list[dict[str, Any]]]:
    """What a caller gets of an application that fails, and what is logged."""
    configure_logs("INFO", as_json=True)
    answer = None
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Observed(app, "transfer")), base_url="http://x"
    ) as http:
        with suppress(AssertionError):  # httpx misses the end of an answer that breaks off
            answer = await http.get(path, headers={"X-Request-Id": "abc-1"})
    return answer, [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_a_failure_is_one_line_with_path_status_and_request_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fails(_request: Request) -> Response:
        raise RuntimeError("nobody thought of this")

    app = FastAPI()
    app.add_api_route("/work", fails)
    app.add_middleware(Observed, service="transfer")
    answer, lines = await failing(capsys, app)
    assert answer is not None
    assert (answer.status_code, answer.json()["type"]) == (500, "internal")
    # The connection goes on, so nothing says that it ends.
    assert "connection" not in answer.headers
    assert answer.headers["X-Request-Id"] == "abc-1"
    (failed,) = (line for line in lines if line["level"] == "error")
    assert (failed["path"], failed["method"], failed["status"]) == ("/work", "GET", 500)
    assert failed["request_id"] == "abc-1"
    assert "nobody thought of this" in failed["exception"]


async def test_an_answer_that_fails_midway_is_never_completed(capsys: pytest.CaptureFixture[str]) -> None:
    async def breaks(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        raise RuntimeError("nobody thought of this")

    answer, lines = await failing(capsys, breaks)
    assert answer is None
    (failed,) = (line for line in lines if line["level"] == "error")
    assert (failed["path"], failed["status"], failed["request_id"]) == ("/work", 200, "abc-1")


async def test_a_caller_that_disconnects_during_a_body_is_logged_as_information(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def reads(request: Request) -> Response:
        async for _ in request.stream():
            pass
        return Response(status_code=204)

    app = FastAPI()
    app.add_api_route("/work", reads, methods=["PUT"])
    app.add_middleware(Observed, service="transfer")
    configure_logs("INFO", as_json=True)
    messages = iter(({"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}))

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        raise AssertionError(f"nobody is there to hear {message}")

    scope = {"type": "http", "method": "PUT", "path": "/work", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["path"], "exception" in line) == ("info", "/work", False)


@pytest.mark.parametrize("own", [None, "public, max-age=60"])
async def test_a_response_is_not_cached_unless_its_route_allows_it(
    capsys: pytest.CaptureFixture[str], own: str | None
) -> None:
    async def answers(_request: Request) -> Response:
        return Response("{}", headers={"Cache-Control": own} if own else {})

    answer, _ = await failing(capsys, Starlette(routes=[Route("/work", answers)]))
    assert answer is not None
    assert answer.headers["cache-control"] == (own or "no-store")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_page_keeps_its_own_policy(capsys: pytest.CaptureFixture[str]) -> None:
    async def page(_request: Request) -> Response:
        return Response("<p>", headers={"Content-Security-Policy": "default-src 'self'"})

    answer, _ = await failing(capsys, Starlette(routes=[Route("/work", page)]))
    assert answer is not None
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


@pytest.mark.parametrize(("status", "n_lines"), [(200, 0), (401, 1), (403, 1), (404, 0)])
async def test_looking_that_is_refused_is_a_line_with_its_caller(
    capsys: pytest.CaptureFixture[str], status: int, n_lines: int
) -> None:
    user_id = UUID(JOB)

    async def answers(_request: Request) -> Response:
        caller.set(user_id)
        return Response(status_code=status)

    _, logged = await failing(capsys, Starlette(routes=[Route("/work", answers)]))
    assert [(line["event"], line["status"], line["caller"]) for line in logged] == [
        ("answered", status, str(user_id))
    ] * n_lines


def test_what_callers_send_moves_no_cursor_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", as_json=False)
    try:
        logger("a-part").info("something was done", path="/a\x1b[31m\nb", name="\x9b\u202e\ud800é")
    finally:
        configure_logs("INFO", as_json=True)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert "\\x1b[31m\\nb" in line
    assert "\\x9b\\u202e\\ud800é" in line


def test_a_replaced_standard_error_that_was_closed_breaks_no_later_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as replaced, io.StringIO() as earlier:
        replaced.setattr(sys, "stderr", earlier)
        configure_logs("INFO", as_json=True)
        logger("a").info("first")
    logger("a").info("second")
    assert "second" in capsys.readouterr().err


async def test_the_token_of_a_link_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("INFO", as_json=True)
    route = Route("/release-links/{token}/{path:path}", _work, methods=["GET"])
    app = Observed(Starlette(routes=[route]), "registry")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        await http.get("/release-links/secret-token/files/a.npy")
    logged = capsys.readouterr().err
    assert "/release-links/…/files/a.npy" in json.loads(logged.splitlines()[0])["path"]
    assert "secret-token" not in logged
