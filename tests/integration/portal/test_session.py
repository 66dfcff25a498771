"""The page of a session: files and where they are proved to be, jobs and why they wait, what the trials show."""

from __future__ import annotations

import asyncio
import json
from html import unescape
from uuid import uuid4

from tests.support.portal import Browser


async def shown(browser: Browser, path: str, *wanted: str) -> str:
    """A page, as soon as it says all that is wanted: events take a moment."""
    page = ""
    for _ in range(40):
        page = unescape((await browser.get(path)).text)
        if all(text in page for text in wanted):
            return page
        await asyncio.sleep(0.1)
    raise AssertionError([text for text in wanted if text not in page], page)


async def test_a_session_shows_files_jobs_and_figures(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", "KS014: choices, all trials", "job is over")
    for path in browser.made["files"]:
        assert f">{path.partition('/')[2]}</a>" in page, "each proved file can be had"
    assert "lab_server: " in page
    assert page.count(">verified</span>") == 3
    assert "83.0 GB" in page
    for figure in ("KS014: choices, by block", "KS014: reaction times"):
        assert figure in page
    summary = json.loads(browser.made["files"]["alf/_cingulum_behaviour.summary.json"])
    assert f"<dd>{summary['n_trials']}</dd>" in page
    assert f"<dd>{100 * summary['performance']:.0f} %</dd>" in page
    assert "probe00" in page
    assert "18005105291" in page
    assert f"eid = '{session}'" in page


async def test_each_job_says_why_it_is_where_it_is(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", "compress probe00")
    jobs = (await browser.api("GET", f"/jobs?session={session}"))["results"]
    for job in jobs:
        assert job["why"] in page
        assert f'href="/app/jobs/{job["id"]}"' in page
    assert '<svg class="graph"' in page
    one = unescape((await browser.get(f"/app/jobs/{jobs[0]['id']}")).text)
    assert jobs[0]["why"] in one
    assert "No worker has taken it yet." in one or "Nothing was logged" in one


async def test_the_renewed_part_is_empty_while_nothing_changes(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", f"/app/sessions/{session}/jobs?seen=")
    address = page.partition('hx-get="')[2].partition('"')[0]
    assert (await browser.get(address)).status_code == 204
    other = await browser.get(f"/app/sessions/{session}/jobs?seen=other")
    assert other.status_code == 200
    assert "<html" not in other.text


async def test_an_empty_session_says_what_will_fill_it(browser: Browser) -> None:
    session = browser.made["sessions"][0]["id"]
    page = (await browser.get(f"/app/sessions/{session}")).text
    for sentence in ("No figure yet.", "No job yet.", "No dataset yet.", "No probe was inserted"):
        assert sentence in page


async def test_a_session_that_is_not_there_is_explained(browser: Browser) -> None:
    for wrong in (str(uuid4()), "not-an-id"):
        answer = await browser.get(f"/app/sessions/{wrong}")
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text
