"""Sessions of one day and number are compared, merged and separated again on pages, without script."""

from __future__ import annotations

from html import unescape
from typing import Any

import httpx

from tests.support.portal import Browser, csrf_of


async def _twins(browser: Browser, nickname: str) -> list[str]:
    """Two sessions of one day and number; the second one has a probe, a note and a narrative."""
    await browser.api("POST", "/subjects", {"nickname": nickname, "lab": "hilllab"})
    body = {"subject": nickname, "number": 1, "lab": "hilllab"}
    times = ("2018-03-02T10:00:00", "2018-03-02T11:00:00")
    first, second = [
        (await browser.api("POST", "/sessions", body | {"start_time": time}))["id"] for time in times
    ]
    await browser.api("PATCH", f"/sessions/{second}", {"narrative": "<b>second</b>"})
    await browser.api("POST", "/insertions", {"session": second, "name": "probe00"})
    await browser.api("POST", "/notes", {"content_type": "session", "object_id": second, "text": "calm"})
    return [str(first), str(second)]


async def _send(browser: Browser, path: str, **fields: Any) -> httpx.Response:
    page = await browser.get(f"/app/sessions/{path}")
    return await browser.http.post(f"/app/sessions/{path}", data={"csrf": csrf_of(page.text), **fields})


async def test_a_visitor_signs_in_first(stranger: Browser) -> None:
    [session, *_] = stranger.made["sessions"]
    path = f"/app/sessions/{session['id']}/merge"
    for answer in (await stranger.get(path), await stranger.http.post(path)):
        assert answer.headers["location"].startswith("/app/login")


async def test_a_form_of_another_site_is_refused(browser: Browser) -> None:
    first, second = await _twins(browser, "MERGE0")
    sent = {"into": first, "goes": second, "confirmed": "yes"}
    foreign = await browser.http.post(f"/app/sessions/{first}/merge", data=sent)
    assert foreign.status_code == 403
    assert (await browser.get(f"/app/sessions/{second}")).status_code == 200


async def test_sessions_are_compared_and_their_merge_previewed(browser: Browser) -> None:
    first, second = await _twins(browser, "MERGE1")
    page = unescape((await browser.get(f"/app/sessions/{second}")).text)
    assert f'href="/app/sessions/{second}/merge"' in page
    compared = (await browser.get(f"/app/sessions/{second}/merge")).text
    assert "&lt;b&gt;second&lt;/b&gt;" in compared
    assert compared.count('type="radio"') == 2
    assert "Merge them" not in compared
    preview = await _send(browser, f"{second}/merge", into=first, goes=[first, second])
    assert "Nothing was changed yet" in preview.text
    assert "1 insertion and 1 note" in preview.text
    assert "narrative" in preview.text
    assert (await browser.get(f"/app/sessions/{second}")).status_code == 200


async def test_sessions_are_merged_and_separated_again(browser: Browser) -> None:
    first, second = await _twins(browser, "MERGE3")
    done = await _send(browser, f"{second}/merge", into=first, goes=second, confirmed="yes")
    assert done.status_code == 303
    address = done.headers["location"]
    shown = (await browser.get(address)).text
    assert "1 insertion and 1 note moved to" in shown
    gone = await browser.get(f"/app/sessions/{second}")
    assert (gone.status_code, f"merged into {first}" in gone.text) == (404, True)
    assert "probe00" in (await browser.get(f"/app/sessions/{first}")).text
    undone = await browser.http.post(f"{address}/undo", data={"csrf": csrf_of(shown)})
    assert (undone.status_code, undone.headers["location"]) == (303, address)
    assert "Undone" in (await browser.get(address)).text
    assert "probe00" in (await browser.get(f"/app/sessions/{second}")).text


async def test_the_reason_of_a_refusal_is_shown_beside_the_sessions(browser: Browser) -> None:
    first, second = await _twins(browser, "MERGE2")
    await browser.api("POST", "/insertions", {"session": first, "name": "probe00"})
    refused = await _send(browser, f"{first}/merge", into=first, goes=second)
    assert refused.status_code == 409
    assert "Several of them have the insertion" in unescape(refused.text)
    nothing = await _send(browser, f"{first}/merge", into=first, goes=first)
    assert (nothing.status_code, 'role="alert"' in nothing.text) == (400, True)


async def test_a_session_without_twins_has_nothing_to_merge(browser: Browser) -> None:
    [session, *_] = browser.made["sessions"]
    page = await browser.get(f"/app/sessions/{session['id']}/merge")
    assert "No other session" in page.text
    assert "Compare and merge" not in (await browser.get(f"/app/sessions/{session['id']}")).text
