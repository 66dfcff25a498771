"""What a deletion or an undo does to records beside the row: trajectories, restrictions, files, and equal names."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.integration.deletions.conftest import DAY, Services
from tests.support.atlas import LINE, a_probe, a_trajectory, sites
from tests.support.labs import registered
from tests.support.locks import until_blocked

pytestmark = pytest.mark.asyncio(loop_scope="module")
DIED = {"outcome_type": "a", "start_time": "2024-03-02T09:00:00", "end_time": "2024-03-02T10:00:00"}


async def _latest(services: Services, record_id: str, action: str) -> str:
    """The address that undoes the latest entry about a record."""
    entries = (await services.metadata.get(f"/audit/metadata?object_id={record_id}")).json()["results"]
    assert entries[0]["action"] == action
    return f"/undo/metadata/{entries[0]['id']}"


async def test_a_chronic_insertion_does_not_take_trajectories_of_hidden_sessions(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.project(f"hidden-{nickname}", "root", is_private=True)
    chronic = (await services.labs.post("/chronic-insertions", subject=nickname, name="c", serial="7"))["id"]
    probe = await a_probe(services.labs, nickname, projects=[f"hidden-{nickname}"])
    trajectory = await a_trajectory(services.labs, probe, chronic_insertion=chronic)
    ada, path = services.as_("ada").metadata, f"/chronic-insertions/{chronic}"
    for query in ("", "?dry_run=1"):
        assert (await ada.delete(path + query)).status_code == 403
    deleted = await services.metadata.delete(path)
    assert deleted.status_code == 204
    assert (await ada.post(deleted.headers["Location"])).status_code == 403
    assert (await services.undo(deleted)).json()["restored"] == {"chronic-insertion": 1, "trajectory": 1}
    assert (await services.metadata.delete(f"/trajectories/{trajectory}")).status_code == 204
    assert (await ada.delete(path)).status_code == 204


async def test_a_trajectory_is_of_insertions_in_one_subject(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    await services.labs.animal(f"{nickname}b")
    chronic = await services.labs.post("/chronic-insertions", subject=f"{nickname}b", name="c", serial="7")
    probe = await a_probe(services.labs, nickname)
    ada, body = services.as_("ada").metadata, {"provenance": "Planned", "chronic_insertion": chronic["id"]}
    created = await ada.post("/trajectories", {"probe_insertion": probe, **body, **LINE})
    trajectory = await a_trajectory(services.labs, probe, "Micro-manipulator")
    changed = await ada.patch(f"/trajectories/{trajectory}", {"chronic_insertion": chronic["id"]})
    for refused in (created, changed):
        assert (refused.status_code, "chronic_insertion" in refused.json()) == (400, True)


async def test_trajectories_of_two_sessions_of_a_chronic_insertion_are_no_twins(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    chronic = (await services.labs.post("/chronic-insertions", subject=nickname, name="c", serial="7"))["id"]
    first, second = [await a_probe(services.labs, nickname, number=number) for number in (1, 2)]
    ada, lost = (
        services.as_("ada").metadata,
        await a_trajectory(services.labs, first, chronic_insertion=chronic),
    )
    deleted = await ada.delete(f"/trajectories/{lost}")
    await a_trajectory(services.labs, second, chronic_insertion=chronic)
    assert (await ada.post(deleted.headers["Location"])).status_code == 200
    again = await ada.delete(f"/trajectories/{lost}")
    await a_trajectory(services.labs, first)
    twin = await ada.post(again.headers["Location"])
    assert (twin.status_code, "Another trajectory" in twin.json()["detail"]) == (409, True)


@pytest.mark.parametrize("by", ["subject", "surgery"])
async def test_a_death_that_ended_a_restriction_is_not_undone(
    services: Services, nickname: str, by: str
) -> None:
    subject = await services.labs.animal(nickname, birth_date="2024-01-01")
    start: dict[str, Any] = {"subject": nickname, "start_time": "2024-03-02T08:00:00"}
    await services.labs.post("/water-restriction", reference_weight=25, **start)
    surgery = (await services.labs.post("/surgeries", outcome_type="r", **start))["id"]
    if by == "subject":
        changed, path, body = subject["id"], f"/subjects/{nickname}", {"death_date": "2024-03-05"}
    else:
        changed, path = surgery, f"/surgeries/{surgery}"
        body = {"outcome_type": "n", "end_time": "2024-03-05T10:00:00"}
    assert (await services.metadata.patch(path, body)).status_code == 200
    ended = (await services.metadata.get(f"/water-restriction?subject={nickname}&ids=true")).json()["results"]
    reopened = await services.metadata.post(
        await _latest(services, ended[0]["id"], "water-restriction.changed")
    )
    assert (reopened.status_code, "died" in reopened.json()["detail"]) == (409, True)
    undo = await _latest(services, changed, f"{by}.changed")
    refused = await services.metadata.post(undo)
    assert (refused.status_code, "PATCH" in refused.json()["detail"]) == (409, True)
    assert (await services.metadata.get(f"/subjects/{nickname}")).json()["death_date"] == "2024-03-05"


async def test_no_undo_makes_twins_by_case_in_a_vocabulary_or_a_session(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    path = f"{nickname}/{DAY}/001"
    (dataset,) = await registered(services.registry, path, "alf/spikes.times.npy")
    assert (await services.registry.post("/tags", {"name": nickname})).status_code == 201
    twin = {"path": path, "filenames": ["ALF/spikes.times.npy"], "name": "fileserver", "exists": True}
    for deleted, send in (
        (f"/tags/{nickname}", ("/tags", {"name": nickname.lower()})),
        (f"/datasets/{dataset['id']}", ("/register-file", twin)),
    ):
        answer = await services.registry.delete(deleted)
        assert answer.status_code == 204, answer.text
        created = await services.registry.post(*send)
        assert created.status_code == 201, created.text
        refused = await services.undo(answer)
        assert (refused.status_code, "same name" in refused.text) == (409, True), refused.text


async def test_a_row_deleted_before_an_upgrade_gets_the_defaults_of_new_columns(
    services: Services, nickname: str
) -> None:
    await services.registry.post("/tags", {"name": nickname})
    deleted = await services.registry.delete(f"/tags/{nickname}")
    connection = await asyncpg.connect(services.labs.cingulum.admin_url)
    older = (
        "UPDATE registry.removed_rows SET content = content - 'protected' - 'description' WHERE audit_id = $1"
    )
    await connection.execute(older, int(deleted.headers["Location"].rpartition("/")[2]))
    await connection.close()
    assert (await services.undo(deleted)).status_code == 200
    restored = (await services.registry.get(f"/tags/{nickname}")).json()
    assert (restored["protected"], restored["description"]) == (False, "")


async def test_a_user_is_deleted_though_a_file_of_no_object_is_protected(
    services: Services, nickname: str
) -> None:
    made = await services.labs.post("/users", username=f"carl-{nickname}")
    services.labs.user_ids[f"carl-{nickname}"] = made["id"]
    services.labs.user_ids[nickname] = made["id"]
    body = {"name": "spikes.times.npy", "dataset_type": "spikes.times"}
    dataset = await services.as_(nickname).registry.post("/datasets", body)
    assert dataset.status_code == 201, dataset.text
    await services.registry.post("/tags", {"name": f"kept-{nickname}", "protected": True})
    record = dataset.json()["url"].rpartition("/")[2]
    tagged = await services.registry.patch(f"/datasets/{record}", {"tags": [f"kept-{nickname}"]})
    assert tagged.status_code == 200, tagged.text
    preview = await services.metadata.delete(f"/users/carl-{nickname}?dry_run=1")
    assert (preview.status_code, preview.json()["hidden"]) == (200, {}), preview.text
    assert (await services.metadata.delete(f"/users/carl-{nickname}")).status_code == 204


async def test_an_undo_brings_back_no_other_spelling_of_a_name(services: Services, nickname: str) -> None:
    metadata, lower = services.metadata, nickname.lower()
    subject = await services.labs.animal(nickname)
    deleted = await metadata.delete(f"/subjects/{nickname}")
    await services.labs.animal(lower)
    assert (await services.undo(deleted)).status_code == 409
    assert (await metadata.patch(f"/subjects/{lower}", {"nickname": f"{lower}x"})).status_code == 200
    assert (await services.undo(deleted)).status_code == 200
    assert (await metadata.patch(f"/subjects/{nickname}", {"nickname": f"{nickname}y"})).status_code == 200
    await services.labs.animal(lower)
    assert (await metadata.post(await _latest(services, subject["id"], "subject.changed"))).status_code == 409
    await services.labs.project(nickname)
    gone = await metadata.delete(f"/projects/{nickname}")
    await services.labs.project(lower)
    assert (await services.undo(gone)).status_code == 409
    probe = await a_probe(services.labs, lower)
    session = (await metadata.get(f"/insertions/{probe}")).json()["session"]
    removed = await metadata.delete(f"/insertions/{probe}")
    await services.labs.post("/insertions", session=session, name="PROBE00")
    assert (await services.undo(removed)).status_code == 409


async def test_a_deletion_repeated_under_one_key_has_the_address_of_its_undo(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    key = {"Idempotency-Key": nickname}
    first, again = [
        await services.metadata.request("DELETE", f"/subjects/{nickname}?wrong=1", headers=key)
        for _ in range(2)
    ]
    assert again.headers["Idempotency-Replayed"] == "true"
    for name in ("Location", "Link", "Alyx-API-Notice"):
        assert again.headers[name] == first.headers[name]
    assert "ignored: wrong" in again.headers["Alyx-API-Notice"]


async def test_changes_and_deletions_lock_in_one_order(services: Services, nickname: str) -> None:
    labs = services.labs
    await labs.animal(nickname)
    probe = await a_probe(labs, nickname)
    session = (await services.metadata.get(f"/insertions/{probe}")).json()["session"]
    trajectory = await a_trajectory(labs, probe)
    channel = (await labs.post("/channels", **sites(trajectory, 997)[0]))["id"]
    surgery = (await labs.post("/surgeries", subject=nickname))["id"]
    gate = await asyncpg.connect(labs.cingulum.admin_url)
    for path, body, deleted, table, row_id in (
        (f"/channels/{channel}", {"name": "1"}, f"/sessions/{session}", "insertions", probe),
        (f"/trajectories/{trajectory}", {"roll": 1}, f"/sessions/{session}", "insertions", probe),
        (f"/insertions/{probe}", {"json": {"a": 1}}, f"/sessions/{session}", "insertions", probe),
        (f"/surgeries/{surgery}", DIED, f"/subjects/{nickname}", "actions", surgery),
    ):
        # The row is held until both wait: for it, or for what one of them locked before.
        async with gate.transaction():
            await gate.execute(f"SELECT FROM metadata.{table} WHERE id = $1 FOR UPDATE", row_id)
            change = asyncio.create_task(services.metadata.patch(path, body))
            await until_blocked(gate, 1)
            deletion = asyncio.create_task(services.metadata.delete(deleted))
            await until_blocked(gate, 2)
        assert ((await change).status_code, (await deletion).status_code) == (200, 204), path
        assert (await services.undo(await deletion)).status_code == 200
    await gate.close()


async def test_undos_lock_in_the_order_of_changes(services: Services, nickname: str) -> None:
    labs, metadata = services.labs, services.metadata
    await labs.animal(nickname, birth_date="2024-01-01")
    start = {"subject": nickname, "start_time": "2024-03-02T08:00:00"}
    restriction = (await labs.post("/water-restriction", reference_weight=25, **start))["id"]
    assert (await metadata.patch(f"/water-restriction/{restriction}", {"narrative": "a"})).status_code == 200
    narrative = await _latest(services, restriction, "water-restriction.changed")
    probe = await a_probe(labs, nickname)
    session = (await metadata.get(f"/insertions/{probe}")).json()["session"]
    other = (await labs.session(nickname, number=2))["id"]
    stack = (await labs.post("/imaging-stack", name="s"))["id"]
    fov = (await labs.post("/fields-of-view", session=session, name="FOV_00", stack=stack))["id"]
    slice_of_other = {"session": other, "name": "FOV_00", "stack": stack}
    file: dict[str, Any] = {
        "path": f"{nickname}/{DAY}/001",
        "filenames": ["alf/spikes.times.npy"],
        "name": "fileserver",
    }
    (dataset,) = await registered(services.registry, file["path"], *file["filenames"])
    gate = await asyncpg.connect(labs.cingulum.admin_url)
    of_session = f"SELECT FROM metadata.actions WHERE id = '{session}' FOR UPDATE"
    of_stack = f"SELECT FROM metadata.imaging_stacks WHERE id = '{stack}' FOR UPDATE"
    registrations = f"SELECT pg_advisory_xact_lock(hashtextextended('registry:{session}', 0))"
    for lock, deleted, send, statuses in (
        (of_session, f"/insertions/{probe}", ("PATCH", f"/insertions/{probe}", {"json": {}}), (404, 200)),
        (of_session, f"/fields-of-view/{fov}", ("PATCH", f"/fields-of-view/{fov}", {"json": {}}), (404, 200)),
        (of_stack, f"/fields-of-view/{fov}", ("POST", "/fields-of-view", slice_of_other), (201, 409)),
        (registrations, f"/datasets/{dataset['id']}", ("POST", "/register-file", file), (201, 409)),
    ):
        service = services.registry if "datasets" in deleted else metadata
        undo = (await service.delete(deleted)).headers["Location"]
        async with gate.transaction():
            await gate.execute(lock)
            change = asyncio.create_task(service.request(send[0], send[1], json=send[2]))
            await until_blocked(gate, 1)
            undone = asyncio.create_task(service.post(undo))
            await until_blocked(gate, 2)
        assert ((await change).status_code, (await undone).status_code) == statuses, deleted
    async with gate.transaction():
        await gate.execute(f"SELECT FROM metadata.actions WHERE id = '{restriction}' FOR UPDATE")
        undone = asyncio.create_task(metadata.post(narrative))
        await until_blocked(gate, 1)
        death = asyncio.create_task(metadata.patch(f"/subjects/{nickname}", {"death_date": "2024-03-05"}))
        await until_blocked(gate, 2)
    assert ((await undone).status_code, (await death).status_code) == (200, 200)
    await gate.close()


async def test_a_file_has_a_default_revision_without_its_deleted_one(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    ids = [
        dataset["id"]
        for name in (
            "alf/spikes.times.npy",
            "alf/#2024-01-01#/spikes.times.npy",
            "alf/#2024-02-01#/spikes.times.npy",
        )
        for dataset in await registered(services.registry, f"{nickname}/{DAY}/001", name)
    ]

    async def defaults() -> list[bool]:
        rows = (await services.registry.get(f"/datasets?subject={nickname}")).json()["results"]
        return [row["default_dataset"] for row_id in ids for row in rows if row["url"].endswith(row_id)]

    assert await defaults() == [False, False, True]
    deleted = await services.registry.delete(f"/datasets/{ids[2]}")
    assert await defaults() == [False, True]
    assert (await services.undo(deleted)).status_code == 200
    assert await defaults() == [False, False, True]
    assert (await services.registry.delete(f"/datasets/{ids[0]}")).status_code == 204
    deleted = await services.registry.delete(f"/datasets/{ids[2]}")
    await registered(services.registry, f"{nickname}/{DAY}/001", "alf/#2024-03-01#/spikes.times.npy")
    assert (await services.undo(deleted)).status_code == 200
    assert await defaults() == [False, False]


async def test_no_order_of_deletions_and_undos_leaves_a_file_without_default_revision(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    await services.labs.session(nickname)
    folder = f"{nickname}/{DAY}/001"
    for revision in ("", "#2024-01-01#/", "#2024-02-01#/"):
        await registered(services.registry, folder, f"alf/{revision}spikes.times.npy")

    async def shown() -> dict[str, bool]:
        rows = (await services.registry.get(f"/datasets?subject={nickname}")).json()["results"]
        return {row["url"].rpartition("/")[2]: row["default_dataset"] for row in rows}

    deleted = []
    for _ in range(2):
        default = next(row for row, is_default in (await shown()).items() if is_default)
        deleted.append(await services.registry.delete(f"/datasets/{default}"))
    for deletion in deleted:
        assert (await services.undo(deletion)).status_code == 200
        assert sum((await shown()).values()) == 1
    first = await services.registry.delete(f"/datasets/{default}")
    moved = next(row for row, is_default in (await shown()).items() if is_default)
    assert (
        await services.registry.patch(f"/datasets/{moved}", {"collection": "alf/probe00"})
    ).status_code == 200
    assert (await services.undo(first)).status_code == 200
    assert (await shown())[moved]
