"""The page of a session: datasets and copies, jobs with their reasons, figures of the trials."""

from __future__ import annotations

import json
from html import unescape
from uuid import uuid4

from tests.support.portal import Browser
from tests.support.waiting import attempts


async def shown(browser: Browser, path: str, *texts: str) -> str:
    """Wait until a page contains all texts: events take a moment."""
    page = ""
    async for _ in attempts():
        page = unescape((await browser.get(path)).text)
        if all(text in page for text in texts):
            return page
    raise AssertionError([text for text in texts if text not in page], page)


async def test_a_session_shows_files_jobs_and_figures(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", "KS014: choices, all trials", "job is over")
    for path in browser.made["files"]:
        assert f">{path.partition('/')[2]}</a>" in page, "each verified file can be downloaded"
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


async def test_each_job_shows_the_reason_of_its_state(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", "compress probe00")
    jobs = (await browser.api("GET", f"/jobs?session={session}"))["results"]
    for job in jobs:
        assert job["why"] in page
        assert f'href="/app/jobs/{job["id"]}"' in page
    assert '<svg class="graph"' in page
    job_page = unescape((await browser.get(f"/app/jobs/{jobs[0]['id']}")).text)
    assert jobs[0]["why"] in job_page
    assert "No worker has started it yet." in job_page or "Nothing was logged" in job_page


async def test_refreshing_the_jobs_without_a_change_is_empty(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = await shown(browser, f"/app/sessions/{session}", f"/app/sessions/{session}/jobs?mark=")
    address = page.partition('hx-get="')[2].partition('"')[0]
    assert (await browser.get(address)).status_code == 204
    other = await browser.get(f"/app/sessions/{session}/jobs?mark=other")
    assert other.status_code == 200
    assert "<html" not in other.text


async def test_an_empty_session_explains_what_is_missing(browser: Browser) -> None:
    session = browser.made["sessions"][0]["id"]
    page = (await browser.get(f"/app/sessions/{session}")).text
    for sentence in ("No figures yet.", "No jobs yet.", "No datasets yet.", "No probe insertions"):
        assert sentence in page


async def test_the_page_of_a_missing_session_explains_it(browser: Browser) -> None:
    for wrong in (str(uuid4()), "not-an-id"):
        answer = await browser.get(f"/app/sessions/{wrong}")
        assert answer.status_code == 404
        assert "Not found" in answer.text


async def test_the_page_answers_why_a_dataset_does_not_load(browser: Browser) -> None:
    session = browser.made["sessions"][1]["id"]
    page = unescape((await browser.get(f"/app/sessions/{session}?why=trial.table")).text)
    assert "No file of this session is registered as trial.table." in page
    assert 'name="why" value="trial.table"' in page
    assert "No file of this session is registered" not in (await browser.get(f"/app/sessions/{session}")).text
