"""What a deletion or an undo does to records beside the row: trajectories, restrictions, files, and equal names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.deletions.conftest import Services
from tests.support.atlas import LINE, a_probe, a_trajectory

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    undo = await _latest(services, changed, f"{by}.changed")
    refused = await services.metadata.post(undo)
    assert (refused.status_code, "PATCH" in refused.json()["detail"]) == (409, True)
    assert (await services.metadata.get(f"/subjects/{nickname}")).json()["death_date"] == "2024-03-05"


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
