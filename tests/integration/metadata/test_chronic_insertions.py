"""Chronic insertions: actions on a subject, with the insertions of one probe in its sessions."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.atlas import a_trajectory, sites
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "3f1c9d6e-0000-4000-8000-000000000000"


@pytest_asyncio.fixture(loop_scope="module")
async def chronic(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """A chronic insertion in a subject."""
    await shared_labs.animal(nickname)
    body = {"subject": nickname, "name": "chronic00", "serial": "2011", "model": "NP2.4"}
    return await shared_labs.post("/chronic-insertions", **body)


async def test_it_nests_its_insertions(shared_labs: Labs, chronic: dict[str, Any], nickname: str) -> None:
    ada, path = shared_labs.as_("ada"), f"/chronic-insertions/{chronic['id']}"
    assert {name: chronic[name] for name in ("name", "subject", "lab", "model", "serial", "probe_insertion")} == {
        "name": "chronic00", "subject": nickname, "lab": "hilllab", "model": "NP2.4", "serial": "2011",
        "probe_insertion": [],
    }  # fmt: skip
    for number in (1, 2):
        session = await shared_labs.session(nickname, number=number, start_time=f"2024-03-0{number}T10:00:00")
        body = {"session": session["id"], "name": "probe00", "chronic_insertion": chronic["id"]}
        made = (await ada.post("/insertions", body)).json()
        assert (made["chronic_insertion"], made["serial"]) == (chronic["id"], "2011")
    nested = (await ada.get(path)).json()["probe_insertion"]
    assert [insertion["session_info"]["number"] for insertion in nested] == [2, 1]
    assert await shared_labs.names("/insertions", chronic_insertion=chronic["id"]) == [
        i["id"] for i in nested
    ]
    listed = (await ada.get("/chronic-insertions", params={"probe": nested[1]["id"]})).json()["results"]
    assert [row["probe_insertion"] for row in listed] == [nested]


async def test_serials_of_one_probe_match(shared_labs: Labs, chronic: dict[str, Any], nickname: str) -> None:
    ada, path = shared_labs.as_("ada"), f"/chronic-insertions/{chronic['id']}"
    session = await shared_labs.session(nickname)
    body = {"session": session["id"], "name": "probe00", "chronic_insertion": chronic["id"], "serial": "7"}
    refused = await ada.post("/insertions", body)
    assert (refused.status_code, "serial" in refused.json()) == (400, True)
    insertion = (await ada.post("/insertions", body | {"serial": "2011"})).json()["id"]
    for changed in (f"/insertions/{insertion}", path):
        answer = await ada.patch(changed, {"serial": "2012"})
        assert (answer.status_code, "serial" in answer.json()) == (400, True)
        assert (await ada.patch(changed, {"serial": "2011", "json": {"a": 1}})).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "nobody"}, "subject"),
        ({"subject": None}, "subject"),
        ({"lab": "nolab"}, "lab"),
        ({"model": "NP9"}, "model"),
        ({"location": "nowhere"}, "location"),
        ({"users": ["nobody"]}, "users"),
        ({"end_time": "2001-01-01T00:00:00"}, "end_time"),
    ],
)
async def test_an_unknown_value_is_refused_by_field(
    shared_labs: Labs, chronic: dict[str, Any], nickname: str, change: dict[str, Any], field: str
) -> None:
    refused = await shared_labs.as_("ada").post("/chronic-insertions", {"subject": nickname} | change)
    assert (refused.status_code, field in refused.json()) == (400, True)


async def test_names_of_one_subject_differ_by_more_than_case_and_are_no_paths(
    shared_labs: Labs, chronic: dict[str, Any], nickname: str
) -> None:
    ada, path = shared_labs.as_("ada"), "/chronic-insertions"
    for name, status in (("..", 400), ("a/b", 400), ("NUL", 400), ("chronic00", 409), ("CHRONIC00", 409)):
        refused = await ada.post(path, {"subject": nickname, "name": name})
        assert (refused.status_code, "name" in refused.json()) == (status, True), name
    other = await shared_labs.post(path, subject=nickname, name="chronic01")
    for _ in range(2):
        await shared_labs.post(path, subject=nickname)  # as many without a name as there are
    for name, status in (("Chronic00", 409), ("..", 400), ("CHRONIC01", 200)):
        assert (await ada.patch(f"{path}/{other['id']}", {"name": name})).status_code == status, name
    removed = await ada.delete(f"{path}/{other['id']}")
    await shared_labs.post(path, subject=nickname, name="chronic01")
    assert (await ada.post(removed.headers["Location"])).status_code == 409
    await shared_labs.animal(f"{nickname}b")
    await shared_labs.post(path, subject=f"{nickname}b", name="chronic00")


async def test_an_insertion_is_of_a_chronic_one_in_the_same_subject(
    shared_labs: Labs, chronic: dict[str, Any]
) -> None:
    ada, other = shared_labs.as_("ada"), f"{chronic['subject']}b"
    await shared_labs.animal(other)
    session = await shared_labs.session(other)
    for named in (chronic["id"], NOBODY):
        body = {"session": session["id"], "name": "probe00", "chronic_insertion": named}
        refused = await ada.post("/insertions", body)
        assert (refused.status_code, "chronic_insertion" in refused.json()) == (400, True)
    moved = await ada.patch(f"/chronic-insertions/{chronic['id']}", {"subject": other})
    assert (moved.status_code, "subject" in moved.json()) == (400, True)


async def test_its_own_trajectory_has_no_session_and_goes_with_it(
    shared_labs: Labs, chronic: dict[str, Any]
) -> None:
    ada, path = shared_labs.as_("ada"), f"/chronic-insertions/{chronic['id']}"
    trajectory = await a_trajectory(shared_labs, None, chronic_insertion=chronic["id"])
    shown = (await ada.get(f"/trajectories/{trajectory}")).json()
    assert (shown["session"], shown["probe_name"], shown["chronic_insertion"]) == (
        None, "chronic00", chronic["id"],
    )  # fmt: skip
    assert await shared_labs.names("/trajectories", chronic_insertion=chronic["id"]) == [trajectory]
    await shared_labs.metadata.post("/channels", sites(trajectory, 593))
    assert await shared_labs.names("/chronic-insertions", atlas_acronym="visp") == [chronic["id"]]
    assert (await shared_labs.as_("bob").patch(f"/trajectories/{trajectory}", {"x": 1})).status_code == 403
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get(path)).status_code == 404
    assert (await ada.get(f"/trajectories/{trajectory}")).status_code == 404
    assert await shared_labs.names("/chronic-insertions", atlas_acronym="visp") == []


async def test_members_of_other_labs_read_and_do_not_write(
    shared_labs: Labs, chronic: dict[str, Any], nickname: str
) -> None:
    bob, path = shared_labs.as_("bob"), f"/chronic-insertions/{chronic['id']}"
    assert (await bob.get(path)).status_code == 200
    assert (await bob.post("/chronic-insertions", {"subject": nickname})).status_code == 403
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await bob.request(method, path, json={"subject": nickname, "name": "mine"})
        assert answer.status_code == 403, method
