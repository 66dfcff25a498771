"""A browser's session ends when it should, and people manage their account on one page, without script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from libs.common.cookies import CSRF_COOKIE, HOST_PREFIX, SESSION_COOKIE
from tests.support.gateway import mounted
from tests.support.portal import ADMIN, LOGIN, Browser, csrf_of
from tests.support.system import Cingulum
from tests.support.waiting import attempts, let_time_pass


@pytest.fixture
async def browser(cingulum: Cingulum) -> AsyncIterator[Browser]:
    async with mounted({**cingulum.environment, **ADMIN}) as http:
        yield Browser(http)


@asynccontextmanager
async def another(browser: Browser, **more: str) -> AsyncIterator[Browser]:
    """A second browser at the same system."""
    first = browser.http._transport
    assert isinstance(first, httpx.ASGITransport)
    transport = httpx.ASGITransport(first.app)
    async with httpx.AsyncClient(transport=transport, base_url=browser.http.base_url, headers=more) as http:
        yield Browser(http)


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get("/app/account")).status_code == 200


async def until_signed_out(browser: Browser) -> None:
    """Wait until the gateway's cache of 5 s has expired."""
    async for _ in attempts():
        if not await is_signed_in(browser):
            return
    raise AssertionError("still signed in")


async def send(browser: Browser, path: str, **fields: str | list[str]) -> httpx.Response:
    page = await browser.get("/app/account")
    return await browser.http.post(f"/app/account/{path}", data={"csrf": csrf_of(page.text), **fields})


async def test_signing_out_ends_the_session_and_not_only_the_cookie(browser: Browser) -> None:
    await browser.sign_in()
    cookies = dict(browser.http.cookies)
    page = await browser.get("/app/account")
    assert page.headers["cache-control"] == "no-store"
    assert (await browser.http.post("/app/logout", data={"csrf": csrf_of(page.text)})).status_code == 303
    browser.http.cookies.update(cookies)
    await until_signed_out(browser)


async def test_cookies_are_not_accepted_as_tokens_nor_tokens_as_cookies(browser: Browser) -> None:
    await browser.sign_in()
    cookie = browser.http.cookies[SESSION_COOKIE]
    csrf = browser.http.cookies[CSRF_COOKIE]
    assert await is_signed_in(browser)
    browser.http.cookies.clear()
    as_token = await browser.get("/me", headers={"Authorization": f"Token {cookie}"})
    assert as_token.status_code == 403
    assert (await browser.get("/me", auth=("ada", cookie))).status_code == 403
    await browser.api("GET", "/me")
    assert browser.token != cookie
    browser.http.cookies.update({SESSION_COOKIE: browser.token, CSRF_COOKIE: csrf})
    assert not await is_signed_in(browser)


@pytest.mark.parametrize("setting", ["CINGULUM_BROWSER_SESSION_IDLE_S", "CINGULUM_BROWSER_SESSION_LONGEST_S"])
async def test_a_session_ends_when_it_is_idle_and_when_it_is_old(cingulum: Cingulum, setting: str) -> None:
    async with mounted({**cingulum.environment, **ADMIN, setting: "1"}) as http:
        browser = Browser(http)
        assert (await browser.sign_in()).status_code == 303
        await let_time_pass(1.1)  # without a request, which would extend the session
        await until_signed_out(browser)


async def test_a_browser_session_in_use_does_not_idle_out(cingulum: Cingulum) -> None:
    async with mounted({**cingulum.environment, **ADMIN, "CINGULUM_BROWSER_SESSION_IDLE_S": "40"}) as http:
        browser = Browser(http)
        await browser.sign_in()
        first = (await browser.api("GET", "/browser-sessions"))[0]["idle_until"]
        async for _ in attempts():
            assert await is_signed_in(browser)
            if (await browser.api("GET", "/browser-sessions"))[0]["idle_until"] > first:
                return
        raise AssertionError("the use was never recorded")


async def test_over_https_the_cookies_are_this_hosts_only(cingulum: Cingulum) -> None:
    async with mounted({**cingulum.environment, **ADMIN}) as http:
        http.base_url = httpx.URL("https://cingulum.test")
        browser = Browser(http)
        answer = await browser.sign_in()
        cookies = {text.partition("=")[0]: text.lower() for text in answer.headers.get_list("set-cookie")}
        assert set(cookies) == {HOST_PREFIX + SESSION_COOKIE, HOST_PREFIX + CSRF_COOKIE}
        assert all(
            "secure" in text and "path=/" in text and "domain" not in text for text in cookies.values()
        )
        assert await is_signed_in(browser)
        token = browser.http.cookies[HOST_PREFIX + SESSION_COOKIE]
        csrf = browser.http.cookies[HOST_PREFIX + CSRF_COOKIE]
        write = {"X-CSRF-Token": csrf}
        assert (await http.delete("/browser-sessions", headers=write)).status_code == 204
        browser.http.cookies.clear()
        browser.http.cookies.update({SESSION_COOKIE: token, CSRF_COOKIE: csrf})
        assert not await is_signed_in(browser), "a sibling host can set the plain name"


async def test_browsers_are_listed_and_signed_out(browser: Browser) -> None:
    await browser.sign_in()
    async with another(browser, **{"User-Agent": "Phone/1"}) as phone:
        await phone.sign_in()
        page = (await browser.get("/app/account")).text
        assert "Phone/1" in page
        assert page.count("this browser") >= 1
        assert (await send(browser, "sessions/others/end")).status_code == 303
        await until_signed_out(phone)
        assert await is_signed_in(browser)
        await phone.sign_in()
        sessions = await browser.api("GET", "/browser-sessions")
        phones = [session["id"] for session in sessions if session["browser"] == "Phone/1"]
        assert (await send(browser, f"sessions/{phones[0]}/end")).status_code == 303
        await until_signed_out(phone)


