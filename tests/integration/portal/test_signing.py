"""A visitor who is not signed in is redirected to sign in, and returns to the page they opened."""

from __future__ import annotations

import pytest

from libs.common.cookies import SESSION_COOKIE
from tests.support.portal import Browser, csrf_of


@pytest.mark.parametrize("path", ["/app/", "/app/sessions?lab=hilllab"])
async def test_an_unauthenticated_caller_signs_in_and_is_redirected_back(
    stranger: Browser, path: str
) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 303
    form = await stranger.get(answer.headers["location"])
    assert form.status_code == 200
    assert f'name="next" value="{path}"' in form.text
    signed = await stranger.sign_in(path)
    assert signed.headers["location"] == path


async def test_the_root_leads_to_the_pages(stranger: Browser) -> None:
    assert (await stranger.get("/")).headers["location"] == "/app/"
    assert (await stranger.get("/app")).headers["location"] == "/app/"


async def test_the_token_is_kept_where_no_script_and_no_other_site_reaches_it(stranger: Browser) -> None:
    answer = await stranger.sign_in()
    cookies = {text.partition("=")[0]: text.lower() for text in answer.headers.get_list("set-cookie")}
    assert "httponly" in cookies[SESSION_COOKIE]
    assert all("samesite=lax" in text for text in cookies.values())
    page = await stranger.get("/app/sessions")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_a_wrong_password_is_reported_and_the_name_stays_in_the_form(stranger: Browser) -> None:
    answer = await stranger.sign_in(password="battery staple", username='ada"<b>')
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'value="ada&#34;&lt;b&gt;"' in answer.text
    assert (await stranger.get("/app/sessions")).status_code == 303


async def test_a_form_of_another_site_cannot_sign_in_or_out(stranger: Browser) -> None:
    assert (await stranger.sign_in(csrf="forged")).status_code == 403
    await stranger.sign_in()
    assert (await stranger.http.post("/app/logout", data={})).status_code == 403
    assert (await stranger.get("/app/sessions")).status_code == 200


async def test_signing_in_never_leads_off_the_site(stranger: Browser) -> None:
    answer = await stranger.sign_in("//evil.example/app/")
    assert answer.headers["location"] == "/app/"


async def test_signing_out_forgets_the_cookie(stranger: Browser) -> None:
    await stranger.sign_in()
    page = await stranger.get("/app/sessions")
    answer = await stranger.http.post("/app/logout", data={"csrf": csrf_of(page.text)})
    assert answer.status_code == 303
    assert (await stranger.get("/app/sessions")).status_code == 303


async def test_a_part_of_a_page_sends_the_whole_browser_to_sign_in(stranger: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/app/sessions?lab=a"}
    answer = await stranger.get("/app/sessions", headers=headers)
    assert answer.headers["HX-Redirect"] == "/app/login?next=%2Fapp%2Fsessions%3Flab%3Da"


async def test_an_unknown_address_is_explained(stranger: Browser) -> None:
    answer = await stranger.get("/app/nobody")
    assert answer.status_code == 404
    assert "What you can do" in answer.text


async def test_assets_are_kept_by_browsers_until_they_change(stranger: Browser) -> None:
    page = (await stranger.get("/app/login")).text
    for name in ("portal.css", "figures.css", "htmx.min.js", "mark.svg"):
        address = next(part for part in page.split('"') if part.startswith(f"/app/static/{name}?v="))
        asset = await stranger.get(address)
        assert "immutable" in asset.headers["cache-control"]
        again = await stranger.get(address, headers={"If-None-Match": asset.headers["etag"]})
        assert again.status_code == 304
        assert not again.content
    assert "http" not in page.replace("http-equiv", "").partition("</head>")[0]
    assert (await stranger.get("/app/static/nothing.js")).status_code == 404
