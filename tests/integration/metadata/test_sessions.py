"""Sessions as rigs write them and as the ONE client searches them."""

from __future__ import annotations

import asyncio
from typing import Any

from libs.common.events import SessionCreated, SessionsDeleted
from tests.support.labs import Labs, a_registry, registered

LISTED = {"id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol"}
DETAIL = {
    "subject", "users", "location", "procedures", "lab", "projects", "type", "task_protocol", "number", "start_time",
    "end_time", "narrative", "parent_session", "n_correct_trials", "n_trials", "url", "extended_qc", "qc",
    "wateradmin_session_related", "data_dataset_session_related", "auto_datetime", "id", "json", "probe_insertion",
    "field_of_view", "notes",
}  # fmt: skip
DATASET = {
    "id", "name", "dataset_type", "data_url", "url", "file_size", "hash", "version", "collection", "revision",
    "default_revision", "qc",
}  # fmt: skip
INSERTION = {
    "id", "session", "model", "session_info", "name", "json", "serial", "auto_datetime", "chronic_insertion", "datasets"
}  # fmt: skip
MD5 = "900150983cd24fb0d6963f7d28e17f72"


async def test_a_rig_writes_a_session_and_the_client_reads_it_back(labs: Labs) -> None:
    await labs.animal()
    await labs.post("/locations", name="rig_1", lab="hilllab")
    await labs.project("maze", "ada")
    ada = labs.as_("ada")
    sent = {
        "subject": "KS001", "users": ["ada"], "location": "rig_1", "procedures": ["Behavior training/tasks"],
        "projects": ["maze"], "type": "Experiment", "task_protocol": "_iblrig_tasks_x6.4", "number": "001",
        "start_time": "2024-03-02 10:00:00", "end_time": "2024-03-02T11:00:00.5", "narrative": "calm", "qc": "warning",
        "n_trials": 500, "n_correct_trials": 450, "extended_qc": {"tip": 1.0}, "json": {"rig": "A"}, "colour": "red",
    }  # fmt: skip
    answer = await ada.post("/sessions", sent)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made.keys() == DETAIL
    assert made["number"] == 1
    assert (made["start_time"], made["end_time"]) == ("2024-03-02T10:00:00", "2024-03-02T11:00:00.500000")
    assert (made["qc"], made["lab"], made["location"]) == ("WARNING", "hilllab", "rig_1")
    assert made["url"] == f"http://cingulum.test/sessions/{made['id']}"
    assert "Alyx-API-Notice" not in answer.headers
    assert (await ada.get(f"/sessions/{made['id']}")).json() == made
    listed = (await ada.get("/sessions")).json()
    assert list(listed) == ["count", "next", "previous", "results"]
    assert listed["results"][0].keys() == LISTED
    told = await labs.metadata.published(SessionCreated)
    assert [str(event.session_id) for event in told] == [made["id"]]

    twin = await ada.post("/sessions", sent)
    assert twin.status_code == 201
    assert twin.headers["Alyx-API-Notice"].startswith("!!!1 other session")
    later = await ada.post("/sessions", sent | {"number": 2})
    assert "Alyx-API-Notice" not in later.headers

    # PUT is partial in spirit: absent fields keep their value; PATCH of json replaces it.
    put = await ada.put(f"/sessions/{made['id']}", {"subject": "KS001", "n_trials": 600})
    assert put.json() == made | {"n_trials": 600, "auto_datetime": put.json()["auto_datetime"]}
    patched = await ada.patch(f"/sessions/{made['id']}", {"json": {"b": 2}, "end_time": None, "users": []})
    assert (patched.json()["json"], patched.json()["end_time"]) == ({"b": 2}, None)
    assert patched.json()["users"] == []

    child = await ada.post("/sessions", sent | {"parent_session": made["url"], "number": 3})
    assert child.json()["parent_session"] == made["url"]


async def _found(labs: Labs, **query: Any) -> list[int]:
    return sorted(await labs.names("/sessions", "number", **query))


