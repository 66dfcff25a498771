"""Water restrictions."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELDS = {"subject", "start_time", "end_time", "water_type", "reference_weight"}


@pytest_asyncio.fixture(loop_scope="module")
async def weighed(shared_labs: Labs, nickname: str) -> str:
    """The nickname of a subject that was weighed on 1, 5 and 7 March 2024."""
    await shared_labs.animal(nickname)
    for day, weight in ((1, 24.0), (5, 23.0), (7, 9.0)):
        time = f"2024-03-0{day}T09:00:00"
        await shared_labs.post("/weighings", subject=nickname, date_time=time, weight=weight)
    return nickname


async def _restrict(labs: Labs, nickname: str, start: str, **values: Any) -> dict[str, Any]:
    body = {"subject": nickname, "start_time": start} | values
    created: dict[str, Any] = (await labs.as_("ada").post("/water-restriction", body)).json()
    return created


async def test_a_restriction_copies_the_last_weighing_before_its_start(
    shared_labs: Labs, weighed: str
) -> None:
    created = await _restrict(shared_labs, weighed, "2024-03-06T12:00:00")
    assert created.keys() == FIELDS | {"id"}
    assert (created["reference_weight"], created["water_type"]) == (23.0, "Water")


async def test_the_audit_of_a_restriction_shows_the_copied_weight(shared_labs: Labs, weighed: str) -> None:
    created = await _restrict(shared_labs, weighed, "2024-03-06T12:00:00")
    audited = (await shared_labs.metadata.get("/audit/metadata", params={"object_id": created["id"]})).json()
    assert [(row["action"], row["after"]["reference_weight"]) for row in audited["results"]] == [
        ("water-restriction.created", 23.0)
    ]


async def test_without_a_weighing_of_seven_days_a_weight_must_be_sent(
    shared_labs: Labs, weighed: str
) -> None:
    assert "reference_weight" in await _restrict(shared_labs, weighed, "2024-03-20")
    created = await _restrict(shared_labs, weighed, "2024-03-20", reference_weight=22)
    assert created["reference_weight"] == 22.0


async def test_an_end_time_ends_a_restriction(shared_labs: Labs, weighed: str) -> None:
    created = await _restrict(shared_labs, weighed, "2024-03-06")
    path = f"/water-restriction/{created['id']}"
    response = await shared_labs.as_("ada").patch(path, {"end_time": "2024-03-25T10:00:00"})
    assert response.json() == created | {"end_time": "2024-03-25T10:00:00"}


async def test_open_restrictions_are_listed_first(shared_labs: Labs, weighed: str) -> None:
    still_open = await _restrict(shared_labs, weighed, "2024-03-06")
    ended = await _restrict(
        shared_labs, weighed, "2024-03-20", reference_weight=22, end_time="2024-03-25T10:00:00"
    )
    listed = await shared_labs.names("/water-restriction", nickname=weighed, ids="true")
    assert listed == [still_open["id"], ended["id"]]
    by_day = await shared_labs.names(
        "/water-restriction", subject=weighed, date_range="2024-03-20,2024-03-20", lab="hilllab", ids="true"
    )
    assert by_day == [ended["id"]]


async def test_death_ends_a_restriction_at_midnight_of_its_day(shared_labs: Labs, weighed: str) -> None:
    ada = shared_labs.as_("ada")
    created = await _restrict(shared_labs, weighed, "2024-03-06T09:00:00")
    await ada.patch(f"/subjects/{weighed}", {"death_date": "2024-03-10"})
    [listed] = (await ada.get("/water-restriction", params={"nickname": weighed})).json()["results"]
    assert listed.keys() == FIELDS
    assert listed | {"id": created["id"]} == created | {"end_time": "2024-03-10T00:00:00"}
    restricted = (await ada.get("/water-restricted-subjects")).json()["results"]
    assert weighed not in {subject["nickname"] for subject in restricted}
