"""No two datasets have a record at one path of one repository, whoever can see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import DAY, PATH, SUBJECT, Laboratory, a_session, files, made

FILE = "alf/spikes.times.npy"
OWN = f"{PATH}/{FILE}"


async def a_twin(lab: Laboratory, **values: Any) -> str:
    """The id of another session of that subject, day and number."""
    return str((await made(lab.metadata, "/sessions", a_session(**values)))["id"])


async def records_at(lab: Laboratory, path: str, repository: str) -> int:
    """How many records have a path in a repository."""
    admin = lab.registry.as_(lab.administrator)
    params = {"relative_path": path, "data_repository": repository}
    return int((await admin.get("/files", params=params)).json()["count"])


async def protect(lab: Laboratory, dataset: dict[str, Any]) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/tags", {"name": "paper", "protected": True})
    tagged = await admin.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})
    assert tagged.status_code == 200, tagged.text


@pytest.mark.parametrize("repository", ["rig_pc", "central"])
@pytest.mark.parametrize("path", [{}, {"relative_path": OWN}, {"relative_path": OWN.replace("/001", "/1")}])
async def test_a_record_at_the_path_of_a_twin_is_refused(
    lab: Laboratory, repository: str, path: dict[str, str]
) -> None:
    await lab.register(FILE)
    body = {"session": await a_twin(lab), "collection": "alf", "name": "spikes.times.npy"}
    dataset = await made(lab.registry, "/datasets", body)
    new = {"dataset": dataset["id"], "data_repository": repository, "exists": True} | path
    refused = await lab.registry.post("/files", new)
    assert (refused.status_code, "relative_path" in refused.json()) == (400, True)
    assert await records_at(lab, OWN, repository) == 1


async def test_a_file_is_not_registered_where_the_record_of_another_dataset_is(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/data-repository", {"name": "flat"})
    (dataset,) = await lab.register(FILE)
    path = f"{PATH}/q2/spikes.times.npy"
    body = {"dataset": dataset["id"], "data_repository": "flat", "relative_path": path}
    await made(lab.registry, "/files", body)
    refused = await lab.registry.post("/register-file", files("q2/spikes.times.npy", name="flat"))
    assert refused.status_code == 409
    assert dataset["id"] in str(refused.json()["filenames"])
    await lab.register("q2/spikes.times.npy")  # elsewhere the path is free
    (moved,) = await lab.register("q3/spikes.times.npy", name="flat")
    refused = await lab.registry.patch(f"/datasets/{moved['id']}", {"collection": "q2"})
    assert refused.status_code == 409
    assert await records_at(lab, path, "flat") == 1
    await protect(lab, dataset)
    protected = await lab.registry.post("/register-file", files("q2/spikes.times.npy", name="flat"))
    assert protected.status_code == 403


async def test_a_twin_that_the_caller_cannot_see_keeps_its_files(lab: Laboratory) -> None:
    await made(lab.metadata, "/projects", {"name": "secret", "users": [], "is_private": True})
    twin = await a_twin(lab, projects=["secret"])
    admin = lab.registry.as_(lab.administrator)
    (dataset,) = await made_files(lab, {"object_id": twin})
    refused = await lab.registry.post("/register-file", files(FILE))
    assert refused.status_code == 409
    assert dataset["id"] not in refused.text
    assert twin not in refused.text
    await protect(lab, dataset)
    assert (await lab.registry.post("/register-file", files(FILE))).status_code == 403
    assert (await admin.get("/datasets", params={"session": lab.session_id})).json()["count"] == 0


async def made_files(lab: Laboratory, values: dict[str, Any]) -> list[dict[str, Any]]:
    """What an administrator registers."""
    answer = await lab.registry.as_(lab.administrator).post("/register-file", files(FILE, **values))
    assert answer.status_code == 201, answer.text
    return list(answer.json())


@pytest.mark.parametrize("change", [{"number": 1}, {"start_time": f"{DAY}T12:00:00", "number": 1}])
async def test_a_session_does_not_become_the_twin_of_one_with_such_files(
    lab: Laboratory, change: dict[str, Any]
) -> None:
    await lab.register(FILE, "alf/spikes.amps.npy")
    second = await made(lab.metadata, "/sessions", a_session(number=2))
    await lab.register(FILE, path=f"{SUBJECT}/{DAY}/002")
    refused = await lab.metadata.patch(f"/sessions/{second['id']}", change)
    assert refused.status_code == 409
    assert (FILE in refused.text, "amps" in refused.text) == (True, False)
    moved = await lab.metadata.patch(f"/sessions/{second['id']}", {"number": 3})
    assert moved.status_code == 200, moved.text
    assert await records_at(lab, OWN, "rig_pc") == 1


async def test_a_deleted_session_does_not_come_back_to_the_paths_of_another(lab: Laboratory) -> None:
    await lab.register(FILE)
    deleted = await lab.metadata.delete(f"/sessions/{lab.session_id}")
    undo = deleted.headers["location"].partition("cingulum.test")[2] or deleted.headers["location"]
    await a_twin(lab)
    (dataset,) = await lab.register(FILE)
    assert (await lab.metadata.post(undo)).status_code == 409
    assert (await lab.registry.delete(f"/datasets/{dataset['id']}")).status_code == 204
    restored = await lab.metadata.post(undo)
    assert restored.status_code == 200, restored.text
    again = await lab.registry.as_(lab.administrator).post(f"/undo/registry/{await last_deletion(lab)}")
    assert again.status_code == 409, again.text


async def last_deletion(lab: Laboratory) -> int:
    """The audit id of the last deletion of a dataset."""
    admin = lab.registry.as_(lab.administrator)
    entries = (await admin.get("/audit/registry", params={"action": "dataset.deleted"})).json()["results"]
    return int(entries[0]["id"])
