"""What anybody may register is shown as what it is: wrong content is told, and text that turns is written out."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest

from tests.support.portal import Browser, csrf_of
from tests.support.waiting import attempts

FIT = "alf/_cingulum_psychometric.fit.json"
SUMMARY = "alf/_cingulum_behaviour.summary.json"
CURVE = {"block": None, "contrasts_percent": [0, 100], "n_right": [1], "n_trials": [2, 2], "fit": None}
WRONG: list[Any] = [
    [1],
    7,
    "text",
    {"all": [1], "by_block": 5},
    {"all": {"fit": 1}, "chronometry": [1], "n_trials": {"a": 1}},
    {"all": CURVE, "chronometry": "soon", "performance": "all"},
]
TURNED = "\u202egnp.exe"


async def test_a_session_page_is_rendered_whatever_the_outputs_contain(browser: Browser) -> None:
    for number, wrong in enumerate(WRONG, start=1):
        start = {
            "subject": "KS014",
            "start_time": "2020-09-01T10:00:00",
            "number": number,
            "narrative": TURNED,
        }
        start |= {"users": ["ada"], "task_protocol": f"protocol{TURNED}"}
        session = (await browser.api("POST", "/sessions", start))["id"]
        content = json.dumps(wrong).encode()
        await browser.bring(f"KS014/2020-09-01/{number:03d}", {FIT: content, SUMMARY: content})
        async for _ in attempts():  # the files are proved by events
            answer = await browser.get(f"/app/sessions/{session}")
            assert answer.status_code == 200, (wrong, answer.text)
            page = unescape(answer.text)
            if "not have the format that the task writes" in page:
                break
        assert "not have the format that the task writes" in page
        assert TURNED not in page
        assert "protocol[U+202E]gnp.exe" in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
        {"Referer": "http://evil.example/page"},
    ],
)
async def test_a_form_from_another_host_is_refused_though_it_knows_the_token(
    stranger: Browser, headers: dict[str, str]
) -> None:
    token = csrf_of((await stranger.get("/app/login")).text)
    login = {"username": "ada", "password": "correct horse", "csrf": token, "next": "/app/"}
    assert (await stranger.http.post("/app/login", data=login, headers=headers)).status_code == 403
    own = {"Origin": str(stranger.http.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert (await stranger.http.post("/app/login", data=login, headers=own)).status_code == 303
