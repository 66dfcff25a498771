"""Water administrations."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELDS = {"subject", "date_time", "water_administered", "water_type", "user", "url", "session", "adlib", "id"}


@pytest_asyncio.fixture(loop_scope="module")
async def water(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """1.5 mL in a session."""
    await shared_labs.animal(nickname)
    session = await shared_labs.session(nickname)
    body = {
        "subject": nickname,
        "water_administered": 1.5,
        "session": session["id"],
        "date_time": "2024-03-02",
    }
    response = await shared_labs.as_("ada").post("/water-administrations", body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_water_is_plain_and_measured_unless_stated(water: dict[str, Any]) -> None:
    assert water.keys() == FIELDS
    assert (water["water_type"], water["adlib"], water["user"]) == ("Water", False, "ada")


async def test_a_change_keeps_what_it_does_not_name(shared_labs: Labs, water: dict[str, Any]) -> None:
    path = f"/water-administrations/{water['id']}"
    response = await shared_labs.as_("ada").patch(path, {"water_administered": 2})
    assert response.json() == water | {"water_administered": 2.0}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 1),
        ({"adlib": "true"}, 0),
        ({"adlib": "false"}, 1),
        ({"water_type": "Water", "water_administered": "1.5"}, 1),
        ({"water_administered": "2"}, 0),
        ({"date_range": "2024-03-01,2024-03-02"}, 1),
        ({"date_range": "2024-03-03,2024-03-04"}, 0),
    ],
)
async def test_water_is_filtered(
    shared_labs: Labs, water: dict[str, Any], query: dict[str, str], count: int
) -> None:
    session = {"session": water["session"]}
    response = await shared_labs.as_("ada").get("/water-administrations", params=session | query)
    assert response.json()["count"] == count


async def test_deleted_water_answers_404(shared_labs: Labs, water: dict[str, Any]) -> None:
    ada, path = shared_labs.as_("ada"), f"/water-administrations/{water['id']}"
    statuses = [(await ada.delete(path)).status_code, (await ada.get(path)).status_code]
    assert [*statuses, (await ada.delete(path)).status_code] == [204, 404, 404]
    assert (await ada.get(f"/subjects/{water['subject']}")).json()["water_administrations"] == []


@pytest.mark.parametrize(("named", "expected"), [(None, "Hydrogel"), ("Water", "Water")])
async def test_the_type_is_that_of_the_latest_restriction_unless_stated(
    shared_labs: Labs, nickname: str, named: str | None, expected: str
) -> None:
    await shared_labs.animal(nickname)
    restriction = {"subject": nickname, "start_time": "2024-01-01", "reference_weight": 20}
    await shared_labs.post("/water-restriction", **restriction, water_type="Hydrogel")
    body = {"subject": nickname, "water_administered": 1} | ({"water_type": named} if named else {})
    assert (await shared_labs.post("/water-administrations", **body))["water_type"] == expected


@pytest.mark.parametrize(("day", "status"), [("2024-03-05", 201), ("2024-03-06", 400)])
async def test_water_after_the_day_of_death_is_refused(
    shared_labs: Labs, nickname: str, day: str, status: int
) -> None:
    await shared_labs.animal(nickname, death_date="2024-03-05")
    body = {"subject": nickname, "water_administered": 1, "date_time": f"{day}T10:00:00"}
    response = await shared_labs.as_("ada").post("/water-administrations", body)
    assert (response.status_code, "date_time" in response.json()) == (status, True)
