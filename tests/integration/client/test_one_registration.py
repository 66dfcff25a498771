"""What ONE's registration client does on a rig: sessions from folders, files of them, weights and water."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from one.alf.exceptions import ALFError, AlyxSubjectNotFound
from one.registration import RegistrationClient

from tests.integration.client.conftest import LAB, Lab


@pytest.fixture
def client(lab: Lab) -> RegistrationClient:
    return lab.registration


def written(folder: Path, *names: str, text: str = "") -> list[Path]:
    """Files of a session, each with its name as its bytes."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + path.name)
    return paths


def names(paths: Iterable[Path]) -> list[str]:
    return sorted(path.name for path in paths)


def test_a_new_session_takes_the_next_number_of_its_day(lab: Lab, client: RegistrationClient) -> None:
    subject = lab.subject("NS1")
    first, eid = client.create_new_session(subject, lab.root, date="2020-01-05", projects=["maze"])
    assert first == lab.root / subject / "2020-01-05" / "001"
    second, other = client.create_new_session(subject, lab.root, date=date(2020, 1, 5), register=False)
    assert (second.name, other, second.is_dir()) == ("002", None, True)
    third, _ = client.create_new_session(
        subject, lab.root, date=datetime.fromisoformat("2020-01-05T09:30:00")
    )
    shown = lab.alyx.rest("sessions", "read", id=str(eid), no_cache=True)
    assert (shown["number"], shown["lab"], shown["projects"]) == (1, LAB, ["maze"])
    assert sorted(row["number"] for row in lab.list("sessions", subject=subject)) == [1, 3]
    assert lab.one.path2eid(third, query_type="remote") is not None
    assert lab.one.eid2path(eid, query_type="remote").relative_to(lab.one.cache_dir) == first.relative_to(
        lab.root.parents[1]
    )
    with pytest.raises(AlyxSubjectNotFound):
        client.create_new_session("NOBODY", lab.root)
    assert not (lab.root / "NOBODY").exists()


def test_a_registered_folder_is_one_session_with_all_that_is_known(
    lab: Lab, client: RegistrationClient
) -> None:
    folder = lab.root / lab.subject("RS1") / "2020-02-03" / "001"
    written(folder, "alf/spikes.times.npy", "alf/spikes.clusters.npy", "alf/notes.txt", "raw.flag")
    known: dict[str, Any] = {"n_trials": 120, "n_correct_trials": 70, "location": "rig_1", "projects": "maze"}
    known |= {"task_protocol": "_iblrig_tasks_training", "narrative": "quiet", "json": {"IS_MOCK": False}}
    times = {"start_time": "2020-02-03T10:00:00", "end_time": datetime.fromisoformat("2020-02-03T11:00:00")}
    session, records = client.register_session(folder, procedures="Behavior training/tasks", **known, **times)
    assert {name: session[name] for name in known} == known | {"projects": ["maze"]}
    assert (session["lab"], session["end_time"]) == (LAB, "2020-02-03T11:00:00")
    assert (session["procedures"], session["type"]) == (["Behavior training/tasks"], "Experiment")
    assert sorted(record["name"] for record in records) == ["spikes.clusters.npy", "spikes.times.npy"]
    again, nothing = client.register_session(folder, users=["bob"], file_list=False, n_trials=130)
    assert (again["url"], again["users"], nothing) == (session["url"], ["bob"], None)
    assert (again["n_trials"], again["narrative"], again["location"]) == (130, "quiet", "rig_1")


def test_a_folder_that_contradicts_what_is_stated_is_no_session(lab: Lab, client: RegistrationClient) -> None:
    folder = lab.root / lab.subject("RS2") / "2020-02-03" / "001"
    folder.mkdir(parents=True)
    with pytest.raises(ValueError, match="does not match lab name"):
        client.register_session(folder, lab="valelab")
    with pytest.raises(AssertionError):
        client.register_session(folder, start_time="2020-02-04T10:00:00")
    with pytest.raises(ALFError, match="nobody"):
        client.register_session(folder, users="nobody")
    for refused in ({"task_protocol": 3}, {"location": "the moon"}, {"n_trials": -1}):
        with pytest.raises(requests.HTTPError) as error:
            client.register_session(folder, **refused)
        assert (error.value.errno, next(iter(refused)) in str(error.value)) == (400, True)
    assert lab.list("sessions", subject="RS2") == []


