"""Subjects: those at risk and due water come first."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

from tests.support.portal import Browser


async def test_the_start_page_shows_restricted_animals_and_the_latest_sessions(browser: Browser) -> None:
    page = (await browser.get("/app/")).text
    animals, _, latest = page.partition("Latest sessions")
    assert "KS014" in animals
    assert "VL003" not in animals
    assert browser.made["sessions"][2]["id"] in latest


async def test_subjects_at_risk_come_first_on_the_start_page(browser: Browser) -> None:
    for nickname, lab in (("AA_UNKNOWN", "hilllab"), ("AB_FINE", "hilllab")):
        await browser.api("POST", "/subjects", {"nickname": nickname, "lab": lab})
        now = datetime.now(UTC).isoformat(timespec="seconds")
        restriction = {"subject": nickname, "start_time": now, "reference_weight": 25.0}
        await browser.api("POST", "/water-restriction", restriction)
    await browser.api("POST", "/weighings", {"subject": "AB_FINE", "weight": 24.5})
    page = unescape((await browser.get("/app/")).text).partition("Latest sessions")[0]
    places = [page.index(text) for text in ("KS014", "At risk", "AA_UNKNOWN", "Unknown", "AB_FINE", "Fine")]
    assert places == sorted(places)
    assert "unknown until weighed" in page


async def test_what_was_fine_long_ago_is_not_fine_now(browser: Browser) -> None:
    await browser.api("POST", "/subjects", {"nickname": "LONG_AGO", "lab": "hilllab"})
    for path, more in (
        ("/weighings", {"weight": 24.5, "date_time": "2020-08-21T10:00:00"}),
        ("/water-restriction", {"reference_weight": 25.0, "start_time": "2020-08-20T10:00:00"}),
    ):
        await browser.api("POST", path, {"subject": "LONG_AGO", **more})
    page = (await browser.get("/app/subjects/LONG_AGO")).text
    assert "not weighed for" in page
    assert "Unknown" in page
    assert ">Fine<" not in page


async def test_subjects_are_listed_and_filtered(browser: Browser) -> None:
    page = (await browser.get("/app/subjects")).text
    assert "KS014" in page
    assert "VL003" in page
    page = (await browser.get("/app/subjects?lab=valelab&alive=true")).text
    assert "KS014" not in page
    assert "VL003" in page
    page = (await browser.get("/app/subjects?water_restricted=true")).text
    assert "Water due today" in page
    assert "VL003" not in page


async def test_a_subject_at_risk_is_shown_as_such_with_figures(browser: Browser) -> None:
    page = unescape((await browser.get("/app/subjects/KS014")).text)
    assert "At risk" in page
    assert "21.0 g is 84 % of the expected 25.0 g, below the lab's minimum of 21.2 g." in page
    assert page.count("<svg") >= 6, "weight and water, for a phone, a tablet and a screen"
    assert "KS014: weight" in page
    assert "0.5 mL in a session" in page or "0.50 mL in a session" in page
    for session in browser.made["sessions"][:2]:
        assert session["id"] in page
    assert browser.made["sessions"][2]["id"] not in page
    assert "<strong>open</strong>" in page


async def test_an_unknown_status_is_not_fine(browser: Browser) -> None:
    page = (await browser.get("/app/subjects/VL003")).text
    assert "Unknown" in page
    assert "a weighing is missing" in page
    assert "No weighing yet" in page


async def test_days_are_chosen_by_a_plain_form(browser: Browser) -> None:
    page = (await browser.get("/app/subjects/KS014?from=2020-08-22&to=2020-08-23")).text
    assert "3 weighings" not in page
    assert '<th scope="row">2020-08-23</th>' in page
    assert '<th scope="row">2020-08-24</th>' not in page
    wrong = await browser.get("/app/subjects/KS014?from=2020-08-22&to=soon")
    assert wrong.status_code == 400
    assert "is not a day" in wrong.text


async def test_the_page_of_a_missing_subject_explains_it(browser: Browser) -> None:
    answer = await browser.get("/app/subjects/nobody")
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert "Sign out" in answer.text


async def test_each_of_two_subjects_with_one_nickname_has_its_page(browser: Browser) -> None:
    await browser.api("POST", "/users", {"username": "vera"})
    made = []
    for lab, person in (("hilllab", "ada"), ("valelab", "vera")):
        body = {"nickname": "TWIN", "lab": lab, "responsible_user": person, "description": f"from {lab}"}
        made.append(await browser.api("POST", "/subjects", body))
    await browser.api("POST", "/sessions", {"subject": made[0]["id"], "task_protocol": "first of the two"})
    page = await browser.get("/app/subjects/TWIN")
    assert page.status_code == 300
    listed = (await browser.get("/app/subjects?nickname=TWIN")).text
    shown = [(await browser.get(f"/app/subjects/{subject['id']}")).text for subject in made]
    for subject in made:
        assert f"/app/subjects/{subject['id']}" in page.text
        assert f"/app/subjects/{subject['id']}" in listed
    assert ["from hilllab" in text for text in shown] == [True, False]
    assert ["first of the two" in text for text in shown] == [True, False]