async def test_a_token_is_made_on_the_page_shown_once_and_revoked(browser: Browser) -> None:
    await browser.sign_in()
    answer = await send(browser, "tokens", name="my laptop", scopes=["read", "write"])
    assert answer.status_code == 200
    token_match = re.search(r'<code id="token">([0-9a-f]{64})</code>', answer.text)
    assert token_match
    headers = {"Authorization": f"Token {token_match[1]}"}
    me = (await browser.get("/me", headers=headers)).json()
    assert (me["username"], me["scopes"]) == ("ada", ["read", "write"])
    assert token_match[1] not in str(me)
    again = (await browser.get("/app/account")).text
    assert "my laptop" in again
    assert token_match[1] not in again
    (token,) = [t for t in await browser.api("GET", "/tokens") if t["name"] == "my laptop"]
    assert (await send(browser, f"tokens/{token['id']}/revoke")).status_code == 303
    assert "my laptop" not in (await browser.get("/app/account")).text


async def test_a_token_without_a_scope_is_refused_in_the_form(browser: Browser) -> None:
    await browser.sign_in()
    refused = await send(browser, "tokens", name="nothing")
    assert refused.status_code == 400
    assert 'role="alert"' in refused.text
    assert 'value="nothing"' in refused.text


async def test_a_changed_password_signs_all_browsers_out(browser: Browser) -> None:
    await browser.sign_in()
    async with another(browser) as other:
        await other.sign_in()
        new = {"new_password": "another long one", "repeated": "another long one"}
        for fields in (
            {**new, "old_password": "battery staple"},
            {**new, "old_password": LOGIN["password"], "repeated": "something else"},
            {"old_password": LOGIN["password"], "new_password": "password1234", "repeated": "password1234"},
        ):
            answer = await send(browser, "password", **fields)
            assert answer.status_code == 400
            assert 'role="alert"' in answer.text
        answer = await send(browser, "password", old_password=LOGIN["password"], **new)
        assert answer.status_code == 200
        assert 'role="status"' in answer.text
        await until_signed_out(other)
        assert (await browser.sign_in()).status_code == 400
        assert (await browser.sign_in(password="another long one")).status_code == 303


async def test_the_forms_of_another_site_change_nothing(browser: Browser) -> None:
    await browser.sign_in()
    change = {
        "old_password": LOGIN["password"],
        "new_password": "another long one",
        "repeated": "another long one",
    }
    for path in ("password", "tokens", "sessions/others/end"):
        answer = await browser.http.post(f"/app/account/{path}", data={**change, "csrf": "x" * 40})
        assert answer.status_code == 403
    assert (await browser.http.post("/app/logout", data={"csrf": "x"})).status_code == 403
    assert await is_signed_in(browser)


async def test_a_forms_token_belongs_to_one_browser_session(browser: Browser) -> None:
    async def status(token: str, sender: Browser = browser) -> set[int]:
        """Status of a form and of a write by cookie that carry this token, also in the cookie."""
        sender.http.cookies.set(CSRF_COOKIE, token)
        sent = {"csrf": token, "name": "x", "scopes": "read"}
        form = await sender.http.post("/app/account/tokens", data=sent)
        body = {"name": "x", "scopes": ["read"]}
        api = await sender.http.post("/tokens", json=body, headers={"X-CSRF-Token": token})
        return {form.status_code, api.status_code}

    before = csrf_of((await browser.get("/app/login")).text)
    await browser.sign_in()
    token = csrf_of((await browser.get("/app/account")).text)
    assert browser.http.cookies[CSRF_COOKIE] == token != before
    async with another(browser) as other:
        await other.sign_in()
        of_other = csrf_of((await other.get("/app/account")).text)
        assert of_other != token
        for wrong in (of_other, before, "x" * 43, ""):
            assert await status(wrong) == {403}, wrong
        assert await status(of_other, other) <= {200, 201}
    assert await status(token) <= {200, 201}
    assert (await browser.http.post("/app/logout", data={"csrf": token})).status_code == 303
    await browser.sign_in()
    assert await status(token) == {403}, "of a session that has ended"


async def test_the_sign_in_forms_token_belongs_to_the_browser_that_got_the_form(browser: Browser) -> None:
    async with another(browser) as other:
        of_other = csrf_of((await other.get("/app/login")).text)
        own = csrf_of((await browser.get("/app/login")).text)
        for wrong in (of_other, "x" * 43):
            browser.http.cookies.set(CSRF_COOKIE, wrong)
            refused = await browser.http.post("/app/login", data={**LOGIN, "csrf": wrong})
            assert refused.status_code == 403
            assert "Try again" in refused.text
        again = await browser.http.post("/app/login", data={**LOGIN, "csrf": csrf_of(refused.text)})
        assert again.status_code == 303
        assert csrf_of(refused.text) == own


async def test_an_unauthenticated_caller_is_redirected_to_sign_in(browser: Browser) -> None:
    answer = await browser.get("/app/account")
    assert answer.headers["location"] == "/app/login?next=%2Fapp%2Faccount"
    assert (await browser.http.post("/app/account/tokens", data={})).status_code == 303
