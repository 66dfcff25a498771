"""Releases: a public one needs no account, a draft shows what is missing, others do not exist."""

from __future__ import annotations

from html import unescape

from tests.support.portal import Browser
from tests.support.public_releases import publish_one


async def test_a_public_release_is_downloaded_checked_and_cited_without_an_account(stranger: Browser) -> None:
    authors = [{"name": "Hubel, David"}, {"name": "<script>alert(1)</script>"}]
    path = await publish_one(stranger, "open-data", authors=authors)
    await stranger.api("PATCH", "/releases/open-data", {"doi": "10.5281/zenodo.7"})
    page = unescape((await stranger.get("/app/releases/open-data")).text)
    assert "Hubel, David; <script>" in page
    assert "&lt;script&gt;" in (await stranger.get("/app/releases/open-data")).text
    for text in (
        'href="/releases/open-data/open-data.zip"',
        f'href="/releases/open-data/files/{path}"',
        f"cingulum release get {str(stranger.http.base_url).rstrip('/')}/releases/open-data",
        "https://doi.org/10.5281/zenodo.7",
        "What is missing",
    ):
        assert (text in page) == (text != "What is missing"), text
    (dataset,) = (await stranger.api("GET", "/releases/open-data/files"))["results"]
    pulled = {"dataset": dataset["dataset"], "reason": "wrong clock"}
    await stranger.api("POST", "/releases/open-data/pulled", pulled)
    page = (await stranger.get("/app/releases/open-data")).text
    assert "wrong clock" in page
    assert f'href="/releases/open-data/files/{path}"' not in page
    await stranger.api("POST", "/releases/open-data/withdraw", {"reason": "all of it"})
    page = (await stranger.get("/app/releases/open-data")).text
    assert "all of it" in page
    assert "open-data.zip" not in page


async def test_a_draft_shows_members_what_is_missing_and_others_sign_in_first(
    stranger: Browser, browser: Browser
) -> None:
    session = browser.made["sessions"][1]["id"]
    await browser.api("POST", "/releases", {"name": "draft-page", "title": "A draft", "sessions": [session]})
    page = (await browser.get("/app/releases/draft-page")).text
    assert "What is missing" in page
    assert f'href="/app/sessions/{session}"' in page
    listed = (await browser.get("/app/releases")).text
    assert 'href="/app/releases/draft-page"' in listed
    assert (await browser.get("/app/releases/none")).status_code == 404
    await browser.http.post("/app/logout")
    browser.http.cookies.clear()
    for address in ("/app/releases/draft-page", "/app/releases/none", "/app/releases"):
        to_sign_in = await browser.get(address)
        assert (to_sign_in.status_code, "/app/login" in to_sign_in.headers["location"]) == (303, True)
