"""Sessions: created by rigs, read and changed by clients, deleted."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
LISTED = {"id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol"}
DETAIL = {
    "subject", "users", "location", "procedures", "lab", "projects", "type", "task_protocol", "number", "start_time",
    "end_time", "narrative", "parent_session", "n_correct_trials", "n_trials", "url", "extended_qc", "qc",
    "wateradmin_session_related", "data_dataset_session_related", "auto_datetime", "id", "json", "probe_insertion",
    "field_of_view", "notes",
}  # fmt: skip
NOTICE = "Alyx-API-Notice"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(shared_labs: Labs) -> Labs:
    """The labs with a location and a project."""
    await shared_labs.post("/locations", name="rig_1", lab="hilllab")
    await shared_labs.project("maze", "ada")
    return shared_labs


@pytest_asyncio.fixture(loop_scope="module")
async def body(rig: Labs, nickname: str) -> dict[str, Any]:
    """A session with all its relations."""
    await rig.animal(nickname)
    return {
        "subject": nickname, "users": ["ada"], "location": "rig_1", "procedures": ["Behavior training/tasks"],
        "projects": ["maze"], "type": "Experiment", "task_protocol": "_iblrig_tasks_x6.4", "number": "001",
        "start_time": "2024-03-02 10:00:00", "end_time": "2024-03-02T11:00:00.5", "narrative": "calm", "qc": "warning",
        "n_trials": 500, "n_correct_trials": 450, "extended_qc": {"tip": 1.0}, "json": {"rig": "A"},
    }  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module")
async def session(rig: Labs, body: dict[str, Any]) -> dict[str, Any]:
    """The session as its creation by ada showed it."""
    response = await rig.as_("ada").post("/sessions", body)
    assert response.status_code == 201, response.text
    assert NOTICE not in response.headers
    created: dict[str, Any] = response.json()
    return created


async def test_a_created_session_is_shown_in_alyxs_form(session: dict[str, Any]) -> None:
    assert session.keys() == DETAIL
    assert session["number"] == 1
    assert (session["start_time"], session["end_time"]) == (
        "2024-03-02T10:00:00", "2024-03-02T11:00:00.500000"
    )  # fmt: skip
    assert (session["qc"], session["lab"], session["location"]) == ("WARNING", "hilllab", "rig_1")
    assert session["url"] == f"http://cingulum.test/sessions/{session['id']}"


async def test_a_session_reads_as_its_creation_showed_it(rig: Labs, session: dict[str, Any]) -> None:
    assert (await rig.as_("ada").get(f"/sessions/{session['id']}")).json() == session


async def test_a_list_shows_less_of_a_session(rig: Labs, session: dict[str, Any]) -> None:
    listed = (await rig.as_("ada").get("/sessions", params={"id": session["id"]})).json()
    assert list(listed) == ["count", "next", "previous", "results"]
    assert listed["results"][0].keys() == LISTED


@pytest.mark.parametrize(("limit", "offset", "n_shown"), [(10, 0, 3), (2, 0, 2), (2, 2, 1), (2, 9, 0)])
async def test_every_page_of_a_filtered_list_counts_all_its_rows(
    rig: Labs, body: dict[str, Any], limit: int, offset: int, n_shown: int
) -> None:
    for number in (1, 2, 3):
        await rig.post("/sessions", **body | {"number": number})
    page = await rig.metadata.get(f"/sessions?subject={body['subject']}&limit={limit}&offset={offset}")
    assert page.json()["count"] == 3
    assert len(page.json()["results"]) == n_shown


@pytest.mark.usefixtures("session")
async def test_a_notice_counts_sessions_of_the_same_day_and_number(rig: Labs, body: dict[str, Any]) -> None:
    response = await rig.as_("ada").post("/sessions", body)
    assert (response.status_code, response.headers[NOTICE][:19]) == (201, "!!!1 other session(")
    again = await rig.as_("ada").get(f"/sessions/{response.json()['id']}")
    assert again.headers[NOTICE] == response.headers[NOTICE]
    search = {"subject": body["subject"], "number": "001", "date_range": "2024-03-02,2024-03-02"}
    by_id = {"id": response.json()["id"]}
    for query in (by_id, search | {"limit": "1"}):
        listed = await rig.as_("ada").get("/sessions", params=query)
        assert listed.headers.get(NOTICE, "")[:21] == "!!!1 of these session", (query, listed.text)
    for query in (search, {"subject": body["subject"]}):
        listed = await rig.as_("ada").get("/sessions", params=query)
        assert (listed.json()["count"], listed.headers[NOTICE][:21]) == (2, "!!!2 of these session")
    path = f"/sessions/{response.json()['id']}"
    moved = await rig.as_("ada").patch(path, {"number": 2})
    alone = await rig.as_("ada").get("/sessions", params=search | {"number": "002"})
    assert all(NOTICE not in each.headers for each in (moved, alone))
    back = await rig.as_("ada").patch(path, {"number": 1})
    assert back.headers[NOTICE] == response.headers[NOTICE]


@pytest.mark.usefixtures("session")
async def test_another_number_gets_no_notice(rig: Labs, body: dict[str, Any]) -> None:
    assert NOTICE not in (await rig.as_("ada").post("/sessions", body | {"number": 2})).headers


async def test_put_keeps_what_it_does_not_name(rig: Labs, session: dict[str, Any]) -> None:
    change = {"subject": session["subject"], "n_trials": 600}
    changed = (await rig.as_("ada").put(f"/sessions/{session['id']}", change)).json()
    assert changed == session | {"n_trials": 600, "auto_datetime": changed["auto_datetime"]}


async def test_patch_replaces_json_and_lists_and_clears_by_null(rig: Labs, session: dict[str, Any]) -> None:
    change: dict[str, Any] = {"json": {"b": 2}, "end_time": None, "users": []}
    changed = (await rig.as_("ada").patch(f"/sessions/{session['id']}", change)).json()
    assert {name: changed[name] for name in change} == change


async def test_a_parent_is_named_by_its_address(
    rig: Labs, session: dict[str, Any], body: dict[str, Any]
) -> None:
    child = body | {"parent_session": session["url"], "number": 3}
    assert (await rig.as_("ada").post("/sessions", child)).json()["parent_session"] == session["url"]


@pytest_asyncio.fixture(loop_scope="module")
async def deleted(rig: Labs, session: dict[str, Any]) -> dict[str, str]:
    """The ids of a deleted session and of an insertion in it."""
    insertion = await rig.post("/insertions", session=session["id"], name="probe00")
    assert (await rig.as_("ada").delete(f"/sessions/{session['id']}")).status_code == 204
    return {"session": session["id"], "insertion": insertion["id"]}


async def test_a_deleted_session_and_its_insertions_answer_404(rig: Labs, deleted: dict[str, str]) -> None:
    for segment in ("session", "insertion"):
        assert (await rig.metadata.get(f"/{segment}s/{deleted[segment]}")).status_code == 404
        assert deleted[segment] not in await rig.names(f"/{segment}s")
    assert (await rig.metadata.patch(f"/sessions/{deleted['session']}", {"number": 2})).status_code == 404


async def test_nothing_is_added_to_a_deleted_session(rig: Labs, deleted: dict[str, str]) -> None:
    response = await rig.metadata.post("/insertions", {"session": deleted["session"], "name": "probe01"})
    assert response.json()["session"] == [f"Object with pk={deleted['session']} does not exist."]


@pytest.mark.usefixtures("deleted")
async def test_a_deleted_session_does_not_count_as_twin(rig: Labs, body: dict[str, Any]) -> None:
    assert NOTICE not in (await rig.metadata.post("/sessions", body)).headers


@pytest.mark.parametrize(
    ("lab", "sent", "shown", "instant"),
    [
        ("hilllab", "2024-07-09T12:34:56", "2024-07-09T12:34:56", "11:34:56"),
        ("hilllab", "2024-07-09T12:34:56.789+02:00", "2024-07-09T10:34:56.789000", "10:34:56"),
        ("hilllab", "2024-07-09T00:30:00Z", "2024-07-09T00:30:00", "00:30:00"),
        ("hilllab", "2024-07-09", "2024-07-09T00:00:00", "23:00:00"),
        (
            "hilllab",
            "2024-10-27T01:30:00",
            "2024-10-27T01:30:00",
            "00:30:00",
        ),  # happens twice: the first is meant
        ("hilllab", "2024-03-31T01:30:00", "2024-03-31T01:30:00", "01:30:00"),  # does not happen
        ("coastlab", "2024-07-09T12:34:56", "2024-07-09T12:34:56", "16:34:56"),
    ],
)
async def test_times_are_read_on_the_labs_clock_and_an_offset_is_exact(
    rig: Labs, nickname: str, lab: str, sent: str, shown: str, instant: str
) -> None:
    await rig.animal(nickname, lab=lab)
    created = await rig.session(nickname, start_time=sent)
    assert created["start_time"] == shown
    assert await _instant(rig, created["id"]) == instant


async def test_the_clock_is_that_of_the_lab_where_a_session_happens(rig: Labs, nickname: str) -> None:
    await rig.animal(nickname)
    created = await rig.session(nickname, start_time="2024-07-09T12:00:00", lab="coastlab")
    assert await _instant(rig, created["id"]) == "16:00:00"


async def _instant(labs: Labs, session_id: str) -> str:
    statement = sa.text("SELECT start_at FROM metadata.published_sessions_v1 WHERE id = :id")
    async with labs.metadata.app.state.database.read() as session:
        return f"{await session.scalar(statement, {'id': session_id}):%H:%M:%S}"


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"subject": "nobody"}, "subject", "Object with nickname=nobody does not exist."),
        ({"lab": "moonlab"}, "lab", "Object with name=moonlab does not exist."),
        ({"users": ["ada", "zed"]}, "users", "Object with username=zed does not exist."),
        ({"location": "cellar"}, "location", "Object with name=cellar does not exist."),
        ({"procedures": ["dance"]}, "procedures", "Object with name=dance does not exist."),
        ({"projects": ["dance"]}, "projects", "Object with name=dance does not exist."),
        ({"qc": "good"}, "qc", ""),
        ({"number": "1000"}, "number", ""),
        ({"n_trials": -1}, "n_trials", ""),
        ({"users": "ada"}, "users", ""),
        ({"parent_session": "nowhere"}, "parent_session", ""),
        ({"subject": None}, "subject", "This field may not be null."),
        ({"start_time": "yesterday"}, "start_time", ""),
        ({"start_time": "2024-13-01"}, "start_time", ""),
        ({"start_time": "2024-03-02T25:00:00"}, "start_time", ""),
        ({"start_time": "0001-01-01T00:00:00+14:00"}, "start_time", ""),
        ({"end_time": "2024-03-02T09:00:00"}, "end_time", "It ends before it starts."),
    ],
)
async def test_an_invalid_session_is_refused_by_field_and_not_created(
    rig: Labs, body: dict[str, Any], change: dict[str, Any], field: str, text: str
) -> None:
    response = await rig.metadata.post("/sessions", body | change)
    assert response.status_code == 400, response.text
    assert text in response.json()[field][0]
    assert await rig.names("/sessions", subject=body["subject"]) == []


async def test_an_empty_start_is_now(rig: Labs, body: dict[str, Any]) -> None:
    response = await rig.metadata.post("/sessions", body | {"start_time": "", "end_time": None})
    assert response.status_code == 201
