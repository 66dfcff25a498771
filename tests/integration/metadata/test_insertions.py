"""Insertions: created, moved, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def insertion(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """`probe00` in session 1 of a subject."""
    await shared_labs.animal(nickname)
    session = await shared_labs.session(nickname)
    return await shared_labs.post("/insertions", session=session["id"], name="probe00")


async def test_of_several_creations_of_one_name_at_once_one_succeeds(
    shared_labs: Labs, nickname: str
) -> None:
    await shared_labs.animal(nickname)
    session = await shared_labs.session(nickname)
    body = {"session": session["id"], "name": "probe00"}
    responses = await asyncio.gather(*(shared_labs.as_("ada").post("/insertions", body) for _ in range(3)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409]


async def test_an_insertion_moves_to_another_session(
    shared_labs: Labs, insertion: dict[str, Any], nickname: str
) -> None:
    other = await shared_labs.session(nickname, number=2)
    change = {"session": other["id"], "serial": "1"}
    changed = (await shared_labs.as_("ada").patch(f"/insertions/{insertion['id']}", change)).json()
    assert (changed["session"], changed["serial"], changed["name"]) == (other["id"], "1", "probe00")


@pytest.mark.parametrize(
    "number",
    ["3", "0.5", "1.50", "1e-7", "1e30", "-0.0", "12345678901234567", "123456789012345678901234567890"],
)
async def test_a_list_writes_numbers_of_json_as_the_record_does(
    shared_labs: Labs, insertion: dict[str, Any], number: str
) -> None:
    ada, path = shared_labs.as_("ada"), f"/insertions/{insertion['id']}"
    body, headers = f'{{"json": {{"depth": {number}}}}}', {"content-type": "application/json"}
    assert (await ada.request("PATCH", path, content=body, headers=headers)).status_code == 200
    record = (await ada.get(path)).text.partition('"depth":')[2].partition("}")[0]
    listed = (
        (await ada.get(f"/insertions?id={insertion['id']}")).text.partition('"depth":')[2].partition("}")[0]
    )
    assert listed.strip() == record.strip() != ""


@pytest.mark.parametrize(("missing"), ["session", "name"])
async def test_a_new_insertion_needs_a_session_and_a_name(
    shared_labs: Labs, insertion: dict[str, Any], missing: str
) -> None:
    body = {"session": insertion["session"], "name": "probe01"}
    del body[missing]
    response = await shared_labs.as_("ada").post("/insertions", body)
    assert (response.status_code, response.json()[missing]) == (400, ["This field is required."])


async def test_a_deleted_insertion_answers_404(shared_labs: Labs, insertion: dict[str, Any]) -> None:
    ada, path = shared_labs.as_("ada"), f"/insertions/{insertion['id']}"
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get(path)).status_code == 404


async def test_a_probe_model_is_known_once_it_was_created(
    shared_labs: Labs, insertion: dict[str, Any]
) -> None:
    ada, path = shared_labs.as_("ada"), f"/insertions/{insertion['id']}"
    refused = await ada.patch(path, {"model": "NP3"})
    assert (refused.status_code, "model" in refused.json()) == (400, True)
    await shared_labs.post("/probe-models", name="Neuropixel 3.0", nickname="NP3")
    assert (await ada.patch(path, {"model": "NP3"})).json()["model"] == "NP3"
    assert await shared_labs.names("/insertions", model="Neuropixel 3.0") == [insertion["id"]]
    by_name = await ada.patch(path, {"model": "Neuropixel 2.0 four shank"})
    assert by_name.json()["model"] == "NP2.4"