def test_folders_with_a_flag_become_sessions(lab: Lab, client: RegistrationClient) -> None:
    folder = lab.root / lab.subject("FL1") / "2020-02-04"
    written(folder, "001/create_me.flag", "002/create_me.flag", "003/other.flag", "002/alf/spikes.times.npy")
    client.create_sessions(folder, dry=True)
    assert lab.list("sessions", subject="FL1") == []
    paths, sessions = client.create_sessions(folder)
    assert sorted(path.name for path in paths) == ["001", "002"]
    assert sorted(session["number"] for session in sessions) == [1, 2]
    assert names(folder.rglob("*.flag")) == ["other.flag"]
    assert lab.list("datasets", subject="FL1") == []


def test_find_files_lists_those_of_known_types(lab: Lab, client: RegistrationClient) -> None:
    folder = lab.root / "FF1" / "2020-02-05" / "001"
    right = ("alf/spikes.times.npy", "alf/#2020-03-01#/spikes.times.npy", "alf/_ibl_wheel.position.npy")
    rig = ("raw_behavior_data/_iblrig_taskData.raw.jsonable", "raw_video_data/_iblrig_leftCamera.raw.mp4")
    wrong = ("alf/spikes.times.xyz", "alf/nothing.known.npy", "alf/spikes_times.npy", "session.flag")
    written(folder, *right, *rig, *wrong)
    assert names(client.find_files(folder)) == names(folder / name for name in (*right, *rig))


def test_files_are_registered_in_order_with_size_hash_and_revision(
    lab: Lab, client: RegistrationClient
) -> None:
    folder, eid = client.create_new_session(lab.subject("RF1"), lab.root, date="2020-02-06")
    files = written(folder, "alf/spikes.times.npy", "alf/nothing.known.npy", "alf/#x1#/spikes.amps.npy")
    (body,) = client.register_files(files, dry=True)
    assert (body["path"], body["filenames"]) == (
        "RF1/2020-02-06/001",
        ["alf/spikes.times.npy", "alf/#x1#/spikes.amps.npy"],
    )
    assert lab.list("datasets", session=str(eid)) == []
    times, unknown, amps = client.register_files(files, versions=["2.1", "2.2"], repository="rig_pc")
    assert (times["collection"], times["revision"], unknown, amps["revision"]) == ("alf", "", None, "x1")
    assert (times["session"], times["subject"], times["qc"]) == (str(eid), "RF1", 0)
    shown = lab.alyx.rest("datasets", "read", id=times["id"], no_cache=True)
    assert (shown["file_size"], shown["version"]) == (files[0].stat().st_size, "2.1")
    assert shown["hash"] == hashlib.md5(files[0].read_bytes(), usedforsecurity=False).hexdigest()
    exists = {each["data_repository"]: each["exists"] for each in shown["file_records"]}
    assert exists == {"central": False, "rig_pc": True}
    alone = client.register_files(files[0], repository="rig_pc", versions="3")
    assert (alone["id"], alone["file_records"]) == (times["id"], times["file_records"])
    assert lab.alyx.rest("revisions", "read", id="x1", no_cache=True)["name"] == "x1"
    with pytest.raises(requests.HTTPError, match="nowhere"):
        client.register_files(files, repository="nowhere")


def test_only_one_revision_of_a_file_is_the_default(lab: Lab, client: RegistrationClient) -> None:
    folder, _ = client.create_new_session(lab.subject("DR1"), lab.root, date="2020-02-06")
    files = written(folder, "alf/spikes.times.npy", "alf/#r1#/spikes.times.npy", "alf/#r2#/spikes.times.npy")
    ids = [client.register_files(file, default=n < 2)["id"] for n, file in enumerate(files)]
    shown = {row["id"]: row["default_dataset"] for row in lab.list("datasets", subject="DR1")}
    assert [shown[dataset_id] for dataset_id in ids] == [False, True, False]


