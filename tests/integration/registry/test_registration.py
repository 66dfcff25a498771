"""Registering files."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.common.events import FilesRegistered, ProofOrdered
from tests.support.lab import LAB, PATH, SUBJECT, Laboratory, files, made
from tests.support.statements import executed_statements
from tests.support.waiting import attempts

MD5, OTHER = "a" * 32, "b" * 32


async def test_files_become_datasets_with_a_record_in_each_repository_of_the_lab(lab: Laboratory) -> None:
    datasets = await lab.register(
        "alf/spikes.times.npy", "alf/probe00/#2020-01-01#/spikes.times.npy", hashes=[MD5, None]
    )
    plain, revised = datasets
    assert (plain["name"], plain["collection"], plain["revision"]) == ("spikes.times.npy", "alf", "")
    assert (revised["collection"], revised["revision"]) == ("alf/probe00", "2020-01-01")
    assert plain["dataset_type"] == "spikes.times"
    assert plain["data_format"] == "npy"
    assert (plain["subject"], plain["session"], plain["session_number"]) == (SUBJECT, lab.session_id, 1)
    assert plain["session_users"] == "ada"
    assert plain["default"] is True
    assert plain["qc"] == 0
    assert {(r["data_repository"], r["exists"]) for r in plain["file_records"]} == {
        ("central", False), ("lab_server", False), ("rig_pc", True),
    }  # fmt: skip
    assert {r["relative_path"] for r in plain["file_records"]} == {f"{PATH}/alf/spikes.times.npy"}


@pytest.mark.parametrize(
    ("values", "field"),
    [({"hashes": [MD5]}, "hashes"), ({"hashes": MD5}, "hashes"), ({"filesizes": [7]}, "filesizes")],
)
async def test_a_hash_or_size_is_that_of_one_file(
    lab: Laboratory, values: dict[str, object], field: str
) -> None:
    body = files("alf/spikes.times.npy", "alf/spikes.amps.npy", **values)
    refused = await lab.registry.post("/register-file", body)
    assert (refused.status_code, field in refused.json()) == (400, True)
    for_all = await lab.register(*body["filenames"], versions="1.2", qc="PASS")
    assert [(dataset["qc"], dataset["file_size"]) for dataset in for_all] == [(10, None)] * 2


async def test_a_registration_publishes_its_datasets(lab: Laboratory) -> None:
    datasets = await lab.register("alf/spikes.times.npy", "alf/spikes.clusters.npy")
    (event,) = await lab.registry.published(FilesRegistered)
    assert event.dataset_ids == [UUID(dataset["id"]) for dataset in datasets]
    assert event.user_id == lab.member.user_id


async def test_all_or_nothing_is_registered(lab: Laboratory) -> None:
    answer = await lab.registry.post("/register-file", files("alf/spikes.times.npy", "alf/no.such.zzz"))
    assert answer.status_code == 400
    assert "no.such.zzz" in str(answer.json()["filenames"])
    assert (await lab.registry.get("/check-protected", params=files("alf/spikes.times.npy"))).json()[
        "details"
    ] == []
    assert await lab.registry.published(FilesRegistered) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"path": f"{SUBJECT}/2001-01-01/001"}, "path"),
        ({"path": "nothing"}, "path"),
        ({"name": "nowhere"}, "name"),
        ({"labs": ["nolab"]}, "labs"),
        ({"created_by": "nobody"}, "created_by"),
        ({"hashes": [MD5, MD5]}, "hashes"),
        ({"filenames": []}, "filenames"),
        ({"filenames": ["alf/with space/spikes.times.npy"]}, "filenames"),
        ({"filenames": [f"{'c' * 256}/spikes.times.npy"]}, "filenames"),
        ({"filenames": [f"{'/'.join(['folder'] * 150)}/spikes.times.npy"]}, "filenames"),
        ({"qc": "SPLENDID"}, "qc.0"),
    ],
)
async def test_invalid_fields_are_named(lab: Laboratory, body: dict[str, object], field: str) -> None:
    answer = await lab.registry.post("/register-file", files("alf/spikes.times.npy") | body)
    assert answer.status_code == 400
    assert field in answer.json()


async def test_anonymous_callers_and_visitors_are_refused(lab: Laboratory) -> None:
    for caller in (None, lab.visitor):
        answer = await lab.registry.as_(caller).post("/register-file", files("alf/spikes.times.npy"))
        assert answer.status_code == 403


async def test_an_older_clients_texts_are_understood(lab: Laboratory) -> None:
    body = {
        "path": f"\\{SUBJECT}\\2019-12-10\\1\\alf", "filenames": "spikes.times.npy,spikes.clusters.npy",
        "hashes": f"{MD5},{OTHER}", "filesizes": "3,4", "hostname": "", "name": "rig_pc", "exists": "False",
        "qc": "PASS", "versions": "1.0", "projects": "hilllab",
    }  # fmt: skip
    datasets = (await lab.registry.post("/register-file", body)).json()
    assert [(d["name"], d["file_size"], d["qc"]) for d in datasets] == [
        ("spikes.times.npy", 3, 10),
        ("spikes.clusters.npy", 4, 10),
    ]
    assert not any(record["exists"] for dataset in datasets for record in dataset["file_records"])


KEYS = {
    "id", "name", "file_size", "subject", "created_by", "created_datetime", "dataset_type", "data_format", "session",
    "session_number", "session_users", "session_start_time", "collection", "revision", "default", "qc", "file_records",
}  # fmt: skip


async def test_a_form_is_understood_as_json_is(lab: Laboratory) -> None:
    body = {
        "path": PATH, "filenames": ["alf/spikes.times.npy", "alf/spikes.amps.npy"], "hashes": f"{MD5},{OTHER}",
        "name": "", "exists": "False", "default": "True", "server_only": "false", "qc": "30", "created_by": "eve",
    }  # fmt: skip
    answer = await lab.registry.request("POST", "/register-file", data=body)
    assert answer.status_code == 201, answer.text
    datasets = answer.json()
    assert [dataset.keys() for dataset in datasets] == [KEYS, KEYS]
    assert [(d["name"], d["qc"], d["created_by"]) for d in datasets] == [
        ("spikes.times.npy", 30, "eve"),
        ("spikes.amps.npy", 30, "eve"),
    ]
    shown = (await lab.registry.get(f"/datasets/{datasets[1]['id']}")).json()
    assert (shown["qc"], shown["hash"]) == ("WARNING", OTHER)
    query = {"path": PATH, "filenames": "alf/spikes.times.npy,alf/spikes.amps.npy"}
    check = await lab.registry.get("/check-protected", params=query)
    assert check.json() == {"status_code": 200, "details": []}
    refused = await lab.registry.request("POST", "/register-file", data={"path": PATH})
    assert (refused.status_code, "filenames" in refused.json()) == (400, True)


async def test_single_values_may_be_unknown(lab: Laboratory) -> None:
    datasets = await lab.register(
        "alf/spikes.times.npy", "alf/spikes.amps.npy", hashes=[None, MD5], filesizes=[None, 3],
        versions=[None, "1.2"], qc=[None, "PASS"], labs=None, created_by=None, hostname=None,
    )  # fmt: skip
    assert [(d["file_size"], d["qc"]) for d in datasets] == [(None, 0), (3, 10)]
    shown = [(await lab.registry.get(f"/datasets/{dataset['id']}")).json() for dataset in datasets]
    assert [(d["hash"], d["version"]) for d in shown] == [("", ""), (MD5, "1.2")]


async def test_server_only_leaves_personal_repositories_out(lab: Laboratory) -> None:
    admin = lab.metadata.caller
    unknown = await made(
        lab.registry.as_(admin), "/data-repository", {"name": "rig_2", "globus_is_personal": None}
    )
    assert unknown["globus_is_personal"] is None
    repositories = ["central", "lab_server", "rig_pc", "rig_2"]
    changed = await lab.metadata.patch(f"/labs/{LAB}", {"repositories": repositories})
    assert changed.status_code == 200, changed.text
    (dataset,) = await lab.register("alf/spikes.times.npy", server_only=True, name=None)
    assert [r["data_repository"] for r in dataset["file_records"]] == ["central"]
    (order,) = await lab.registry.published(ProofOrdered)
    assert [str(i) for i in order.copy_ids] == [dataset["file_records"][0]["id"]]


async def test_a_new_revision_becomes_the_default_one_unless_requested_otherwise(lab: Laboratory) -> None:
    (plain,) = await lab.register("alf/spikes.times.npy")
    (revised,) = await lab.register("alf/#2020-01-01#/spikes.times.npy")
    (silent,) = await lab.register("alf/#2020-02-02#/spikes.times.npy", default=False)
    assert [d["default"] for d in (plain, revised, silent)] == [True, True, False]
    (again,) = await lab.register("alf/spikes.times.npy", default=False)
    assert again["id"] == plain["id"]
    assert again["default"] is False


async def test_protected_files_are_refused_in_the_clients_format(lab: Laboratory) -> None:
    admin = lab.metadata.caller
    await made(lab.registry.as_(admin), "/tags", {"name": "2020-paper", "protected": True})
    (dataset, _) = await lab.register("alf/spikes.times.npy", "alf/spikes.clusters.npy")
    tagged = await lab.registry.as_(admin).patch(f"/datasets/{dataset['id']}", {"tags": ["2020-paper"]})
    assert tagged.status_code == 200, tagged.text
    await lab.register("alf/#2020-01-01#/spikes.times.npy")
    body = files("alf/spikes.times.npy", "alf/spikes.clusters.npy", "alf/spikes.amps.npy")
    details = [
        {"alf/spikes.times.npy": [{"2020-01-01": False}, {"": True}]},
        {"alf/spikes.clusters.npy": [{"": False}]},
        {"alf/spikes.amps.npy": []},
    ]
    check = await lab.registry.request("GET", "/check-protected", json=body)
    assert check.status_code == 200
    assert check.json() == {
        "status_code": 403, "error": "One or more datasets is protected", "details": details,
    }  # fmt: skip
    refused = await lab.registry.post("/register-file", body | {"check_protected": True})
    assert refused.status_code == 403
    assert refused.json()["error"] == "One or more datasets is protected"
    assert refused.json()["details"] == details
    assert (await lab.registry.post("/register-file", body)).status_code == 403
    free = files("alf/spikes.clusters.npy", "alf/spikes.amps.npy")
    check = await lab.registry.request("GET", "/check-protected", json=free)
    assert check.json()["status_code"] == 200


async def test_five_thousand_files_take_no_more_statements_than_two(lab: Laboratory) -> None:
    async def statements(n: int) -> int:
        """The number of statements to register files, and to register them again with other bytes."""
        names = [f"alf/p{i:04d}/spikes.times.npy" for i in range(n)]
        tables = ("registry.datasets", "registry.versions", "registry.copies")
        with executed_statements(lab.registry, *tables) as executed:
            for md5 in (MD5, OTHER):
                datasets = await lab.register(*names, hashes=[md5] * n, filesizes=[7] * n)
                assert [d["collection"] for d in datasets] == [name.rpartition("/")[0] for name in names]
        return len(executed)

    few = await statements(2)
    assert await statements(5_000) <= few + 10


async def test_the_user_of_a_registration_joins_the_session(lab: Laboratory) -> None:
    await lab.register("alf/spikes.times.npy")
    async for _ in attempts():
        session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
        if session["users"]:
            break
    assert session["users"] == ["ada"]


async def test_files_of_a_subject_belong_to_no_session(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()
    (dataset,) = await lab.register(
        "_ibl_subjectTrials.table.pqt", path="Subjects/hilllab/KS022", content_type="subject",
        object_id=subject["id"], name="central",
    )  # fmt: skip
    assert dataset["collection"] == "Subjects/hilllab/KS022"
    assert (dataset["content_type"], dataset["object_id"]) == ("subjects.subject", subject["id"])
    assert dataset["subject"] == SUBJECT
    assert not {name for name in dataset if name.startswith("session")}