async def test_the_client_searches_sessions_in_its_own_ways(labs: Labs) -> None:
    for nickname in ("KS001", "ks002"):
        await labs.animal(nickname)
    await labs.post("/locations", name="_iblrig_7", lab="hilllab")
    for name in ("maze", "Maze two"):
        await labs.project(name, "ada")
    await labs.session(
        users=["ada", "bob"], projects=["maze"], task_protocol="_iblrig_ephysChoiceWorld", location="_iblrig_7",
        n_trials=100, n_correct_trials=80, qc=40, type="Experiment", procedures=["Histology"],
    )  # fmt: skip
    await labs.session(
        start_time="2024-03-03T23:59:59", number=2, users=["ada"], projects=["maze", "Maze two"]
    )
    third = await labs.session("ks002", start_time="2024-03-04T00:00:00", number=3, lab="coastlab")
    for query, numbers in (
        ({"subject": "ks001"}, [1, 2]),
        ({"nickname": "KS002"}, [3]),
        ({"number": "001"}, [1]),
        ({"subject": "KS001", "date_range": "2024-03-02,2024-03-02", "number": "001"}, [1]),
        ({"date_range": "2024-03-02,2024-03-03"}, [1, 2]),
        ({"date_range": "1677-09-21,2024-03-03"}, [1, 2]),
        ({"date_range": "2024-03-03,2262-04-11"}, [2, 3]),
        ({"lab": "HILLLAB"}, [1, 2]),
        ({"users": "ada"}, [1, 2]),
        ({"users": "ada,bob"}, [1]),
        ({"projects": "MAZE"}, [1, 2]),
        ({"project": "maze,two"}, [2]),
        ({"task_protocol": "ephyschoice"}, [1]),
        ({"task_protocol": "%"}, []),
        ({"location": "iblrig"}, [1]),
        ({"type": "experiment"}, [1]),
        ({"procedures": "histo"}, [1]),
        ({"histology": "histo"}, [1, 2]),
        ({"qc": "FAIL"}, [1]),
        ({"qc": "40"}, [1]),
        ({"performance_gte": "80"}, [1]),
        ({"performance_lte": "79.9"}, []),
        ({"id": third["id"]}, [3]),
        ({"favourite_colour": "red"}, [1, 2, 3]),
        ({"atlas_acronym": "VISp"}, []),
        ({"atlas_id": "385"}, []),
        ({"atlas_name": "visual"}, []),
    ):
        assert await _found(labs, **query) == numbers, query
    newest_first = await labs.names("/sessions", "number")
    assert newest_first == [3, 2, 1]


async def test_a_list_is_read_page_by_page_over_its_own_addresses(labs: Labs) -> None:
    await labs.animal()
    for number in range(1, 6):
        await labs.session(number=number)  # all at the same time: the order must still be total
    address, seen = "/sessions?subject=KS001&limit=2&django=number__gte,1", []
    while address:
        answer = (await labs.metadata.get(address, headers={"host": "lab.example.org:8443"})).json()
        assert answer["count"] == 5
        seen += [row["id"] for row in answer["results"]]
        address = (answer["next"] or "").removeprefix("http://lab.example.org:8443")
    assert len(set(seen)) == len(seen) == 5
    last = (await labs.metadata.get("/sessions?limit=2&offset=4")).json()
    assert last["next"] is None
    assert "offset=2" in last["previous"]
    assert (await labs.metadata.get("/sessions?limit=nonsense&offset=-1")).json()["count"] == 5
    behind = (await labs.metadata.get("/sessions?offset=99")).json()
    assert (behind["count"], behind["results"]) == (5, [])


