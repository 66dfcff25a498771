"""Channels: many at once or one, one on each place of a probe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.atlas import a_probe, a_trajectory, sites
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def trajectory(shared_labs: Labs, nickname: str) -> str:
    """The aligned trajectory of a probe."""
    await shared_labs.animal(nickname)
    return await a_trajectory(shared_labs, await a_probe(shared_labs, nickname))


async def count_of(labs: Labs, trajectory: str) -> int:
    """How many channels a trajectory has."""
    answer = await labs.metadata.get("/channels", params={"trajectory_estimate": trajectory})
    return int(answer.json()["count"])


async def changed_at(labs: Labs, trajectory: str) -> str:
    """When a trajectory was changed last."""
    return str((await labs.metadata.get(f"/trajectories/{trajectory}")).json()["datetime"])


async def test_a_list_creates_all_channels_of_a_probe(shared_labs: Labs, trajectory: str) -> None:
    ada, before = shared_labs.as_("ada"), await changed_at(shared_labs, trajectory)
    bodies = sites(trajectory, *([385] * 384))
    created = await ada.post("/channels", bodies)
    assert (created.status_code, len(created.json())) == (201, 384)
    assert [channel["axial"] for channel in created.json()] == [body["axial"] for body in bodies]
    assert await count_of(shared_labs, trajectory) == 384
    assert await changed_at(shared_labs, trajectory) > before


async def test_one_channel_is_answered_as_one(shared_labs: Labs, trajectory: str) -> None:
    ada, body = shared_labs.as_("ada"), {"trajectory_estimate": trajectory, "axial": 20, "lateral": 11}
    created = await ada.post("/channels", body)
    assert created.status_code == 201, created.text
    assert created.json() == body | {
        "id": created.json()["id"], "brain_region": 0, "name": "", "json": None, "x": None, "y": None, "z": None,
    }  # fmt: skip
    path = f"/channels/{created.json()['id']}"
    assert (await shared_labs.as_("eve").get(path)).json() == created.json()
    before = await changed_at(shared_labs, trajectory)
    changed = await ada.patch(path, {"brain_region": 385, "x": 1.5})
    assert changed.json() == created.json() | {"brain_region": 385, "x": 1.5}
    assert await changed_at(shared_labs, trajectory) > before
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"brain_region": 5}, "brain_region"),
        ({"trajectory_estimate": "3f1c9d6e-0000-4000-8000-000000000000"}, "trajectory_estimate"),
        ({"trajectory_estimate": None}, "2.trajectory_estimate"),
        ({"axial": 0.0}, "non_field_errors"),
    ],
)
async def test_a_list_with_one_bad_channel_creates_none(
    shared_labs: Labs, trajectory: str, wrong: dict[str, Any], field: str
) -> None:
    bodies = sites(trajectory, 382, 385, 593)
    bodies[2] |= wrong
    refused = await shared_labs.as_("ada").post("/channels", bodies)
    assert (refused.status_code, field in refused.json()) == (400, True)
    assert await count_of(shared_labs, trajectory) == 0


async def test_an_invalid_field_is_named(shared_labs: Labs, trajectory: str) -> None:
    ada, [body] = shared_labs.as_("ada"), sites(trajectory, 382)
    for wrong, field in (
        (body | {"axial": "x"}, "axial"),
        ([body, body | {"axial": "x"}], "1.axial"),
        ([body] * 5_001, "non_field_errors"),
        ("x", "non_field_errors"),
    ):
        refused = await ada.post("/channels", wrong)
        assert (refused.status_code, next(iter(refused.json()))) == (400, field)
    nothing = await ada.post("/channels", [])
    assert (nothing.status_code, nothing.json()) == (201, [])


async def test_of_channels_created_on_one_place_at_once_one_is_stored(
    shared_labs: Labs, trajectory: str
) -> None:
    ada, bodies = shared_labs.as_("ada"), sites(trajectory, 382, 385)
    several = await asyncio.gather(*(ada.post("/channels", bodies) for _ in range(3)))
    assert sorted(response.status_code for response in several) == [201, 400, 400]
    first, second = (channel["id"] for channel in min(several, key=lambda r: r.status_code).json())
    taken = await ada.patch(f"/channels/{second}", {"axial": 0.0})
    assert (taken.status_code, "non_field_errors" in taken.json()) == (400, True)
    assert (await ada.delete(f"/channels/{first}")).status_code == 204
    assert (await ada.patch(f"/channels/{second}", {"axial": 0.0})).status_code == 200


async def test_members_of_other_labs_read_and_do_not_write(shared_labs: Labs, trajectory: str) -> None:
    [channel] = (await shared_labs.metadata.post("/channels", sites(trajectory, 382))).json()
    bob, path = shared_labs.as_("bob"), f"/channels/{channel['id']}"
    assert (await bob.get(path)).status_code == 200
    assert (await bob.post("/channels", sites(trajectory, 1, 2))).status_code == 403
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await bob.request(method, path, json={"x": 1})).status_code == 403, method
