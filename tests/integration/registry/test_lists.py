"""Lists of datasets and files: their filters, and what each caller sees."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from libs.common.permissions import Principal
from tests.support.lab import LAB, SUBJECT, Laboratory, a_session, made

MD5 = "a" * 32
FILES = ("alf/spikes.times.npy", "alf/probe00/spikes.times.npy", "alf/#2020-01-01#/spikes.times.npy")


async def names(lab: Laboratory, path: str, params: dict[str, Any]) -> list[str]:
    """The files in a list, by collection and revision."""
    answer = await lab.registry.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return sorted(f"{d['collection']}/{d['revision'] or ''}" for d in answer.json()["results"])


COUNTS: list[tuple[dict[str, str], int]] = [
    ({"subject": SUBJECT, "lab": LAB, "date": "2019-12-10", "experiment_number": "001"}, 3),
    ({"collection": "alf", "revision": "2020-01-01"}, 1),
    ({"exists": "perhaps"}, 3),
    ({"nonsense": "x"}, 3),
    ({"django": "dataset_type__name__in,['spikes.times', 'x']"}, 3),
    ({"django": "collection__icontains,probe"}, 1),
    ({"django": "session__subject__nickname,KS022,~revision__name,2020-01-01"}, 2),
    ({"django": "session__lab__name__in,['hilllab']"}, 3),
    ({"django": "session__isnull,True"}, 0),
    ({"django": "file_records__data_repository__name,rig_pc,file_records__exists,True"}, 3),
]
INVALID: list[dict[str, str]] = [
    {"id": "x"}, {"session": "x"}, {"qc": "SPLENDID"}, {"django": "password,x"}, {"django": "id,x"},
    {"date": "yesterday"}, {"experiment_number": "one"},
]  # fmt: skip


async def test_datasets_are_listed_by_filters_sent_together_and_by_related_objects(lab: Laboratory) -> None:
    await lab.register(*FILES, hashes=[MD5] * len(FILES))
    for params, n in COUNTS:
        assert len(await names(lab, "/datasets", params)) == n, params


async def test_invalid_filters_are_refused(lab: Laboratory) -> None:
    for params in INVALID:
        assert (await lab.registry.get("/datasets", params=params)).status_code == 400, params


async def test_files_can_be_listed_as_in_the_clients_mismatch_report(lab: Laboratory) -> None:
    (dataset,) = await lab.register("alf/spikes.times.npy", hashes=[MD5])
    params = {"django": f"dataset,{dataset['id']},data_repository__globus_is_personal,False"}
    (record,) = (await lab.registry.get("/files", params=params)).json()["results"]
    assert record["data_repository"] == "central"
    assert record["relative_path"] == "KS022/2019-12-10/001/alf/spikes.times.npy"
    whole = {"relative_path": record["relative_path"], "exists": "True"}
    assert (await lab.registry.get("/files", params=whole)).json()["count"] == 1


@pytest.mark.parametrize("number", ["1", "01", "001"])
async def test_a_path_finds_its_record_in_every_spelling_of_the_number(lab: Laboratory, number: str) -> None:
    await lab.register("alf/spikes.times.npy")
    path = f"KS022/2019-12-10/{number}/alf/spikes.times.npy"
    for params in (
        {"relative_path": path},
        {"django": f"relative_path,{path}"},
        {"django": f"relative_path__in,['{path}']"},
        {"django": f"relative_path__iexact,{path}"},
    ):
        assert (await lab.registry.get("/files", params=params)).json()["count"] == 3, params
    by_file = {"django": f"file_records__relative_path,{path}"}
    assert len(await names(lab, "/datasets", by_file)) == 1


async def test_pages_follow_each_other(lab: Laboratory) -> None:
    await lab.register(*(f"alf/p{i}/spikes.times.npy" for i in range(7)))
    first = (await lab.registry.get("/datasets", params={"limit": 3, "subject": SUBJECT})).json()
    assert (first["count"], len(first["results"])) == (7, 3)
    ids = [d["id"] for d in first["results"]]
    while first["next"]:
        first = (await lab.registry.get(first["next"].partition("cingulum.test")[2])).json()
        ids += [d["id"] for d in first["results"]]
    assert len(set(ids)) == 7


async def test_datasets_of_a_private_project_are_hidden_from_others(lab: Laboratory) -> None:
    await made(lab.metadata, "/projects", {"name": "secret", "users": ["eve"], "is_private": True})
    await made(lab.metadata, "/sessions", a_session(number=2, projects=["secret"]))
    body = {"path": f"{SUBJECT}/2019-12-10/002", "filenames": ["alf/spikes.times.npy"], "name": "rig_pc"}
    root = lab.registry.as_(lab.metadata.caller)
    (dataset,) = (await root.post("/register-file", body)).json()
    path = f"/datasets/{dataset['id']}"
    assert (await root.get(path)).status_code == 200
    for caller in (lab.member, Principal(uuid4(), "public", is_public=True)):
        assert (await lab.registry.as_(caller).get(path)).status_code == 404
        assert (await lab.registry.as_(caller).get("/copies")).json()["count"] == 0
    assert (await lab.registry.post("/register-file", body)).status_code == 400


async def test_public_readers_see_what_a_public_tag_covers(lab: Laboratory) -> None:
    await lab.register(*FILES)
    root, public = lab.registry.as_(lab.metadata.caller), Principal(uuid4(), "public", is_public=True)
    await made(root, "/tags", {"name": "open", "public": True})
    (dataset, *_) = (await root.get("/datasets", params={"collection": "alf/probe00"})).json()["results"]
    await root.patch(f"/datasets/{dataset['id']}", {"tags": ["open"]})
    shown = (await lab.registry.as_(public).get("/datasets")).json()["results"]
    assert [d["id"] for d in shown] == [dataset["id"]]
    assert shown[0]["public"] is True


async def test_datasets_of_a_deleted_session_are_gone(lab: Laboratory) -> None:
    await lab.register(*FILES)
    assert (await lab.metadata.delete(f"/sessions/{lab.session_id}")).status_code == 204
    assert await names(lab, "/datasets", {}) == []


@pytest.fixture
async def dataset(lab: Laboratory) -> dict[str, Any]:
    """A dataset that was created without a copy."""
    return await made(lab.registry, "/datasets", new_dataset(lab))


def new_dataset(lab: Laboratory) -> dict[str, Any]:
    return {
        "session": f"http://cingulum.test/sessions/{lab.session_id}", "name": "spikes.times.npy",
        "collection": "alf", "hash": MD5, "file_size": 3, "qc": "PASS",
    }  # fmt: skip


async def test_a_dataset_is_created_once_without_a_copy(lab: Laboratory, dataset: dict[str, Any]) -> None:
    assert (dataset["qc"], dataset["default_dataset"], dataset["file_records"]) == ("PASS", True, [])
    assert (await lab.registry.post("/datasets", new_dataset(lab))).status_code == 409


async def test_updating_a_dataset_keeps_absent_fields(lab: Laboratory, dataset: dict[str, Any]) -> None:
    path, body = f"/datasets/{dataset['id']}", {"qc": "FAIL", "json": {"why": "drift"}}
    updated = (await lab.registry.patch(path, body)).json()
    assert (updated["qc"], updated["json"], updated["hash"]) == ("FAIL", {"why": "drift"}, MD5)
    assert (await lab.registry.as_(lab.visitor).patch(path, {"qc": "PASS"})).status_code == 403


async def _audited(lab: Laboratory, object_id: str) -> list[tuple[Any, ...]]:
    """Actions and new values of the audit rows of an object, newest first."""
    root = lab.registry.as_(lab.administrator)
    listed = (await root.get("/audit/registry", params={"object_id": object_id})).json()["results"]
    return [(row["action"], row["after"]) for row in listed]


async def test_the_audit_shows_the_new_default_revision(lab: Laboratory) -> None:
    older, newer = await lab.register("alf/spikes.times.npy", "alf/#2020-01-01#/spikes.times.npy")
    await lab.registry.patch(f"/datasets/{older['id']}", {"default_dataset": True})
    assert await _audited(lab, older["id"]) == [("dataset.changed", {"is_default": True})]
    shown = (await lab.registry.get(f"/datasets/{newer['id']}")).json()
    assert shown["default_dataset"] is False


async def test_the_audit_shows_a_size_that_was_added(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILES[0])
    await lab.registry.patch(f"/datasets/{dataset['id']}", {"file_size": 3})
    assert await _audited(lab, dataset["id"]) == [("dataset.changed", {"file_size": 3})]


async def test_a_claim_and_the_json_of_a_file_are_one_change(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILES[0])
    params = {"dataset": dataset["id"], "data_repository": "rig_pc"}
    (file,) = (await lab.registry.get("/files", params=params)).json()["results"]
    await lab.registry.patch(f"/files/{file['id']}", {"exists": False, "json": {"why": "lost"}})
    ((action, after),) = await _audited(lab, file["id"])
    assert (action, after["json"], after["state"]) == ("file.changed", {"why": "lost"}, "lost")


async def test_another_hash_of_a_dataset_is_a_new_version(lab: Laboratory, dataset: dict[str, Any]) -> None:
    path = f"/datasets/{dataset['id']}"
    await made(lab.registry, "/files", {"dataset": path, "data_repository": "rig_pc", "exists": True})
    assert (await lab.registry.get(path)).json()["file_records"][0]["exists"] is True
    other = (await lab.registry.patch(path, {"hash": "b" * 32, "file_size": 4})).json()
    assert (other["hash"], other["file_size"]) == ("b" * 32, 4)
    assert other["file_records"][0]["exists"] is False
