"""Nothing that a browser sends makes a page fail: people read a page that says what to do, never an internal error."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.portal.pages.rendering import environment
from services.portal.routes import routers
from tests.support.hostile import Foe, attack, doors, is_explained
from tests.support.portal import LOGIN, a_colony, a_recording, browsing
from tests.support.system import Cingulum

TRIES = 300
FORMS = {
    "/app/login": ("username", "password", "csrf", "next"),
    "/app/logout": ("csrf",),
    "/app/account/password": ("csrf", "old_password", "new_password", "repeated"),
    "/app/account/tokens": ("csrf", "name", "scopes", "expires_on"),
    "/app/account/tokens/{token_id}/revoke": ("csrf",),
    "/app/account/sessions/others/end": ("csrf",),
    "/app/account/sessions/{session_id}/end": ("csrf",),
}


async def test_no_address_and_no_form_makes_an_internal_error(cingulum: Cingulum) -> None:
    async with browsing(cingulum.environment) as browser:
        await a_colony(browser)
        await a_recording(browser)
        await browser.sign_in()
        cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        jobs = await browser.api("GET", "/jobs")
        sessions = [session["id"] for session in browser.made["sessions"]]
        keys = [
            *sessions,
            *(job["id"] for job in jobs["results"][:2]),
            "KS014",
            "hilllab",
            str(uuid4()),
            "app.css",
        ]
        good = {
            **LOGIN,
            "csrf": browser.http.cookies["cingulum_csrf"],
            "next": "/app/",
            "subject": "KS014",
            "offset": 1,
        }

        async def ask(method: str, path: str, headers: dict[str, bytes], **more: Any) -> httpx.Response:
            sent = {"cookie": cookies.encode(), **headers}
            browser.http.cookies.clear()  # whatever the last answer took away
            return await browser.http.request(
                method, path, headers={name.encode(): value for name, value in sent.items()}, **more
            )

        await attack(ask, doors(routers, FORMS), Foe(good, keys), TRIES, refusal=is_explained)


async def test_while_a_long_page_is_made_others_are_answered(
    cingulum: Cingulum, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()
    text = environment().filters["text"]

    def slow(value: object) -> str:
        begun.set()
        assert may_go_on.wait(60), "no other request was answered"
        return str(text(value))

    async with browsing(cingulum.environment) as browser:
        await browser.sign_in()
        monkeypatch.setitem(environment().filters, "text", slow)
        page = asyncio.create_task(browser.get("/app/account"))
        assert await asyncio.to_thread(begun.wait, 60)
        for path in ("/health/live", "/app/login", "/me"):
            assert (await browser.get(path)).status_code < 400, path
        may_go_on.set()
        assert "Signed-in browsers" in (await page).text