def test_a_protected_file_is_registered_as_a_new_revision(lab: Lab, client: RegistrationClient) -> None:
    folder, _ = client.create_new_session(lab.subject("PR1"), lab.root, date="2020-02-07")
    free, fixed = files = written(folder, "alf/spikes.times.npy", "alf/spikes.amps.npy")
    records = client.register_files(files)
    lab.alyx.rest("tags", "create", data={"name": "paper", "protected": True})
    lab.alyx.rest("datasets", "partial_update", id=records[1]["id"], data={"tags": ["paper"]})
    status = client.check_protected_files(fixed)
    assert (status["status_code"], status["details"]) == (403, [{"alf/spikes.amps.npy": [{"": True}]}])
    assert client.check_protected_files([free])[0]["status_code"] == 200
    written(folder, "alf/spikes.times.npy", "alf/spikes.amps.npy", text="changed ")
    again = client.register_files(files)
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert [record["revision"] for record in again] == ["", today]
    assert (fixed.exists(), (fixed.parent / f"#{today}#" / fixed.name).exists()) == (False, True)
    assert again[0]["id"] == records[0]["id"]
    lab.alyx.rest("datasets", "partial_update", id=again[1]["id"], data={"tags": ["paper"]})
    written(folder, "alf/spikes.amps.npy", text="changed again ")
    assert client.register_files(fixed)["revision"] == f"{today}a", "a second one of the day"
    with pytest.raises(requests.HTTPError) as refused:
        lab.alyx.rest("datasets", "delete", id=records[1]["id"])
    assert refused.value.errno == 403


def test_weights_and_water_of_a_session(lab: Lab, client: RegistrationClient) -> None:
    subject = lab.subject("WW1")
    folder, eid = client.create_new_session(subject, lab.root, date="2020-02-08")
    weighing = client.register_weight(subject, 25.123456, date_time=date(2020, 2, 8), user="bob")
    assert (weighing["weight"], weighing["user"], weighing["date_time"]) == (
        25.12,
        "bob",
        "2020-02-08T00:00:00",
    )
    day = datetime.fromisoformat("2020-02-08T11:00:00")
    for n, session in enumerate((str(eid), eid, folder, lab.alyx.base_url + f"/sessions/{eid}")):
        water = client.register_water_administration(subject, 1 + n / 10, date_time=day, session=session)
        assert (water["session"], water["water_administered"]) == (str(eid), 1 + n / 10)
    shown = lab.alyx.rest("sessions", "read", id=str(eid), no_cache=True)["wateradmin_session_related"]
    assert len(shown) == 4
    sweet = client.register_water_administration(subject, 0.5, water_type="Hydrogel", adlib=True)
    assert (sweet["water_type"], sweet["adlib"], sweet["session"]) == ("Hydrogel", True, None)
    with pytest.raises(requests.HTTPError, match="Vodka"):
        client.register_water_administration(subject, 0.5, water_type="Vodka")
    with pytest.raises(AlyxSubjectNotFound):
        client.register_weight("NOBODY", 20)
    with pytest.raises(ALFError, match="nobody"):
        client.register_water_administration(subject, 0.5, user="nobody")
    with pytest.raises(ValueError, match="session ID"):
        client.register_water_administration(subject, 0.5, session=folder.parent / "009")


def test_what_exists_is_known_by_name_or_id(lab: Lab, client: RegistrationClient) -> None:
    session = lab.session(lab.subject("AE1"))
    assert client.assert_exists("AE1", "subjects")["nickname"] == "AE1"
    assert client.assert_exists(uuid.UUID(session["id"]), "sessions")["id"] == session["id"]
    assert [each["username"] for each in client.assert_exists(["bob", lab.alyx.user], "users")] == [
        "bob",
        lab.alyx.user,
    ]
    unknown = {
        "users": "nobody",
        "data-repository": "nothing",
        "sessions": uuid.uuid4(),
        "insertions": "probe00",
    }
    for endpoint, member in unknown.items():
        with pytest.raises(ALFError, match=str(member)):
            client.assert_exists(member, endpoint)


def test_a_picture_is_a_note_of_the_session(lab: Lab) -> None:
    session = lab.session(lab.subject("PI1"))["id"]
    data = {"user": "bob", "content_type": "session", "object_id": session, "text": "raster"}
    note = lab.alyx.rest("notes", "create", data=data | {"json": {"name": "raster"}})
    assert (note["image"], note["json"]) == (None, {"name": "raster"})
    search = f"object_id,{session},text,raster,json__name,raster"
    assert [row["id"] for row in lab.list("notes", django=search)] == [note["id"]]
    wrong = data | {"content_type": "probeinsertion", "json": json.dumps(None)}
    with pytest.raises(requests.HTTPError) as refused:
        lab.alyx.rest("notes", "create", data=wrong)
    assert refused.value.errno == 400