async def test_the_detail_holds_what_servers_have_and_searches_by_file_see_it(labs: Labs) -> None:
    await labs.animal()
    made = await labs.session(number=7)
    probe = await labs.post("/insertions", session=made["id"], name="probe00", model="NP1", serial="18005")
    await labs.post("/water-administrations", subject="KS001", session=made["id"], water_administered=1.2)
    registry = await a_registry(labs)
    path = "KS001/2024-03-02/007"
    spikes, _, missing = await registered(
        registry, path,
        "alf/probe00/#2024-05-01#/spikes.times.npy", "alf/_ibl_trials.table.pqt", "alf/licks.times.npy",
        hashes=[MD5, MD5, MD5], filesizes=[10, 20, 30],
    )  # fmt: skip
    gone = {
        "path": path,
        "filenames": ["alf/camera.times.npy"],
        "name": "fileserver",
        "exists": False,
    }
    assert (await registry.post("/register-file", gone)).status_code == 201
    await registry.patch(f"/datasets/{missing['id']}", {"qc": "CRITICAL"})

    detail = (await labs.as_("ada").get(f"/sessions/{made['id']}")).json()
    files = {row["name"]: row for row in detail["data_dataset_session_related"]}
    assert files.keys() == {"spikes.times.npy", "_ibl_trials.table.pqt", "licks.times.npy"}
    row = files["spikes.times.npy"]
    assert row.keys() == DATASET
    assert row["data_url"] == (
        "http://files.example.org/hilllab/Subjects/KS001/2024-03-02/007/alf/probe00/#2024-05-01#/"
        f"spikes.times.{spikes['id']}.npy"
    )
    assert (row["hash"], row["file_size"], row["default_revision"], row["qc"]) == (MD5, 10, "True", "NOT_SET")
    assert row["revision"] == "2024-05-01"
    assert detail["wateradmin_session_related"][0].keys() == {
        "id",
        "name",
        "water_type",
        "water_administered",
    }
    nested = detail["probe_insertion"][0]
    assert nested.keys() == INSERTION
    assert nested["datasets"] == [spikes["id"]]
    assert nested["session_info"].keys() == LISTED

    listed = (
        await labs.metadata.get("/insertions", params={"subject": "KS001", "date": "2024-03-02"})
    ).json()
    assert [row["datasets"] for row in listed["results"]] == [[spikes["id"]]]
    one = (await labs.metadata.get(f"/insertions/{probe['id']}")).json()
    assert one.keys() == INSERTION
    assert [found["data_url"] for found in one["datasets"]] == [row["data_url"]]

    for query, count in (
        ({"datasets": "spikes.times.npy"}, 1),
        ({"datasets": "spikes.times.npy,_ibl_trials.table.pqt"}, 1),
        ({"datasets": "spikes.times.npy,camera.times.npy"}, 0),
        ({"datasets": "licks.times.npy"}, 0),
        ({"datasets": "licks.times.npy", "dataset_qc_lte": "CRITICAL"}, 1),
        ({"dataset_types": "spikes.times,camera.times"}, 1),
        ({"dataset_qc_lte": "PASS"}, 1),
        ({"tag": "paper"}, 0),
    ):
        assert (await labs.metadata.get("/sessions", params=query)).json()["count"] == count, query
    for query, count in (
        ({"datasets": "spikes.times.npy"}, 1),
        ({"datasets": "_ibl_trials.table.pqt"}, 0),
        ({"dataset_types": "spikes.times"}, 1),
        ({"name": "probe00", "session": made["id"]}, 1),
        ({"experiment_number": "007", "lab": "hilllab", "serial": "1800", "model": "NP1"}, 1),
    ):
        assert (await labs.metadata.get("/insertions", params=query)).json()["count"] == count, query


async def test_a_deleted_session_is_gone_everywhere(labs: Labs) -> None:
    await labs.animal()
    made = await labs.session()
    probe = await labs.post("/insertions", session=made["id"], name="probe00")
    assert (await labs.as_("ada").delete(f"/sessions/{made['id']}")).status_code == 204
    for path in (f"/sessions/{made['id']}", f"/insertions/{probe['id']}"):
        assert (await labs.metadata.get(path)).status_code == 404
    for path in ("/sessions", "/insertions"):
        assert (await labs.metadata.get(path)).json()["count"] == 0
    assert (await labs.metadata.patch(f"/sessions/{made['id']}", {"number": 2})).status_code == 404
    refused = await labs.metadata.post("/insertions", {"session": made["id"], "name": "probe01"})
    assert refused.json()["session"] == [f"Object with pk={made['id']} does not exist."]
    assert len(await labs.metadata.published(SessionsDeleted)) == 1
    assert "Alyx-API-Notice" not in (await labs.metadata.post("/sessions", _again())).headers


