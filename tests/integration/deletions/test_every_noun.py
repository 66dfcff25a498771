"""Every noun that can be deleted: what it takes, what refuses, and that an undo brings it back as it was."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from libs.common.testing import Running
from tests.integration.deletions.conftest import DAY, Services
from tests.support.labs import registered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _goes_and_comes_back(
    services: Services,
    service: Running,
    path: str,
    removed: dict[str, int],
    hidden: dict[str, int] | None = None,
) -> None:
    before = (await service.get(path)).json()
    preview = (await service.delete(f"{path}?dry_run=1")).json()
    assert (preview["removed"], preview["hidden"]) == (removed, hidden or {})
    assert (await service.get(path)).json() == before
    answer = await service.delete(path, headers={"Prefer": "return=representation"})
    assert (answer.status_code, answer.json()["removed"]) == (200, removed), answer.text
    assert (await service.get(path)).status_code == 404
    undone = await services.undo(answer)
    assert (undone.status_code, undone.json()["restored"]) == (200, removed), undone.text
    assert (await service.get(path)).json() == before


async def test_users_labs_and_projects(services: Services, nickname: str) -> None:
    metadata, labs = services.metadata, services.labs
    await labs.post("/users", username=f"u-{nickname}")
    await labs.post("/labs", name=f"lab{nickname}")
    await labs.post("/memberships", user=f"u-{nickname}", lab=f"lab{nickname}", start_date="2020-01-01")
    await labs.post("/projects", name=f"p-{nickname}", users=[f"u-{nickname}"])
    await _goes_and_comes_back(services, metadata, f"/users/u-{nickname}", {"user": 1, "membership": 1})
    await _goes_and_comes_back(services, metadata, f"/labs/lab{nickname}", {"lab": 1, "membership": 1})
    await _goes_and_comes_back(services, metadata, f"/projects/p-{nickname}", {"project": 1})
    await labs.animal(nickname, lab=f"lab{nickname}")
    refused = await metadata.delete(f"/labs/lab{nickname}")
    assert (refused.status_code, "has subjects" in refused.json()["detail"]) == (409, True)
    deletion = await metadata.delete(f"/users/u-{nickname}")
    for name in ("ada", "eve"):
        assert (await services.as_(name).metadata.post(deletion.headers["Location"])).status_code == 403


async def test_the_last_administrator_stays(services: Services, nickname: str) -> None:
    await services.labs.post("/users", username=f"a-{nickname}", is_superuser=True)
    await services.metadata.patch("/users/root", {"is_active": False})
    refused = await services.metadata.delete(f"/users/a-{nickname}")
    for field in ("is_superuser", "is_active"):
        demoted = await services.metadata.patch(f"/users/a-{nickname}", {field: False})
        assert (demoted.status_code, "last active administrator" in demoted.json()[field][0]) == (409, True)
    await services.metadata.patch("/users/root", {"is_active": True})
    assert (refused.status_code, "last active administrator" in refused.json()["detail"]) == (409, True)
    assert (await services.metadata.delete("/users/root?dry_run=1")).status_code == 409


async def test_records_of_a_subject(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname)
    times = {"subject": nickname, "date_time": f"{DAY}T09:00:00"}
    weighing = await services.labs.post("/weighings", weight=20.5, **times)
    water = await services.labs.post("/water-administrations", water_administered=1.0, **times)
    insertion = await services.labs.post("/insertions", session=session["id"], name="probe00")
    for path, noun, row in (
        ("weighings", "weighing", weighing["url"].rpartition("/")[2]),
        ("water-administrations", "water-administration", water["url"].rpartition("/")[2]),
        ("insertions", "insertion", insertion["id"]),
    ):
        await _goes_and_comes_back(services, services.metadata, f"/{path}/{row}", {noun: 1})


async def test_water_of_a_session_stays(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname)
    water = await services.labs.post(
        "/water-administrations", subject=nickname, session=session["id"], water_administered=1.0
    )
    answer = await services.metadata.delete(f"/sessions/{session['id']}")
    path = f"/water-administrations/{water['url'].rpartition('/')[2]}"
    assert (await services.metadata.get(path)).json()["session"] is None
    await services.undo(answer)
    assert (await services.metadata.get(path)).json()["session"] == session["id"]


async def test_a_dataset(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    record = (await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy"))[0]
    path = f"/datasets/{record['id']}"
    await _goes_and_comes_back(services, services.registry, path, {"dataset": 1}, {"file": 1})
    deletion = await services.registry.delete(path)
    again = await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy")
    refused = await services.undo(deletion)
    assert (refused.status_code, again[0]["id"] != record["id"]) == (409, True)
    assert (await services.as_("bob").registry.post(deletion.headers["Location"])).status_code == 403


async def test_a_file_record(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    record = (await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy"))[0]
    path = f"/files?dataset={record['id']}"
    [file] = (await services.registry.get(path)).json()["results"]
    preview = await services.registry.delete(f"/files/{file['id']}?dry_run=1")
    assert (preview.status_code, preview.json()["removed"]) == (200, {"file": 1})
    assert (await services.registry.get(path)).json()["count"] == 1
    answer = await services.registry.delete(f"/files/{file['id']}")
    assert (answer.status_code, answer.headers["Alyx-API-Notice"]) == (204, "Deleted 1 file.")
    assert (await services.registry.get(path)).json()["count"] == 0


async def test_a_dataset_of_a_deleted_session_waits_for_it(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname)
    record = (await registered(services.registry, f"{nickname}/{DAY}/001", "alf/spikes.times.npy"))[0]
    ada = services.as_("ada")
    dataset = await ada.registry.delete(f"/datasets/{record['id']}")
    above = await ada.metadata.delete(f"/sessions/{session['id']}")
    assert (await ada.undo(dataset)).status_code == 409
    assert (await services.as_("bob").registry.post(dataset.headers["Location"])).status_code == 404
    assert (await ada.undo(above)).status_code == 200
    assert (await ada.undo(dataset)).status_code == 200


@pytest.mark.parametrize(
    ("path", "noun", "body"),
    [
        ("tags", "tag", {}),
        ("revisions", "revision", {}),
        ("data-formats", "data-format", {"file_extension": ".xyz"}),
        ("dataset-types", "dataset-type", {"filename_pattern": "xyz.*"}),
        ("data-repository-type", "repository-type", {}),
        ("data-repository", "data-repository", {}),
    ],
)
async def test_terms(services: Services, nickname: str, path: str, noun: str, body: dict[str, Any]) -> None:
    created = await services.registry.post(f"/{path}", {"name": nickname} | body)
    assert created.status_code == 201, created.text
    await _goes_and_comes_back(services, services.registry, f"/{path}/{nickname}", {noun: 1})
    deletion = await services.registry.delete(f"/{path}/{nickname}")
    await services.registry.post(f"/{path}", {"name": nickname} | body)
    assert (await services.undo(deletion)).status_code == 409


async def test_a_tag_and_a_revision_in_use(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    registry = services.registry
    path = f"{nickname}/{DAY}/001"
    record = (await registered(registry, path, f"alf/#r-{nickname}#/spikes.times.npy"))[0]
    await registry.post("/tags", {"name": nickname})
    await registry.patch(f"/datasets/{record['id']}", {"tags": [nickname]})
    before = (await registry.get(f"/datasets/{record['id']}")).json()
    answer = await registry.delete(f"/tags/{nickname}")
    assert (await registry.get(f"/datasets/{record['id']}")).json()["tags"] == []
    await services.undo(answer)
    await _goes_and_comes_back(services, registry, f"/tags/{nickname}", {"tag": 1, "tag-of-a-dataset": 1})
    assert (await registry.get(f"/datasets/{record['id']}")).json() == before
    revision = f"/revisions/r-{nickname}"
    for used in (f"/dataset-types/{before['dataset_type']}", "/data-repository/fileserver", revision):
        assert (await registry.delete(used)).status_code == 409
    renamed = await registry.patch(revision, {"name": f"s-{nickname}"})
    assert (renamed.status_code, "name" in renamed.json()) == (409, True)
    assert (await registry.patch(revision, {"name": f"r-{nickname}", "description": "x"})).status_code == 200
    for django in (f"revision__name,r-{nickname}", "name,spikes.times.npy,revision__description,x"):
        rows = (await registry.get("/datasets", params={"django": django})).json()["results"]
        assert [row["id"] for row in rows] == [record["id"]]


async def test_a_revision_without_datasets_is_renamed(services: Services, nickname: str) -> None:
    registry, first, second = services.registry, f"/revisions/a-{nickname}", f"/revisions/b-{nickname}"
    await registry.post("/revisions", {"name": f"a-{nickname}"})
    assert (await registry.patch(first, {"name": f"b-{nickname}"})).json()["name"] == f"b-{nickname}"
    assert ((await registry.get(first)).status_code, (await registry.get(second)).status_code) == (404, 200)
    await _goes_and_comes_back(services, registry, second, {"revision": 1})


async def _undo_latest(registry: Running, object_id: str) -> httpx.Response:
    entries = (await registry.get(f"/audit/registry?object_id={object_id}")).json()["results"]
    return await registry.post(f"/undo/registry/{entries[0]['id']}")


async def test_a_renaming_of_a_revision_is_undone_while_no_dataset_is_in_it(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    registry, first, second = services.registry, f"a-{nickname}", f"b-{nickname}"
    revision = (await registry.post("/revisions", {"name": first})).json()["id"]
    await registry.patch(f"/revisions/{first}", {"name": second})
    assert (await _undo_latest(registry, revision)).status_code == 200
    await registry.patch(f"/revisions/{first}", {"name": second})
    await registered(registry, f"{nickname}/{DAY}/001", f"alf/#{second}#/spikes.times.npy")
    refused = await _undo_latest(registry, revision)
    assert (refused.status_code, second in refused.json()["detail"]) == (409, True)
    assert (await registry.patch(f"/revisions/{second}", {"description": "x"})).status_code == 200
    assert (await _undo_latest(registry, revision)).status_code == 200


async def test_a_task_with_its_log(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname)
    body = {"name": "Fit", "session": session["id"], "arguments": {"a": 1}}
    task = (await services.scheduler.post("/tasks", body)).json()
    path = f"/tasks/{task['id']}"
    await services.scheduler.patch(path, {"status": "Started"})
    assert (await services.scheduler.delete(path)).status_code == 409, "it is running"
    await services.scheduler.patch(path, {"status": "Complete", "log": "done"})
    await _goes_and_comes_back(services, services.scheduler, path, {"task": 1, "attempt": 1})
    deletion = await services.scheduler.delete(path)
    assert (await services.scheduler.post("/tasks", body)).status_code == 201
    assert (await services.undo(deletion)).status_code == 409
