"""The pages in a real browser: on a phone and on a screen, with and without script, for eyes and for screen readers."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Browser, Page, ViewportSize

from tests.support.pages import page_paths
from tests.support.portal import LOGIN, Site
from tests.support.portal import Browser as PlainBrowser
from tests.support.public_releases import publish_one
from tests.support.waiting import attempts

# What axe would call serious: unnamed controls, skipped headings, doubled ids, missing landmarks or language.
FAULTS = """() => {
  const said = [];
  const all = (css) => [...document.querySelectorAll(css)];
  const labels = (e) => [...(e.labels || [])].map((label) => label.textContent).join("");
  const name = (e) => labels(e) || e.getAttribute("aria-label") || e.textContent.trim();
  for (const e of all("a[href], button, input:not([type=hidden]), select"))
    if (!name(e).trim()) said.push("no name: " + e.outerHTML);
  let level = 0;
  for (const e of all("h1, h2, h3, h4")) {
    if (+e.tagName[1] > level + 1) said.push("skips a level: " + e.textContent);
    level = +e.tagName[1];
  }
  if (all("h1").length !== 1) said.push("not one h1");
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) said.push("id twice: " + id);
  for (const css of ["header", "main", "footer", "html[lang]", "title"])
    if (!all(css).length) said.push("no " + css);
  for (const e of all("table")) if (!e.caption) said.push("no caption");
  for (const e of all("[aria-labelledby]"))
    for (const id of e.getAttribute("aria-labelledby").split(" "))
      if (!document.getElementById(id)) said.push("labelled by nothing: " + id);
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) said.push("wider than the window: " + wide);
  return said;
}"""


async def signed_in(page: Page, site: Site) -> None:
    """Sign in by keyboard, as the form leads."""
    await page.goto(f"{site.base_url}/app/login")
    # The first rendering focuses it, which may follow the load.
    await page.wait_for_function("document.activeElement.name === 'username'")
    await page.keyboard.type(LOGIN["username"])
    await page.keyboard.press("Tab")
    await page.keyboard.type(LOGIN["password"])
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/app/")


async def fetch_job_id(site: Site, session_id: str) -> str:
    """A job of a session, which its files bring about."""
    async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as http:
        token = (await http.post("/auth-token", json=LOGIN)).json()["token"]
        http.headers["Authorization"] = f"Token {token}"
        async for _ in attempts():
            if jobs := (await http.get("/jobs", params={"session": session_id})).json()["results"]:
                return str(jobs[0]["id"])
    raise AssertionError("the session has no job")


async def merge_two_of_three(site: Site, nickname: str) -> dict[str, str]:
    """Merge two of three sessions of one day and number; the merge."""
    async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as http:
        token = (await http.post("/auth-token", json=LOGIN)).json()["token"]
        http.headers["Authorization"] = f"Token {token}"
        await http.post("/subjects", json={"nickname": nickname, "lab": "hilllab"})
        body = {
            "subject": nickname,
            "number": 1,
            "start_time": "2018-03-02T10:00:00",
            "narrative": "long " * 30,
        }
        ids = [(await http.post("/sessions", json=body)).json()["id"] for _ in range(3)]
        merge = await http.post("/session-merges", json={"into": ids[0], "sessions": ids[1:2]})
        assert merge.status_code == 201, merge.text
        return dict(merge.json())


@pytest.mark.parametrize(("width", "dark"), [(320, False), (1280, True)])
async def test_every_page_fits_and_is_accessible(
    site: Site, chromium: Browser, width: int, dark: bool
) -> None:
    window = ViewportSize(width=width, height=900)
    page = await chromium.new_page(viewport=window, color_scheme="dark" if dark else "light")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{site.base_url}/app/login")
    assert await page.evaluate(FAULTS) == []
    await signed_in(page, site)
    session_id = site.made["sessions"][1]["id"]
    job_id = await fetch_job_id(site, session_id)
    merge = await merge_two_of_three(site, f"PAGE{width}")
    name = f"page{width}"
    async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as http:
        await publish_one(PlainBrowser(http), name)
    paths = page_paths(
        nickname="KS014", session_id=session_id, job_id=job_id, merge_id=merge["id"], name=name
    )
    for path in (*paths, f"/app/sessions/{merge['into']}/merge"):
        await page.goto(site.base_url + path)
        assert await page.evaluate(FAULTS) == [], path
    assert complaints == [], "scripts, styles and the content policy agree"


@pytest.mark.parametrize("width", [360, 1060, 1280])
async def test_the_account_page_breaks_no_address_and_no_day_and_cuts_no_token_and_no_table(
    site: Site, chromium: Browser, width: int
) -> None:
    page = await chromium.new_page(viewport=ViewportSize(width=width, height=900))
    await signed_in(page, site)
    await page.goto(f"{site.base_url}/app/account")
    await page.fill("#name", "a script")
    await page.click("text=Create the token")
    shown = page.locator("#token")
    assert await shown.evaluate("(e) => e.parentElement.scrollWidth <= e.parentElement.clientWidth")
    lines = await page.locator("td.when, td.address").evaluate_all(
        """(cells) => cells.map((cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            return new Set([...text.getClientRects()].map((one) => Math.round(one.top))).size;
        })"""
    )
    assert lines, "the browser that is signed in"
    assert max(lines) <= (1 if width == 360 else 2)  # the day, then the time of day
    fits = "(lists) => lists.every((one) => one.offsetWidth <= one.parentElement.clientWidth)"
    assert await page.locator(".list").evaluate_all(fits)


async def test_reading_filtering_and_signing_out_work_without_script(site: Site, chromium: Browser) -> None:
    page = await chromium.new_page(java_script_enabled=False)
    await signed_in(page, site)
    await page.goto(f"{site.base_url}/app/sessions")
    await page.fill("#task_protocol", "biased")
    await page.click("text=Filter")
    await page.wait_for_url("**task_protocol=biased**")
    assert "1 sessions" in await page.inner_text("#results") or "of 1" in await page.inner_text("#results")
    await page.click("text=Sign out")
    await page.wait_for_url("**/app/login")


async def test_with_script_the_list_filters_in_place(site: Site, chromium: Browser) -> None:
    page = await chromium.new_page()
    await signed_in(page, site)
    await page.goto(f"{site.base_url}/app/sessions")
    await page.select_option("#lab", "valelab")
    await page.wait_for_url("**lab=valelab**")
    await page.wait_for_function("!document.querySelector('#results').textContent.includes('KS014')")
    assert "VL003" in await page.inner_text("#results")


async def test_the_first_tab_offers_to_skip_to_the_content(site: Site, chromium: Browser) -> None:
    page = await chromium.new_page()
    await signed_in(page, site)
    await page.goto(f"{site.base_url}/app/sessions")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "content"
