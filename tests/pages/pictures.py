"""Renew the pictures of the pages that README and docs show (`make pages`): a colony and a recording, in a browser."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, ViewportSize, async_playwright

from deploy.local.migrate import migrate
from deploy.local.servers import Postgres
from libs.common.migrate import Addresses
from libs.common.testing import settings_environment
from libs.common.testing.harness import SECRET
from tests.pages.conftest import ARGUMENTS, CHROMIUM
from tests.support.portal import LOGIN, Site, standing

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"


@dataclass(frozen=True)
class Picture:
    """One file: a page in a window of a size, scrolled to a heading if one is named."""

    name: str
    path: str
    window: tuple[int, int]
    scheme: Literal["light", "dark"] = "light"
    heading: str = ""


def pictures(site: Site) -> list[Picture]:
    """What is shown."""
    session = site.made["sessions"][1]["id"]
    animal, plots = "/app/subjects/KS014", "Weight and water"
    return [
        Picture("phone", animal, (320, 900), heading=plots),
        Picture("session", f"/app/sessions/{session}", (1280, 1000)),
        Picture("subject-dark", animal, (1280, 1000), "dark", plots),
    ]


async def take(browser: Browser, site: Site, picture: Picture) -> None:
    """Sign in, go to the page, and keep what the window shows."""
    width, height = picture.window
    page = await browser.new_page(
        viewport=ViewportSize(width=width, height=height), color_scheme=picture.scheme
    )
    await page.goto(f"{site.base_url}/app/login")
    await page.fill("#username", LOGIN["username"])
    await page.fill("#password", LOGIN["password"])
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/app/")
    await page.goto(site.base_url + picture.path)
    if picture.heading:
        await page.get_by_role("heading", name=picture.heading).evaluate("(e) => e.scrollIntoView()")
    await page.screenshot(path=FOLDER / f"{picture.name}.png")
    await page.close()


async def take_all(site: Site) -> None:
    """Every picture, one after the other."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in pictures(site):
            await take(browser, site, picture)
            print(f"docs/screenshots/{picture.name}.png")
        await browser.close()


def main() -> None:
    """A system of its own, gone when the pictures are taken."""
    if CHROMIUM is None:
        raise SystemExit("Chromium is missing: apt-get install chromium, or name one in CINGULUM_CHROMIUM")
    with Postgres.temporary() as postgres, tempfile.TemporaryDirectory() as home:
        asyncio.run(migrate(Addresses(postgres.admin_url, SECRET)))
        environment = settings_environment(
            postgres.admin_url, None, CINGULUM_HOME=home, CINGULUM_SWEEP_EVERY_S="0.5"
        )
        with standing(environment) as site:
            asyncio.run(take_all(site))


if __name__ == "__main__":
    main()
