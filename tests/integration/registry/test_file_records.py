"""File records: their ids, their paths, and what their changes do to datasets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import PATH, Laboratory, made

MD5, OTHER, THIRD = "a" * 32, "b" * 32, "c" * 32
FILE = "alf/spikes.times.npy"
OWN = f"{PATH}/{FILE}"


async def dataset_of(lab: Laboratory, dataset_id: str) -> dict[str, Any]:
    """The dataset as it is now."""
    return dict((await lab.registry.get(f"/datasets/{dataset_id}")).json())


def records(dataset: dict[str, Any]) -> dict[str, str]:
    """Repository → id of its record."""
    return {record["data_repository"]: record["id"] for record in dataset["file_records"]}


@pytest.mark.parametrize("md5", [MD5, OTHER, None])
async def test_records_keep_their_ids_when_a_file_is_registered_again(
    lab: Laboratory, md5: str | None
) -> None:
    (first,) = await lab.register(FILE, hashes=[MD5], filesizes=[3])
    for again in (md5, THIRD):
        (dataset,) = await lab.register(FILE, hashes=[again], name="central")
        assert records(dataset) == records(first)
    for repository, file_id in records(first).items():
        record = (await lab.registry.get(f"/files/{file_id}")).json()
        assert (record["id"], record["data_repository"]) == (file_id, repository)
        listed = (await lab.registry.get("/files", params={"django": f"pk,{file_id}"})).json()
        assert [row["id"] for row in listed["results"]] == [file_id]


async def test_a_record_is_changed_and_deleted_under_its_first_id(lab: Laboratory) -> None:
    (first,) = await lab.register(FILE, hashes=[MD5])
    file_id = records(first)["rig_pc"]
    await lab.registry.patch(f"/files/{file_id}", {"json": {"transferred": True}})
    await lab.register(FILE, hashes=[OTHER], exists=False)
    assert (await lab.registry.get(f"/files/{file_id}")).json()["json"] is None
    changed = (await lab.registry.patch(f"/files/{file_id}", {"exists": True})).json()
    assert (changed["id"], changed["exists"]) == (file_id, True)
    copies = (
        await lab.registry.get("/copies", params={"dataset": first["id"], "repository": "rig_pc"})
    ).json()
    by_copy = await lab.registry.get(f"/files/{copies['results'][0]['id']}")
    assert by_copy.json()["id"] == file_id, "the id of a copy is that of its record"
    assert (await lab.registry.delete(f"/files/{file_id}")).status_code == 204
    assert (await lab.registry.get(f"/files/{file_id}")).status_code == 404
    (again,) = await lab.register(FILE, hashes=[THIRD])
    assert records(again)["rig_pc"] == file_id


async def test_another_hash_of_a_dataset_keeps_its_records(lab: Laboratory) -> None:
    (first,) = await lab.register(FILE, hashes=[MD5])
    changed = (await lab.registry.patch(f"/datasets/{first['id']}", {"hash": OTHER})).json()
    assert changed["hash"] == OTHER
    assert records(changed) == records(first)


async def test_a_size_that_is_not_sent_keeps_its_old_value(lab: Laboratory) -> None:
    (first,) = await lab.register(FILE, hashes=[MD5], filesizes=[7])
    for md5 in (MD5, OTHER, None):
        (again,) = await lab.register(FILE, hashes=[md5])
        assert again["file_size"] == 7
    listed = (await lab.registry.get("/datasets", params={"file_size": "7"})).json()["results"]
    assert [(row["id"], row["hash"]) for row in listed] == [(first["id"], "")]
    (newer,) = await lab.register(FILE, hashes=[THIRD], filesizes=[8])
    assert newer["file_size"] == 8


async def test_every_change_of_a_record_bumps_the_dataset(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE, hashes=[MD5])
    file_id = records(dataset)["rig_pc"]
    times = [(await dataset_of(lab, dataset["id"]))["auto_datetime"]]
    body = {"dataset": dataset["id"], "data_repository": "rig_pc", "relative_path": OWN}
    for method, path, changes in (
        ("PATCH", f"/files/{file_id}", {"exists": False}),
        ("PATCH", f"/files/{file_id}", {"json": {"a": 1}}),
        ("DELETE", f"/files/{file_id}", None),
        ("POST", "/files", body),
        ("POST", "/register-file", {"path": PATH, "filenames": [FILE], "hashes": [MD5]}),
    ):
        answer = await lab.registry.request(method, path, json=changes)
        assert answer.is_success, answer.text
        times.append((await dataset_of(lab, dataset["id"]))["auto_datetime"])
    assert times == sorted(set(times))


async def test_a_new_record_exists_only_if_the_client_claims_it(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/data-repository", {"name": "stick"})
    (dataset,) = await lab.register(FILE)
    body = {"dataset": dataset["id"], "data_repository": "stick", "relative_path": OWN}
    record = await made(lab.registry, "/files", body)
    assert (record["exists"], record["json"], record["relative_path"]) == (False, None, OWN)
    assert record["name"] == "spikes.times.npy"


INVALID_PATHS = (
    "", "x", "/etc/passwd", "C:/data/a.b.npy", "C:\\data\\a.b.npy", "m1\\a.b.npy", "../a.b.npy", "m1/../a.b.npy",
    "-m1/a.b.npy", ".m1/a.b.npy", "m1//a.b.npy", f"m1/{'x' * 1000}.npy", "m1/a\n.npy", None,
)  # fmt: skip


async def test_a_path_that_would_leave_a_repository_is_refused(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE)
    body = {"dataset": dataset["id"], "data_repository": "rig_pc"}
    file_id = records(dataset)["rig_pc"]
    for path in INVALID_PATHS:
        answers = [
            await lab.registry.post("/files", body | {"relative_path": path}),
            await lab.registry.patch(f"/files/{file_id}", {"relative_path": path}),
        ]
        assert [a.status_code for a in answers] == [400, 400], path
        assert all(a.json().keys() >= {"relative_path"} for a in answers), path
        if path and path not in {"x", "-m1/a.b.npy", ".m1/a.b.npy"}:  # these are fine below a session
            refused = await lab.registry.post("/register-file", {"path": PATH, "filenames": [path]})
            assert (refused.status_code, "filenames" in refused.json()) == (400, True), path


async def test_a_path_of_its_own_is_shown_where_no_bytes_are_read(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/data-repository", {"name": "old", "data_url": "https://old.lab/files"})
    first, second = await lab.register(FILE, "alf/spikes.amps.npy", hashes=[MD5, MD5])
    body = {
        "dataset": first["id"],
        "data_repository": "old",
        "relative_path": "path/to/spikes.npy",
        "exists": True,
    }
    record = await made(lab.registry, "/files", body)
    assert (record["relative_path"], record["name"]) == ("path/to/spikes.npy", "spikes.npy")
    (shown,) = (r for r in (await dataset_of(lab, first["id"]))["file_records"] if r["id"] == record["id"])
    assert shown["data_url"] == f"https://old.lab/files/path/to/spikes.{first['id']}.npy"
    listed = (await lab.registry.get("/files", params={"relative_path": "path/to/spikes.npy"})).json()
    assert [row["id"] for row in listed["results"]] == [record["id"]]
    for taken in (body | {"dataset": second["id"]}, body | {"dataset": second["id"], "relative_path": OWN}):
        if taken["relative_path"] == OWN:
            await lab.registry.patch(f"/files/{record['id']}", {"relative_path": OWN})
        refused = await lab.registry.post("/files", taken)
        assert (refused.status_code, "relative_path" in refused.json()) == (400, True)
    await lab.registry.patch(f"/files/{record['id']}", {"relative_path": "elsewhere/a.npy"})
    await lab.register(FILE, hashes=[OTHER])
    after = (await lab.registry.get(f"/files/{record['id']}")).json()
    assert (after["relative_path"], after["exists"]) == ("elsewhere/a.npy", False)


async def test_fields_that_a_record_cannot_store_are_refused_by_name(lab: Laboratory) -> None:
    first, second = await lab.register(FILE, "alf/spikes.amps.npy")
    ids = records(first)
    for body in (
        {"dataset": second["id"]}, {"data_repository": "central"}, {"relative_path": "path/of/its.own.npy"},
    ):  # fmt: skip
        refused = await lab.registry.patch(f"/files/{ids['lab_server']}", body)
        assert (refused.status_code, refused.json().keys() & body.keys()) == (400, body.keys())
    whole = {
        "dataset": f"http://any/datasets/{first['id']}", "data_repository": "lab_server", "exists": False,
        "relative_path": f"{PATH.replace('/001', '/1')}/alf/spikes.times.{first['id']}.npy",
    }  # fmt: skip
    again = await lab.registry.put(f"/files/{ids['lab_server']}", whole)
    assert (again.status_code, again.json()["relative_path"]) == (200, OWN)
