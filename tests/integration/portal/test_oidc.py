"""People sign in by an identity provider as who they are here already, and nobody is created."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.support.gateway import mounted
from tests.support.portal import ADMIN, Browser
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider, a_provider
from tests.support.system import Cingulum


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with a_provider() as running:
        yield running


@pytest.fixture
async def browser(cingulum: Cingulum, provider: Provider) -> AsyncIterator[Browser]:
    settings = {
        "CINGULUM_OIDC_ISSUER": provider.issuer,
        "CINGULUM_LOG_LEVEL": "WARNING",
        "CINGULUM_OIDC_NAME": "Example University",
        "CINGULUM_OIDC_CLIENT_ID": CLIENT_ID,
        "CINGULUM_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "CINGULUM_OIDC_REDIRECT_URL": "http://cingulum.test:8000/app/login/oidc/callback",
    }
    async with mounted({**cingulum.environment, **ADMIN, **settings}) as http:
        browser = Browser(http)
        await browser.api("POST", "/users", {"username": "eve", "email": "eve@example.org"})
        yield browser


async def to_provider(browser: Browser) -> str:
    """Follow the button to the provider; the callback address to which it redirects."""
    page = await browser.get("/app/login?next=/app/sessions")
    assert "Sign in with Example University" in page.text
    out = await browser.get("/app/login/oidc?next=/app/sessions")
    assert out.status_code == 303
    async with httpx.AsyncClient() as elsewhere:
        back = await elsewhere.get(out.headers["location"])
    return str(back.headers["location"])


async def sign_in(browser: Browser) -> httpx.Response:
    return await browser.get(await to_provider(browser))


async def username(browser: Browser) -> str | None:
    answer = await browser.get("/me")
    return str(answer.json()["username"]) if answer.status_code == 200 else None


async def test_a_verified_address_signs_in_its_user(browser: Browser, provider: Provider) -> None:
    answer = await sign_in(browser)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/app/sessions"
    assert await username(browser) == "eve"
    browser.http.cookies.clear()
    provider.person = {"sub": "s-1", "email": "other@example.org", "email_verified": False}
    assert (await sign_in(browser)).status_code == 303, (
        "the subject is known from now on, whatever its address"
    )
    assert await username(browser) == "eve"


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "s-2", "email": "eve@example.org", "email_verified": False},
        {"sub": "s-2", "email": "eve@example.org"},
        {"sub": "s-2", "email": "nobody@example.org", "email_verified": True},
        {"sub": "s-2", "email": "root@example.org", "email_verified": True},
        {"sub": "s-2", "email": "twice@example.org", "email_verified": True},
        {"sub": "s-2", "email": "", "email_verified": True},
        {"sub": "s-2"},
    ],
    ids=["unverified", "not stated", "unknown", "an administrator", "of two", "empty", "none"],
)
async def test_a_person_without_a_certain_account_is_refused(
    browser: Browser, provider: Provider, person: dict[str, Any]
) -> None:
    await browser.api("PATCH", "/users/ada", {"email": "root@example.org"})
    for name in ("one", "two"):
        await browser.api("POST", "/users", {"username": name, "email": "twice@example.org"})
    before = (await browser.api("GET", "/users"))["count"]
    provider.person = person
    answer = await sign_in(browser)
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert await username(browser) is None
    assert (await browser.api("GET", "/users"))["count"] == before


async def test_an_administrator_signs_in_by_a_link_and_no_longer_without(
    browser: Browser, provider: Provider
) -> None:
    provider.person = {"sub": "s-9"}
    await browser.api("PUT", "/oidc/identities/ada", {"subject": "s-9"})
    assert (await sign_in(browser)).status_code == 303
    assert await username(browser) == "ada"
    browser.http.cookies.clear()
    await browser.api("DELETE", "/oidc/identities/ada")
    assert (await sign_in(browser)).status_code == 403


async def test_a_deactivated_user_stays_out(browser: Browser) -> None:
    assert (await sign_in(browser)).status_code == 303
    browser.http.cookies.clear()
    await browser.api("PATCH", "/users/eve", {"is_active": False})
    assert (await sign_in(browser)).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another sign-in"},
        {"aud": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1_000_000_000},
    ],
    ids=["nonce", "audience", "issuer", "expired"],
)
async def test_an_answer_that_is_not_for_this_sign_in_is_refused(
    browser: Browser, provider: Provider, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong
    assert (await sign_in(browser)).status_code == 400
    assert await username(browser) is None


async def test_a_signature_of_another_key_is_refused_and_a_new_key_is_fetched(
    browser: Browser, provider: Provider
) -> None:
    assert (await sign_in(browser)).status_code == 303
    browser.http.cookies.clear()
    old, provider.key = provider.key, RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False)
    provider.published = old
    assert (await sign_in(browser)).status_code == 400
    provider.published = None
    assert (await sign_in(browser)).status_code == 303


async def test_a_callback_counts_only_in_the_browser_that_started_it(browser: Browser) -> None:
    back = await to_provider(browser)
    cookies = dict(browser.http.cookies)
    browser.http.cookies.clear()
    assert (await browser.get(back)).status_code == 400, "no cookie: the callback of another browser"
    other = await to_provider(browser)
    assert (await browser.get(back)).status_code == 400, "the callback of another sign-in"
    assert (await browser.get(other)).status_code == 400, "the first refusal ended it"
    browser.http.cookies.clear()
    browser.http.cookies.update(cookies)
    assert (await browser.get(back)).status_code == 303
    browser.http.cookies.clear()
    browser.http.cookies.update(cookies)
    assert (await browser.get(back)).status_code == 400, "a code is good once"


async def test_without_a_provider_nothing_is_redirected(cingulum: Cingulum) -> None:
    async with mounted({**cingulum.environment, **ADMIN}) as http:
        assert "/app/login/oidc" not in (await http.get("/app/login")).text
        assert (await http.get("/app/login/oidc")).status_code == 404
        assert (await http.post("/oidc/start", json={})).status_code == 404
