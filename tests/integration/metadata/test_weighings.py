"""Weighings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELDS = {"subject", "date_time", "weight", "user", "url", "id"}


@pytest_asyncio.fixture(loop_scope="module")
async def weighing(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """A weighing by ada, late in the evening."""
    await shared_labs.animal(nickname)
    body = {"subject": nickname, "weight": "21.5", "date_time": "2024-03-02T23:30:00"}
    response = await shared_labs.as_("ada").post("/weighings", body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_a_weighing_is_the_callers_and_reads_as_it_was_created(
    shared_labs: Labs, weighing: dict[str, Any]
) -> None:
    assert weighing.keys() == FIELDS
    assert (weighing["user"], weighing["weight"]) == ("ada", 21.5)
    path = weighing["url"].removeprefix("http://cingulum.test")
    assert (await shared_labs.as_("ada").get(path)).json() == weighing


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 1),
        ({"date_range": "2024-03-02,2024-03-02"}, 1),  # the day that the lab's clock showed
        ({"date_range": "2024-03-03,2024-03-03"}, 0),
        ({"user": "ada"}, 1),
        ({"user": "bob"}, 0),
        ({"lab": "hilllab", "weight": "21.5"}, 1),
        ({"lab": "coastlab"}, 0),
    ],
)
async def test_weighings_are_filtered(
    shared_labs: Labs, weighing: dict[str, Any], query: dict[str, str], count: int
) -> None:
    response = await shared_labs.as_("ada").get(
        "/weighings", params={"nickname": weighing["subject"]} | query
    )
    assert response.json()["count"] == count


async def test_the_day_of_a_weighing_is_that_of_its_own_labs_clock(shared_labs: Labs, nickname: str) -> None:
    await shared_labs.animal(nickname, lab="coastlab", responsible_user="bob")
    body = {"subject": nickname, "weight": 19, "date_time": "2024-03-02T23:30:00"}
    assert (await shared_labs.as_("bob").post("/weighings", body)).status_code == 201
    query = {"nickname": nickname, "date_range": "2024-03-02,2024-03-02"}
    assert (await shared_labs.as_("ada").get("/weighings", params=query)).json()["count"] == 1


async def test_a_deleted_weighing_answers_404(shared_labs: Labs, weighing: dict[str, Any]) -> None:
    ada, path = shared_labs.as_("ada"), f"/weighings/{weighing['id']}"
    statuses = [(await ada.delete(path)).status_code, (await ada.get(path)).status_code]
    assert [*statuses, (await ada.delete(path)).status_code] == [204, 404, 404]
    assert (await ada.get(f"/subjects/{weighing['subject']}")).json()["weighings"] == []


async def test_a_repeated_creation_with_one_key_is_one_weighing(shared_labs: Labs, nickname: str) -> None:
    await shared_labs.animal(nickname)
    ada, key = shared_labs.as_("ada"), {"Idempotency-Key": f"rig-1-weighing-{nickname}"}
    body = {"subject": nickname, "weight": 20.5}
    responses = await asyncio.gather(*(ada.post("/weighings", body, headers=key) for _ in range(2)))
    assert [response.status_code for response in responses] == [201, 201]
    assert responses[0].json() == responses[1].json()
    assert (await ada.get("/weighings", params={"nickname": nickname})).json()["count"] == 1
