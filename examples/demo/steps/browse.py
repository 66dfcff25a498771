"""Step 6: the pages that a user sees after signing in to the portal."""

from __future__ import annotations

import re

import httpx

from examples.demo.screen import check
from examples.demo.world import DAY_OF_RECORDING, SUBJECT, World

USER = "demo_experimenter"
CSRF = re.compile(r'name="csrf"[^>]*value="([^"]+)"')


def run(world: World) -> None:
    """Sign in with the form, then open the subject, the list of sessions and a session, as a browser does."""
    eid = world.eids[DAY_OF_RECORDING]
    with httpx.Client(base_url=world.login.base_url, follow_redirects=True, timeout=60) as browser:
        form = browser.get("/app/login").text
        token = CSRF.search(form)
        check(token is not None, "the log-in page has no form")
        sent = {
            "username": USER,
            "password": world.password_of(USER),
            "csrf": token[1] if token else "",
            "next": "/app/sessions",
        }
        _see(browser.post("/app/login", data=sent), SUBJECT)
        for path, words in (
            (f"/app/subjects/{SUBJECT}", (SUBJECT, "<svg")),
            (f"/app/sessions?subject={SUBJECT}", (SUBJECT, DAY_OF_RECORDING)),
            (
                f"/app/sessions/{eid}",
                (SUBJECT, "_ibl_trials.table.pqt", "psychometric fit", "P(right)", "<svg"),
            ),
        ):
            _see(browser.get(path), *words)
            world.screen.say(f"{world.login.base_url}{path}")


def _see(page: httpx.Response, *words: str) -> None:
    path = page.request.url.path
    check(page.status_code == 200, f"the page {path} answers {page.status_code}")
    missing = [word for word in words if word not in page.text]
    check(not missing, f"the page {path} does not show {', '.join(missing)}")
