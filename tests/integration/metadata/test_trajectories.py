"""Trajectories: one of each provenance of a probe, created, changed, searched, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.atlas import ALIGNED, LINE, a_probe, a_trajectory, sites
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def probe(shared_labs: Labs, nickname: str) -> str:
    """`probe00` in session 1 of a subject."""
    await shared_labs.animal(nickname)
    return await a_probe(shared_labs, nickname)


async def test_a_trajectory_shows_its_line_and_the_session_of_its_probe(
    shared_labs: Labs, probe: str, nickname: str
) -> None:
    body = {
        "probe_insertion": probe,
        "provenance": "Histology track",
        "coordinate_system": "Needles-Allen",
        **LINE,
    }
    created = await shared_labs.as_("ada").post("/trajectories", body)
    assert created.status_code == 201, created.text
    shown = (await shared_labs.as_("eve").get(f"/trajectories/{created.json()['id']}")).json()
    assert shown == created.json()
    assert {name: shown[name] for name in body} == body
    session_id = (await shared_labs.metadata.get(f"/insertions/{probe}")).json()["session"]
    assert (shown["session"]["id"], shown["session"]["subject"]) == (session_id, nickname)
    assert shown["session"]["url"].endswith(f"/sessions/{session_id}")
    assert (shown["probe_name"], shown["roll"], shown["chronic_insertion"]) == ("probe00", None, None)


@pytest.mark.parametrize("missing", ["provenance", "x", "y", "depth", "theta", "phi"])
async def test_a_new_or_whole_trajectory_states_its_line_perhaps_as_null(
    shared_labs: Labs, probe: str, missing: str
) -> None:
    body: dict[str, Any] = {"probe_insertion": probe, "provenance": "Planned", **dict.fromkeys(LINE)}
    ada = shared_labs.as_("ada")
    created = await ada.post("/trajectories", body)
    assert (created.status_code, created.json()["x"]) == (201, None)
    path = f"/trajectories/{created.json()['id']}"
    assert (await ada.put(path, body)).status_code == 200
    del body[missing]
    for refused in (await ada.post("/trajectories", body), await ada.put(path, body)):
        assert (refused.status_code, refused.json()[missing]) == (400, ["This field is required."])


async def test_a_probe_has_one_trajectory_of_each_provenance(shared_labs: Labs, probe: str) -> None:
    ada, body = shared_labs.as_("ada"), {"probe_insertion": probe, "provenance": ALIGNED, **LINE}
    several = await asyncio.gather(*(ada.post("/trajectories", body) for _ in range(3)))
    assert sorted(response.status_code for response in several) == [201, 400, 400]
    assert {"non_field_errors"} <= set(max(several, key=lambda response: response.status_code).json())
    planned = await a_trajectory(shared_labs, probe, "Planned")
    assert (await ada.patch(f"/trajectories/{planned}", {"provenance": ALIGNED})).status_code == 400
    assert (await ada.patch(f"/trajectories/{planned}", {"provenance": "Planned", "x": 1})).status_code == 200
    assert (await ada.delete(f"/trajectories/{planned}")).status_code == 204
    assert (await ada.get(f"/trajectories/{planned}")).status_code == 404
    await a_trajectory(shared_labs, probe, "Planned")


async def test_a_change_keeps_the_insertion_and_moves_the_time(shared_labs: Labs, probe: str) -> None:
    ada, path = shared_labs.as_("ada"), f"/trajectories/{await a_trajectory(shared_labs, probe)}"
    before = (await ada.get(path)).json()
    changed = (await ada.patch(path, {"depth": 3900.5, "json": {"a": 1}})).json()
    assert changed["datetime"] > before["datetime"]
    assert changed == before | {"depth": 3900.5, "json": {"a": 1}, "datetime": changed["datetime"]}
    detached = await ada.patch(path, {"probe_insertion": None})
    assert (detached.status_code, next(iter(detached.json()))) == (400, "probe_insertion")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("probe_insertion", "3f1c9d6e-0000-4000-8000-000000000000"),
        ("chronic_insertion", "3f1c9d6e-0000-4000-8000-000000000000"),
        ("coordinate_system", "Paxinos"),
        ("provenance", "Guessed"),
        ("x", "far"),
    ],
)
async def test_an_unknown_value_is_refused_by_field(
    shared_labs: Labs, probe: str, field: str, value: str
) -> None:
    body = {"probe_insertion": probe, "provenance": "Planned", **LINE, field: value}
    response = await shared_labs.as_("ada").post("/trajectories", body)
    assert (response.status_code, field in response.json()) == (400, True)


async def test_members_of_other_labs_read_and_do_not_write(shared_labs: Labs, probe: str) -> None:
    bob, trajectory = shared_labs.as_("bob"), await a_trajectory(shared_labs, probe)
    body = {"probe_insertion": probe, "provenance": "Planned", **LINE}
    assert (await bob.post("/trajectories", body)).status_code == 403
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await bob.request(method, f"/trajectories/{trajectory}", json=body)
        assert answer.status_code == 403, method
    assert (await bob.get(f"/trajectories/{trajectory}")).status_code == 200


async def test_free_filters_go_from_a_probe_to_its_regions_and_back(
    shared_labs: Labs, probe: str, nickname: str
) -> None:
    trajectory = await a_trajectory(shared_labs, probe)
    await shared_labs.metadata.post("/channels", sites(trajectory, 382, 593))
    ours = f"subject__nickname,{nickname}"
    for path, query, expected in (
        ("/trajectories", "channels__brain_region__name__icontains,visual,probe_insertion__session__", trajectory),
        ("/trajectories", "channels__brain_region,382,provenance__gte,70,probe_insertion__session__", trajectory),
        ("/insertions", "trajectory_estimate__channels__brain_region__parent__acronym,CA,session__", probe),
        ("/insertions", "trajectory_estimate__provenance,70,session__", probe),
    ):  # fmt: skip
        assert await shared_labs.names(path, django=query + ours) == [expected], query
    count = (
        "trajectory_estimate__probe_insertion__name,probe00,trajectory_estimate__probe_insertion__session__"
    )
    assert len(await shared_labs.names("/channels", django=count + ours)) == 2
    assert await shared_labs.names("/trajectories", django="channels__brain_region__acronym,TH") == []


async def test_what_hangs_on_a_deleted_probe_is_not_shown(shared_labs: Labs, probe: str) -> None:
    trajectory = await a_trajectory(shared_labs, probe)
    [channel] = (await shared_labs.metadata.post("/channels", sites(trajectory, 382))).json()
    assert (await shared_labs.metadata.delete(f"/insertions/{probe}")).status_code == 204
    for path in (f"/trajectories/{trajectory}", f"/channels/{channel['id']}"):
        assert (await shared_labs.metadata.get(path)).status_code == 404
        assert (await shared_labs.metadata.patch(path, {"x": 1})).status_code == 404
    assert await shared_labs.names("/channels", trajectory_estimate=trajectory) == []
