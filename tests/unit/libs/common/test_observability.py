"""Log lines tell which request, and which job, they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from libs.common.observability import Observed, configure_logs, logger

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


async def test_what_a_worker_asks_for_a_job_is_logged_with_the_jobs_id(
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


async def test_a_request_without_an_id_is_given_one_and_is_of_no_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer, lines = await lines_of(capsys, "POST", {})
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-Id"]}
    assert not any("job_id" in line for line in lines)


async def test_looking_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = await lines_of(capsys, "GET", {})
    assert [line["event"] for line in lines] == ["something was done"]
