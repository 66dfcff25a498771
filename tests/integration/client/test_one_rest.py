"""What ONE's REST client does with records: create, list, read, update, delete, page and cache."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import requests
from one.webclient import AlyxClient

from tests.integration.client.conftest import LAB, Lab

READ_ONLY = {
    "brain-regions": "997",
    "data-formats": "npy",
    "dataset-types": "spikes.times",
    "labs": LAB,
    "locations": "rig_1",
    "projects": "maze",
    "users": "bob",
}


def status_of(error: pytest.ExceptionInfo[requests.HTTPError]) -> int:
    response = error.value.response
    assert response is not None
    return response.status_code


def test_the_client_finds_endpoints_actions_and_fields(lab: Lab) -> None:
    endpoints = lab.alyx.list_endpoints()
    assert {"sessions", "subjects", "notes", "channels", "water-restriction", "register-file"} <= set(
        endpoints
    )
    schemes = lab.alyx.rest_schemes
    every = ["create", "delete", "list", "partial_update", "read", "update"]
    assert schemes.actions("sessions") == every
    assert schemes.actions("weighings") == ["create", "delete", "list", "read"]
    assert schemes.actions("surgeries") == ["create", "list", "partial_update", "read", "update"]
    assert {"subject", "date_range", "django"} <= set(schemes.field_names("sessions", "list"))
    assert {"nickname", "birth_date"} <= set(schemes.field_names("subjects", "create"))
    with pytest.raises(ValueError, match='"mice" does not exist'):
        lab.alyx.rest("mice", "list")
    with pytest.raises(ValueError, match='"partial_update" for REST endpoint "weighings"'):
        lab.alyx.rest("weighings", "partial_update", id=str(uuid.uuid4()), data={"weight": 1})


@pytest.mark.parametrize(("endpoint", "name"), READ_ONLY.items())
def test_vocabularies_are_listed_and_read_by_name(lab: Lab, endpoint: str, name: str) -> None:
    record = lab.alyx.rest(endpoint, "read", id=name, no_cache=True)
    key = next(key for key in ("username", "name") if key in record)
    listed = lab.list(endpoint, **({"id": name} if endpoint == "brain-regions" else {}))
    assert record[key] in [row[key] for row in listed]
    assert lab.alyx.get(f"/{endpoint}/{name}", expires=False) == record


def test_an_animal_is_created_listed_changed_and_deleted(lab: Lab) -> None:
    data = {"nickname": "AN1", "lab": LAB, "birth_date": "2020-04-01", "projects": ["maze"]}
    made = lab.alyx.rest("subjects", "create", data=data)
    assert (made["sex"], made["responsible_user"], made["description"]) == ("U", lab.alyx.user, "")
    assert [row["id"] for row in lab.list("subjects", nickname="AN1")] == [made["id"]]
    changed = lab.alyx.rest("subjects", "partial_update", id="AN1", data={"death_date": "2021-01-01"})
    assert (changed["birth_date"], changed["alive"]) == ("2020-04-01", False)
    put = lab.alyx.rest("subjects", "update", id="AN1", data={"nickname": "AN1", "lab": LAB, "sex": "F"})
    assert (put["sex"], put["id"]) == ("F", made["id"])
    by_url = lab.alyx.rest("subjects", "read", id=made["url"], no_cache=True)
    assert by_url["projects"] == ["maze"]
    with pytest.raises(requests.HTTPError) as missing:
        lab.alyx.rest("subjects", "update", id="AN1", data={"nickname": "AN1"})
    assert (status_of(missing), "lab" in str(missing.value)) == (400, True)
    assert lab.alyx.rest("subjects", "delete", id="AN1") is None
    with pytest.raises(requests.HTTPError) as gone:
        lab.alyx.rest("subjects", "read", id="AN1", no_cache=True)
    assert status_of(gone) == 404


def test_a_session_is_created_listed_changed_and_deleted_with_its_task(lab: Lab) -> None:
    subject = lab.subject("SE1")
    made = lab.session(subject, start_time="2020-08-21T10:00:00", procedures=["Behavior training/tasks"])
    assert (made["lab"], made["qc"], made["task_protocol"], made["end_time"]) == (LAB, "NOT_SET", "", None)
    body = {"name": "Fit", "session": made["id"], "executable": "lab.Fit", "arguments": {"a": 1}}
    task = lab.alyx.rest("tasks", "create", data=body)
    (row,) = lab.list("sessions", id=made["id"])
    assert {"id", "url", "lab", "number", "projects", "start_time", "subject", "task_protocol"} <= row.keys()
    day = {"subject": subject, "date_range": ["2020-08-21", "2020-08-21"], "number": "001"}
    assert [row["id"] for row in lab.list("sessions", **day)] == [made["id"]]
    both = lab.list("sessions", id=made["id"], django=f"subject__nickname,{subject}")
    assert [row["id"] for row in both] == [made["id"]]
    assert lab.list("sessions", id=made["id"], django="subject__nickname,SE9") == []
    more: dict[str, Any] = {"qc": "PASS", "n_trials": 40, "end_time": "2020-08-21T11:00:00"}
    changed = lab.alyx.rest("sessions", "partial_update", id=made["url"], data=more)
    assert (changed["qc"], changed["n_trials"], changed["procedures"]) == ("PASS", 40, made["procedures"])
    put = lab.alyx.rest("sessions", "update", id=made["id"], data={"subject": subject, "narrative": "calm"})
    assert (put["narrative"], put["n_trials"], put["users"]) == ("calm", 40, made["users"])
    lab.alyx.rest("sessions", "delete", id=made["id"])
    assert lab.list("sessions", subject=subject) == []
    assert lab.list("tasks", id=task["id"]) == []


def test_a_long_list_is_fetched_page_by_page_in_one_order(lab: Lab) -> None:
    subject = lab.subject("PA1")
    for day in range(1, 8):
        lab.session(subject, start_time=f"2020-09-0{day}T10:00:00")
    all_at_once = lab.list("sessions", subject=subject)
    assert isinstance(all_at_once, list)
    paged = lab.list("sessions", subject=subject, limit=3)
    assert not isinstance(paged, list)
    assert len(paged) == 7
    assert [row["start_time"][8:10] for row in paged] == ["07", "06", "05", "04", "03", "02", "01"]
    assert list(paged) == all_at_once
    assert paged[-1] == all_at_once[-1]
    assert lab.list("sessions", subject=subject, limit=3, offset=5)[0] == all_at_once[5]
    whole = lab.alyx._generic_request(requests.get, f"/sessions?subject={subject}&limit=3&offset=3")
    assert (whole["count"], len(whole["results"])) == (7, 3)
    assert whole["next"].startswith(lab.alyx.base_url)


def test_json_fields_are_written_merged_and_emptied(lab: Lab) -> None:
    subject = lab.subject("JS1", json={"notes": 1})
    session = lab.session(subject)["id"]
    alyx = lab.alyx
    assert alyx.json_field_write("subjects", subject, "json", {"a": {"b": [1]}}) == {"a": {"b": [1]}}
    merged = alyx.json_field_update("subjects", subject, "json", {"c": None, "a": 2})
    assert merged == {"a": 2, "c": None}
    assert alyx.json_field_remove_key("subjects", subject, "json", "a") == {"c": None}
    assert alyx.json_field_remove_key("subjects", subject, "json", "zz") == {"c": None}
    assert alyx.json_field_delete("subjects", subject, "json") is None
    assert alyx.json_field_update("subjects", subject, "json", {"x": 1}) == {"x": 1}
    assert alyx.json_field_update("sessions", session, "extended_qc", {"dlc": 0.5}) == {"dlc": 0.5}
    assert [row["id"] for row in lab.list("sessions", extended_qc="dlc__gte,0.4", subject=subject)] == [
        session
    ]
    assert alyx.json_field_remove_key("sessions", session, "extended_qc", "dlc") == {}


def test_the_client_keeps_responses_until_cleared(lab: Lab, tmp_path: Any) -> None:
    subject = lab.subject("CA1")
    cached = AlyxClient(lab.alyx.base_url, lab.alyx.user, silent=True, cache_dir=tmp_path, cache_rest="GET")
    assert cached.rest("subjects", "read", id=subject)["description"] == ""
    lab.alyx.rest("subjects", "partial_update", id=subject, data={"description": "shy"})
    assert cached.rest("subjects", "read", id=subject)["description"] == ""
    assert cached.rest("subjects", "read", id=subject, no_cache=True)["description"] == "shy"
    assert cached.get(f"/subjects/{subject}", clobber=True, expires=timedelta(days=1))["description"] == "shy"
    lab.alyx.rest("subjects", "partial_update", id=subject, data={"description": "bold"})
    cached.clear_rest_cache()
    assert cached.rest("subjects", "read", id=subject)["description"] == "bold"


def test_water_and_weights_of_a_restricted_animal(lab: Lab) -> None:
    subject = lab.subject("WA1", birth_date="2020-04-01")
    day = "2021-03-04T09:00:00"
    weighing = lab.alyx.rest("weighings", "create", data={"subject": subject, "weight": 25, "date_time": day})
    assert (weighing["user"], weighing["date_time"]) == (lab.alyx.user, day)
    restriction = {"subject": subject, "start_time": day, "reference_weight": 25.0, "water_type": "Water"}
    lab.alyx.post("/water-restriction", data=restriction)
    (row,) = lab.list("water-restriction", subject=subject)
    assert row.keys() == {"reference_weight", "water_type", "subject", "start_time", "end_time"}
    assert (row["start_time"], row["end_time"]) == (day, None)
    assert subject in [shown["nickname"] for shown in lab.list("water-restricted-subjects")]
    water_body = {"subject": subject, "date_time": "2021-03-04T10:00:00", "water_administered": 0.5}
    water = lab.alyx.rest("water-administrations", "create", data=water_body)
    assert (water["water_type"], water["adlib"], water["user"]) == ("Water", False, lab.alyx.user)
    more = lab.alyx.rest("water-administrations", "partial_update", id=water["url"], data={"adlib": True})
    assert (more["adlib"], more["water_administered"]) == (True, 0.5)
    days = {"start_date": "2021-03-03", "end_date": "2021-03-04"}
    records = lab.alyx.rest(
        "water-requirement", "read", id=f"{subject}?start_date=2021-03-03&end_date=2021-03-04"
    )
    assert [record["date"] for record in records["records"]] == list(days.values())
    assert records["records"][1]["given_water_total"] == 0.5
    assert [shown["weight"] for shown in lab.list("weighings", nickname=subject)] == [25.0]
    lab.alyx.rest("weighings", "delete", id=weighing["url"])
    assert lab.list("weighings", nickname=subject) == []


def test_datasets_with_copies_and_downloads(lab: Lab) -> None:
    subject = lab.subject("DA1")
    session = lab.session(subject, start_time="2020-08-21T10:00:00")
    data = {
        "name": "spikes.times.npy",
        "dataset_type": "spikes.times",
        "data_format": "npy",
        "collection": "alf",
    }
    made = lab.alyx.rest("datasets", "create", data=data | {"session": session["url"], "file_size": 5})
    assert (made["hash"], made["version"], made["revision"], made["default_dataset"]) == ("", "", "", True)
    copy = {"dataset": made["url"], "data_repository": "rig_pc", "exists": True}
    path = f"{subject}/2020-08-21/001/alf/spikes.times.npy"
    record = lab.alyx.rest("files", "create", data=copy | {"relative_path": path})
    assert (record["exists"], record["relative_path"]) == (True, path)
    mismatch = lab.alyx.json_field_update("files", record["url"], "json", {"mismatch_hash": True})
    assert mismatch == {"mismatch_hash": True}
    (row,) = lab.list("files", django=f"dataset,{made['url'][-36:]},data_repository__globus_is_personal,True")
    assert row["json"] == {"mismatch_hash": True}
    (shown,) = lab.list("datasets", session=session["id"])
    assert [(shown["name"], [each["exists"] for each in shown["file_records"]])] == [(data["name"], [True])]
    logged = lab.alyx.post("/new-download", data={"user": lab.alyx.user, "datasets": made["url"][-36:]})
    assert (len(logged["download"]), logged["count"]) == (1, [1])
    assert [each["count"] for each in lab.list("downloads", dataset="spikes.times.npy")] == [1]


def test_insertions_with_a_trajectory_and_channels_of_one_call(lab: Lab) -> None:
    session = lab.session(lab.subject("IN1"))
    data = {"session": session["id"], "name": "probe00", "model": "3B2"}
    insertion = lab.alyx.rest("insertions", "create", data=data)
    place = {
        "x": -2000.0,
        "y": -1000.0,
        "z": -300.0,
        "depth": 4000.0,
        "theta": 10.0,
        "phi": 180.0,
        "roll": 0.0,
    }
    estimate = {"probe_insertion": insertion["id"], "provenance": "Ephys aligned histology track", **place}
    trajectory = lab.alyx.rest("trajectories", "create", data=estimate)
    channel = {"trajectory_estimate": trajectory["id"], "lateral": 11, "x": 1, "y": 2, "z": 3}
    regions = {20: 382, 40: 313}  # CA1, and the midbrain
    rows = [channel | {"axial": axial, "brain_region": region} for axial, region in regions.items()]
    made = lab.alyx.rest("channels", "create", data=rows)
    assert [(row["axial"], row["brain_region"]) for row in made] == list(regions.items())
    assert len(lab.list("channels", probe_insertion=insertion["id"])) == 2
    for filters in ({"atlas_acronym": "HPF"}, {"atlas_name": "Midbrain"}, {"atlas_id": 997}):
        assert [row["id"] for row in lab.list("insertions", **filters)] == [insertion["id"]], filters
    assert lab.list("insertions", atlas_acronym="TH") == []
    lab.alyx.rest("trajectories", "delete", id=trajectory["id"])
    assert lab.list("channels", probe_insertion=insertion["id"]) == []


def test_errors_carry_the_status_and_name_the_field(lab: Lab) -> None:
    lab.subject("ER1")
    bodies: dict[str, dict[str, Any]] = {
        "subject": {"subject": "nobody", "users": [lab.alyx.user]},
        "users": {"subject": "ER1", "users": ["nobody"]},
        "projects": {"subject": "ER1", "projects": ["nothing"]},
        "procedures": {"subject": "ER1", "procedures": ["juggling"]},
        "start_time": {"subject": "ER1", "start_time": "yesterday"},
    }
    for field, body in bodies.items():
        with pytest.raises(requests.HTTPError) as refused:
            lab.alyx.rest("sessions", "create", data=body)
        assert (status_of(refused), field in str(refused.value)) == (400, True), body
    missing_ids = ("sessions/not-a-uuid", f"sessions/{uuid.uuid4()}", "brain-regions/CA1", "subjects/nobody")
    for path in (*missing_ids, "users/nobody", "tasks/12", "insertions/probe00"):
        with pytest.raises(requests.HTTPError) as missing:
            lab.alyx.get(f"/{path}", expires=False)
        assert status_of(missing) == 404, path
