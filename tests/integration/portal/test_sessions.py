"""The list of sessions shows the rows of the API and filters without scripts."""

from __future__ import annotations

import re
from html import unescape

from tests.support.portal import Browser


async def test_the_list_shows_each_session_with_its_links(browser: Browser) -> None:
    page = (await browser.get("/app/sessions?from=2020-01-01")).text
    assert "1–3 of 3 sessions" in page
    for session in browser.made["sessions"]:
        assert f'href="/app/sessions/{session["id"]}"' in page
        assert session["task_protocol"] in page
    assert 'href="/app/subjects/KS014"' in page


async def test_a_plain_form_filters(browser: Browser) -> None:
    first, second, third = (session["id"] for session in browser.made["sessions"])
    for query, shown in (
        ("subject=ks014", {first, second}),
        ("lab=valelab", {third}),
        ("project=maze", {second, third}),
        ("task_protocol=choiceworld", {first, second}),
        ("search=vale", {third}),
        ("from=2020-08-23", {second, third}),
        ("to=2020-08-22&lab=", {first}),
        ("from=2020-08-23&to=2020-08-23", {second}),
    ):
        page = (await browser.get(f"/app/sessions?{query}")).text
        assert {session_id for session_id in (first, second, third) if session_id in page} == shown, query


async def test_the_filters_stay_in_the_form_and_in_the_snippet(browser: Browser) -> None:
    page = unescape((await browser.get("/app/sessions?subject=KS014&lab=hilllab&from=2020-08-22")).text)
    assert 'name="subject" value="KS014"' in page
    assert "<option selected>hilllab</option>" in page
    assert "one.search(subject='KS014', lab='hilllab', date_range=['2020-08-22', '2999-12-31'])" in page
    assert f"url, user = 'http://{browser.http.base_url.host}:{browser.http.base_url.port}', 'ada'" in page


async def test_facets_are_links_that_narrow_the_list(browser: Browser) -> None:
    page = unescape((await browser.get("/app/sessions?lab=hilllab")).text)
    assert "Narrow to" in page
    for address, count in _links(page).items():
        shown = (await browser.get(address)).text
        assert f"of {count} session" in shown, address
        assert "hilllab" in address
    chosen = unescape((await browser.get("/app/sessions?lab=hilllab&dataset_types=trials.table")).text)
    assert '<a href="/app/sessions?lab=hilllab">all' in chosen
    assert '<input type="hidden" name="dataset_types" value="trials.table">' in chosen


def _links(page: str) -> dict[str, int]:
    """Addresses of the facets that keep the filter of the lab, with their counts."""
    links = re.findall(
        r'<a href="(/app/sessions\?lab=hilllab&[^"]*)"[^>]*>[^<]*</a> <span class="quiet">\((\d+)\)', page
    )
    assert links
    return {address: int(count) for address, count in links}


async def test_an_invalid_filter_is_explained_beside_the_form(browser: Browser) -> None:
    answer = await browser.get("/app/sessions?from=yesterday")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'value="yesterday"' in answer.text


async def test_an_empty_result_explains_what_to_do(browser: Browser) -> None:
    assert "No matching sessions." in (await browser.get("/app/sessions?subject=nobody")).text


async def test_pages_keep_the_filters(browser: Browser) -> None:
    await browser.api("POST", "/labs", {"name": "pagelab", "timezone": "UTC"})
    await browser.api("POST", "/subjects", {"nickname": "PL1", "lab": "pagelab"})
    for n in range(52):
        body = {
            "subject": "PL1",
            "lab": "pagelab",
            "start_time": f"2019-01-01T10:{n:02d}:00",
            "number": n + 1,
        }
        await browser.api("POST", "/sessions", body)
    page = unescape((await browser.get("/app/sessions?lab=pagelab")).text)
    assert 'rel="next" href="/app/sessions?lab=pagelab&offset=50"' in page
    last = unescape((await browser.get("/app/sessions?lab=pagelab&offset=50")).text)
    assert "51–52 of 52 sessions" in last
    assert 'rel="prev" href="/app/sessions?lab=pagelab"' in last


async def test_sessions_of_one_day_and_number_are_marked(browser: Browser) -> None:
    await browser.api("POST", "/subjects", {"nickname": "TWICE", "lab": "hilllab"})
    body = {"subject": "TWICE", "number": 1}
    times = ("2021-03-02T10:00:00", "2021-03-02T11:00:00", "2021-03-03T10:00:00")
    first, second, other = [
        (await browser.api("POST", "/sessions", body | {"start_time": time}))["id"] for time in times
    ]
    listed = (await browser.get("/app/sessions?subject=TWICE")).text
    assert listed.count("same number") == 2
    page = (await browser.get(f"/app/sessions/{first}")).text
    assert f'href="/app/sessions/{second}"' in page
    assert f'href="/app/sessions/{other}"' not in page
    assert "the same day and number" not in (await browser.get(f"/app/sessions/{other}")).text
