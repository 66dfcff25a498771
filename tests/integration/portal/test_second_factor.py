"""Who adds an authenticator app signs in with a code as well, and each code is good once."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from services.metadata.domain.second_factor import STEP_S, code_at
from tests.support.gateway import mounted
from tests.support.portal import ADMIN, LOGIN, Browser, csrf_of
from tests.support.system import Cingulum
from tests.support.waiting import attempts

ON = {"CINGULUM_SECOND_FACTOR": "true"}


@pytest.fixture
async def browser(cingulum: Cingulum) -> AsyncIterator[Browser]:
    async with mounted({**cingulum.environment, **ADMIN, **ON}) as http:
        browser = Browser(http)
        await browser.sign_in()
        yield browser


async def send(browser: Browser, path: str, **fields: str) -> httpx.Response:
    page = await browser.get("/app/account")
    return await browser.http.post(f"/app/account/{path}", data={"csrf": csrf_of(page.text), **fields})


class App:
    """An authenticator app; each code that it gives is of another step, as a person waits for the next one."""

    def __init__(self, secret: str) -> None:
        self.secret = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.step = int(time.time()) // STEP_S - 2

    def code(self) -> str:
        """The next code that the server may take, though its clock may be one step off."""
        self.step = max(self.step + 1, int(time.time()) // STEP_S - 1)
        return code_at(self.secret, self.step)


async def added(browser: Browser) -> tuple[App, list[str]]:
    """An app that is confirmed, and the recovery codes."""
    page = await send(browser, "second-factor", password=LOGIN["password"])
    assert page.status_code == 200, page.text
    secret = re.search(r'id="factor-secret">([A-Z2-7]+)<', page.text)
    assert secret
    assert f"otpauth://totp/Cingulum:ada?secret={secret[1]}" in page.text
    assert "<svg" in page.text
    app = App(secret[1])
    wrong = await send(browser, "second-factor/confirm", code="000000", secret=secret[1], uri="otpauth://x")
    assert wrong.status_code == 400
    confirmed = await send(browser, "second-factor/confirm", code=app.code())
    assert confirmed.status_code == 200, confirmed.text
    shown = re.search(r'<code id="recovery-codes">([^<]+)</code>', confirmed.text)
    assert shown
    codes = shown[1].split()
    assert [bool(re.fullmatch(r"([a-z2-7]{4}-){6}[a-z2-7]{2}", code)) for code in codes] == [True] * 10
    return app, codes


async def fresh_sign_in(browser: Browser) -> httpx.Response:
    """Fill the log-in form as somebody who comes for the first time."""
    browser.http.cookies.clear()
    return await browser.sign_in()


async def answer_with(browser: Browser, code: str) -> httpx.Response:
    """Sign in by password, and answer the page that asks for a code."""
    code_page = await fresh_sign_in(browser)
    assert code_page.status_code == 200, code_page.text
    challenge = re.search(r'name="challenge" value="([^"]+)"', code_page.text)
    assert challenge
    assert LOGIN["password"] not in code_page.text
    sent = {"csrf": csrf_of(code_page.text), "next": "/app/", "challenge": challenge[1], "code": code}
    return await browser.http.post("/app/login", data=sent)


async def test_a_code_is_required_after_the_password_and_works_once(browser: Browser) -> None:
    app, codes = await added(browser)
    code = app.code()
    answer = await answer_with(browser, code)
    assert answer.status_code == 303
    assert (await browser.get("/app/account")).status_code == 200
    again = await answer_with(browser, code)
    assert again.status_code == 400
    assert 'role="alert"' in again.text
    assert (await answer_with(browser, codes[0].upper())).status_code == 303
    left = (await browser.get("/second-factor")).json()
    assert (left["enabled"], left["recovery_codes_left"]) == (True, 9)
    assert (await answer_with(browser, codes[0])).status_code == 400


async def test_a_password_alone_gets_no_token_and_a_personal_token_works(browser: Browser) -> None:
    old = (await browser.http.post("/auth-token", json=LOGIN)).json()["token"]
    made = await send(browser, "tokens", name="script", scopes="read")
    token = re.search(r'<code id="token">([0-9a-f]{64})</code>', made.text)
    assert token
    await added(browser)
    refused = await browser.http.post("/auth-token", data=LOGIN)
    assert refused.status_code == 400
    assert "personal token" in refused.json()["non_field_errors"][0]
    me = await browser.get("/me", headers={"Authorization": f"Token {token[1]}"})
    assert me.status_code == 200
    async for _ in attempts():
        if (await browser.get("/me", headers={"Authorization": f"Token {old}"})).status_code == 403:
            return
    raise AssertionError("the token that a password alone made still works")


async def test_guessing_codes_is_slowed_down_though_the_password_is_right(browser: Browser) -> None:
    await added(browser)
    statuses = []
    for _ in range(9):
        code_page = await fresh_sign_in(browser)
        if code_page.status_code != 200:
            statuses.append(code_page.status_code)
            break
        statuses.append((await answer_with(browser, "123456")).status_code)
    assert statuses[:4] == [400] * 4  # a wrong one was sent when the app was added
    assert statuses[-1] == 429


async def test_an_app_is_removed_with_password_and_code_or_by_an_administrator(browser: Browser) -> None:
    app, _codes = await added(browser)
    wrong = await send(browser, "second-factor/remove", password=LOGIN["password"], code="000000")
    assert wrong.status_code == 400
    gone = await send(browser, "second-factor/remove", password=LOGIN["password"], code=app.code())
    assert gone.status_code == 303
    assert (await fresh_sign_in(browser)).status_code == 303
    made = await send(browser, "tokens", name="admin", scopes="admin")
    token = re.search(r'<code id="token">([0-9a-f]{64})</code>', made.text)
    assert token
    await added(browser)
    by_token = {"Authorization": f"Token {token[1]}"}
    assert (await browser.http.delete("/second-factor/ada", headers=by_token)).status_code == 204
    assert (await browser.http.delete("/second-factor/ada", headers=by_token)).status_code == 404
    assert (await fresh_sign_in(browser)).status_code == 303


async def test_second_factors_are_off_until_an_operator_switches_them_on(cingulum: Cingulum) -> None:
    async with mounted({**cingulum.environment, **ADMIN}) as http:
        browser = Browser(http)
        await browser.sign_in()
        assert "Authenticator app" not in (await browser.get("/app/account")).text
        refused = await send(browser, "second-factor", password=LOGIN["password"])
        assert refused.status_code == 409


async def test_after_a_wrong_code_the_same_picture_is_shown_again(cingulum: Cingulum) -> None:
    issuer = {"CINGULUM_SECOND_FACTOR_ISSUER": "Institut für Hirn/Mäuse & Co. (A+B): 'x'"}
    async with mounted({**cingulum.environment, **ADMIN, **ON, **issuer}) as http:
        browser = Browser(http)
        await browser.sign_in()
        page = (await send(browser, "second-factor", password=LOGIN["password"])).text
        picture = re.search(r"<svg.*?</svg>", page, re.DOTALL)
        sent = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("secret", "uri")}
        assert picture
        fields = {name: unescape(value[1]) for name, value in sent.items() if value}
        again = await send(browser, "second-factor/confirm", code="000000", **fields)
        assert again.status_code == 400
        assert picture[0] in again.text
        assert (f'id="factor-secret">{fields["secret"]}<' in again.text, "incorrect" in again.text) == (
            True,
            True,
        )


async def test_only_an_address_of_our_own_making_is_drawn_or_shown_again(browser: Browser) -> None:
    """Drawing takes processor time that grows with the address; whoever looks at pages could send any."""
    await send(browser, "second-factor", password=LOGIN["password"])
    for uri in (
        "a" * 950_000,
        "otpauth://totp/Cingulum:ada?secret=GEZDGNBVGY3TQOJQ&issuer=" + "a" * 2_000,
        "otpauth://totp/Cingulum:ada?secret=AAAAAAAAAAAAAAAA&issuer=Cingulum",
        "otpauth://totp/é?secret=GEZDGNBVGY3TQOJQ&issuer=Cingulum",
        "javascript:alert(1)",
    ):
        fields = {"code": "000000", "secret": "GEZDGNBVGY3TQOJQ", "uri": uri}
        page = await send(browser, "second-factor/confirm", **fields)
        assert page.status_code == 400, uri[:100]
        assert "incorrect" in page.text
        assert "<svg" not in page.text.partition('id="factor-title"')[2], uri[:100]
        assert uri not in unescape(page.text), uri[:100]
        assert 'action="/app/account/second-factor"' in page.text  # from the beginning