def _again() -> dict[str, Any]:
    return {"subject": "KS001", "start_time": "2024-03-02T10:00:00", "number": 1}


async def test_times_mean_the_clock_of_the_lab_and_an_offset_is_exact(labs: Labs) -> None:
    await labs.animal()
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    for subject, sent, said, instant in (
        ("KS001", "2024-07-09T12:34:56", "2024-07-09T12:34:56", "11:34:56"),
        ("KS001", "2024-07-09T12:34:56.789+02:00", "2024-07-09T10:34:56.789000", "10:34:56"),
        ("KS001", "2024-07-09T00:30:00Z", "2024-07-09T00:30:00", "00:30:00"),
        ("KS001", "2024-07-09", "2024-07-09T00:00:00", "23:00:00"),
        (
            "KS001",
            "2024-10-27T01:30:00",
            "2024-10-27T01:30:00",
            "00:30:00",
        ),  # happens twice: the first is meant
        ("KS001", "2024-03-31T01:30:00", "2024-03-31T01:30:00", "01:30:00"),  # does not happen
        ("NY001", "2024-07-09T12:34:56", "2024-07-09T12:34:56", "16:34:56"),
    ):
        made = await labs.session(subject, start_time=sent)
        assert made["start_time"] == said
        view = "SELECT start_at FROM metadata.published_sessions_v1 WHERE id = :id"
        assert (await _instant(labs, view, made["id"])).strftime("%H:%M:%S") == instant, sent
    away = await labs.session("KS001", start_time="2024-07-09T12:00:00", lab="coastlab", number=9)
    assert (await _instant(labs, view, away["id"])).hour == 16
    for bad in ("yesterday", "2024-13-01", "2024-03-02T25:00:00", "0001-01-01T00:00:00+14:00", ""):
        answer = await labs.metadata.post("/sessions", _again() | {"start_time": bad})
        assert answer.status_code == (400 if bad else 201), bad
    backwards = await labs.metadata.post("/sessions", _again() | {"end_time": "2024-03-02T09:00:00"})
    assert "end_time" in backwards.json()


async def _instant(labs: Labs, statement: str, which: str) -> Any:
    import sqlalchemy as sa

    async with labs.metadata.app.state.database.read() as read:
        return await read.scalar(sa.text(statement), {"id": which})


async def test_what_a_body_names_must_be_there(labs: Labs) -> None:
    await labs.animal()
    for said, field, text in (
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
    ):
        answer = await labs.metadata.post("/sessions", _again() | said)
        assert answer.status_code == 400, (said, answer.text)
        assert text in answer.json()[field][0], answer.text
    nothing = await labs.metadata.post("/sessions", {})
    assert nothing.json()["subject"] == ["This field is required."]
    assert (await labs.metadata.get("/sessions")).json()["count"] == 0


async def test_a_probe_has_one_name_in_a_session_also_when_two_write_at_once(labs: Labs) -> None:
    await labs.animal()
    made = await labs.session()
    body = {"session": made["id"], "name": "probe00"}
    answers = await asyncio.gather(*(labs.as_("ada").post("/insertions", body) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409]
    other = await labs.session("KS001", number=2)
    moved = next(a for a in answers if a.status_code == 201).json()
    answer = await labs.as_("ada").patch(
        f"/insertions/{moved['id']}", {"session": other["id"], "serial": "1"}
    )
    assert (answer.json()["session"], answer.json()["serial"]) == (other["id"], "1")
    assert (await labs.as_("ada").delete(f"/insertions/{moved['id']}")).status_code == 204
    assert (await labs.as_("ada").get(f"/insertions/{moved['id']}")).status_code == 404
