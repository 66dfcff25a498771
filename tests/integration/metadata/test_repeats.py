"""A weighing or water that a client without keys sends again is one event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
AT = "2024-03-01T09:00:00"
BODIES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("/weighings", {"date_time": AT, "weight": 20.5}, {"weight": 20.6}),
    (
        "/water-administrations",
        {"date_time": AT, "water_administered": 0.5, "water_type": "Water"},
        {"water_administered": 0.6},
    ),
)


@pytest.mark.parametrize(("path", "body", "other"), BODIES)
async def test_the_first_row_answers_the_repeat(
    shared_labs: Labs, nickname: str, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    await shared_labs.animal(nickname)
    ada, body = shared_labs.as_("ada"), body | {"subject": nickname}
    first = await ada.post(path, body)
    again = await ada.post(path, body | {"date_time": "2024-03-01 09:00"})
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert "Alyx-API-Notice" not in first.headers
    assert first.json()["id"] in again.headers["Alyx-API-Notice"]
    of_another = await shared_labs.metadata.post(path, body | {"user": "bob"})
    assert (of_another.status_code, of_another.json()) == (201, first.json())
    for deliberate in (other, {"date_time": "2024-03-01T09:00:30"}):
        answer = await ada.post(path, body | deliberate)
        assert (answer.status_code, "Alyx-API-Notice" in answer.headers) == (201, False)
    assert len(await shared_labs.names(path, nickname=nickname)) == 3


@pytest.mark.parametrize("time", [AT, None, ""])
@pytest.mark.parametrize(("path", "body"), [case[:2] for case in BODIES])
async def test_of_many_at_once_one_is_stored(
    shared_labs: Labs, nickname: str, path: str, body: dict[str, Any], time: str | None
) -> None:
    await shared_labs.animal(nickname)
    body = body | {"date_time": time}
    answers = await asyncio.gather(
        *(shared_labs.as_("ada").post(path, body | {"subject": nickname}) for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert [*{answer.json()["id"] for answer in answers}] == await shared_labs.names(path, nickname=nickname)


@pytest.mark.parametrize(("path", "body"), [case[:2] for case in BODIES])
async def test_two_keys_are_two_events_and_a_deleted_row_is_none(
    shared_labs: Labs, nickname: str, path: str, body: dict[str, Any]
) -> None:
    await shared_labs.animal(nickname)
    ada, body = shared_labs.as_("ada"), body | {"subject": nickname}
    keyed = [
        (await ada.request("POST", path, json=body, headers={"Idempotency-Key": f"{nickname}{n}"})).json()[
            "id"
        ]
        for n in (1, 2, 2)
    ]
    assert (len(set(keyed)), keyed[1]) == (2, keyed[2])
    for row_id in set(keyed):
        await ada.delete(f"{path}/{row_id}")
    answer = await ada.post(path, body)
    assert (answer.status_code, "Alyx-API-Notice" in answer.headers) == (201, False)


@pytest.mark.parametrize(("path", "body", "other"), BODIES)
async def test_without_a_time_it_is_of_now(
    shared_labs: Labs, nickname: str, path: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    await shared_labs.animal(nickname)
    session = (await shared_labs.session(nickname))["id"]
    ada, untimed = shared_labs.as_("ada"), body | {"subject": nickname}
    await ada.post(path, untimed)  # at its own time, which is long ago
    del untimed["date_time"]
    first, again = [await ada.post(path, untimed) for _ in range(2)]
    assert ("Alyx-API-Notice" in first.headers, again.json()) == (False, first.json())
    assert first.json()["id"] in again.headers["Alyx-API-Notice"]
    deliberate = [other, {"date_time": "2024-03-01T09:00:30"}]
    if path == "/water-administrations":
        deliberate += [{"session": session}, {"adlib": True}, {"water_type": "Hydrogel"}]
    for change in deliberate:
        answer = await ada.post(path, untimed | change)
        assert (answer.status_code, "Alyx-API-Notice" in answer.headers) == (201, False)
    assert len(await shared_labs.names(path, nickname=nickname)) == 2 + len(deliberate)
