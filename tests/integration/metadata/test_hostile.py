"""No request makes metadata fail: invalid input is refused with a reason, never an internal error."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.metadata.routes import routers
from tests.support.hostile import Foe, attack, doors, is_problem
from tests.support.labs import Labs

TRIES = 1200


async def test_no_query_and_no_body_causes_an_internal_error(labs: Labs) -> None:
    await labs.animal()
    session = await labs.session()
    probe = await labs.post("/insertions", session=session["id"], name="first")
    good = {
        "subject": "KS001", "nickname": "KS001", "lab": "hilllab", "session": session["id"], "name": "probe00",
        "weight": 20.5, "water_administered": 1.0, "start_time": "2024-03-02T10:00:00", "user": "ada",
        "start_date": "2024-01-01", "reference_weight": 20.0, "username": "zed", "users": ["ada"], "number": 1,
    }  # fmt: skip
    foe = Foe(good, ["KS001", "hilllab", "ada", session["id"], probe["id"], str(uuid4())])
    await attack(labs.metadata.request, doors(routers), foe, TRIES)


async def _sent(labs: Labs, method: str, address: str, text: str) -> httpx.Response:
    """Send text as JSON, also text that no JSON library would write."""
    kind = {"content-type": "application/json"}
    return await labs.metadata.request(method, address, content=text.encode(), headers=kind)


@pytest.fixture
async def path(labs: Labs) -> str:
    """The path of a session of the only subject."""
    await labs.animal()
    return f"/sessions/{(await labs.session())['id']}"


STORABLE: tuple[Any, ...] = ({"a": {"b": [1, None, "\N{MOUSE}"]}}, "text", 3, [], None, {"big": 10**20})
NOT_STORABLE: tuple[Any, ...] = (
    {"a": float("nan")},
    [float("inf")],
    {"a": "b\x00"},
    "\ud800",
    {"\x00": 1},
)


async def test_json_that_cannot_be_stored_is_refused_and_other_json_is_returned_unchanged(
    labs: Labs, path: str
) -> None:
    for value in NOT_STORABLE:
        answer = await _sent(labs, "PATCH", path, json.dumps({"json": value}))
        assert answer.status_code == 400, (value, answer.text)
    for value in STORABLE:
        answer = await labs.metadata.patch(path, {"json": value, "extended_qc": value})
        assert answer.status_code == 200, (value, answer.text)
        assert answer.json()["json"] == answer.json()["extended_qc"] == value


async def test_an_invalid_field_is_refused(labs: Labs, path: str) -> None:
    for field, value in (
        ("n_trials", 2**31),
        ("n_trials", "many"),
        ("start_time", "\ud800"),
        ("users", ["\x00"]),
        ("type", ["Experiment"]),
    ):
        answer = await _sent(labs, "PATCH", path, json.dumps({field: value}))
        assert answer.status_code == 400, (field, answer.text)
        assert is_problem(answer), (field, answer.text)
    for weight in ("NaN", "Infinity", "-1", '"heavy"', "null"):
        answer = await _sent(labs, "POST", "/weighings", f'{{"subject": "KS001", "weight": {weight}}}')
        assert answer.status_code == 400, weight
        assert "weight" in answer.json()


async def test_an_invalid_filter_is_refused(labs: Labs) -> None:
    for path, query in (
        ("/sessions", {"id": "no-uuid"}),
        ("/sessions", {"number": "many"}),
        ("/sessions", {"qc": "²"}),
        ("/sessions", {"qc": "9" * 5000}),
        ("/sessions", {"date_range": "2024-03-02"}),
        ("/sessions", {"performance_gte": "nan"}),
        ("/insertions", {"session": "no-uuid"}),
        ("/weighings", {"weight": "heavy"}),
        ("/water-administrations", {"session": "no-uuid"}),
        ("/labs", {"name": "\x00"}),
    ):
        answer = await labs.metadata.get(path, params=query)
        assert answer.status_code == 400, (path, query, answer.text)
        assert answer.json()["status_code"] == 400
    assert (await labs.metadata.get("/sessions", params={"limit": "9" * 5000})).status_code == 200
