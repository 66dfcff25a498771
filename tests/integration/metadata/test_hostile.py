"""Nothing that is sent makes metadata fail: an answer is a refusal with a reason, never an internal error."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx

from services.metadata.routes import routers
from tests.support.hostile import Foe, attack, doors, is_problem
from tests.support.labs import Labs

TRIES = 1200


async def test_no_query_and_no_body_makes_an_internal_error(labs: Labs) -> None:
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
    """Send a text as JSON, also one that no JSON library would write."""
    kind = {"content-type": "application/json"}
    return await labs.metadata.request(method, address, content=text.encode(), headers=kind)


async def test_what_cannot_be_stored_is_refused_and_the_rest_comes_back_as_it_was_sent(labs: Labs) -> None:
    await labs.animal()
    session = await labs.session()
    path = f"/sessions/{session['id']}"
    refused_values: tuple[Any, ...] = (
        {"a": float("nan")},
        [float("inf")],
        {"a": "b\x00"},
        "\ud800",
        {"\x00": 1},
    )
    for value in refused_values:
        answer = await _sent(labs, "PATCH", path, json.dumps({"json": value}))
        assert answer.status_code == 400, (value, answer.text)
    kept_values: tuple[Any, ...] = (
        {"a": {"b": [1, None, "\N{MOUSE}"]}},
        "text",
        3,
        [],
        None,
        {"big": 10**20},
    )
    for value in kept_values:
        answer = await labs.metadata.patch(path, {"json": value, "extended_qc": value})
        assert answer.status_code == 200, (value, answer.text)
        assert answer.json()["json"] == answer.json()["extended_qc"] == value
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
    for weight in ("NaN", "Infinity", "-1", '"heavy"', "null"):
        refused = await _sent(labs, "POST", "/weighings", f'{{"subject": "KS001", "weight": {weight}}}')
        assert refused.status_code == 400, weight
        assert "weight" in refused.json()
