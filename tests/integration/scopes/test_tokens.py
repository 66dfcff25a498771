"""Tokens name labs and projects as people do, and carry no more than their maker's credential."""

from __future__ import annotations

from typing import Any

import pytest

from libs.common.scopes import Permission, Scope
from tests.support.house import House, a_house
from tests.support.system import Cingulum


@pytest.fixture
async def house(cingulum: Cingulum) -> House:
    house = await a_house(cingulum)
    for name, is_private in (("openp", False), ("secretp", True), ("odd: name/ü", False)):
        await house.project(name, *(("ada",) if is_private else ()), is_private=is_private)
    return house


async def make(house: House, who: str, *scopes: str, kind: str = "personal", **more: Any) -> Any:
    """What the answer to a new token is."""
    body = {"name": "t", "kind": kind, "scopes": list(scopes)}
    return await house.as_(who, **more).post("/tokens", body)


async def test_scopes_take_names_or_ids_and_are_shown_with_names(house: House) -> None:
    by_id = f"project:{house.projects['openp']}:register"
    asked = ("read", "lab:hilllab:write", by_id, "project:odd: name/ü:transfer", "project:secretp:read")
    answer = await make(house, "ada", *asked, projects=frozenset(house.projects.values()))
    assert answer.status_code == 201, answer.text
    shown = [*asked[:2], "project:openp:register", *asked[3:]]
    assert answer.json()["scopes"] == shown
    made = answer.json()["id"]
    listed = (await house.as_("ada", projects=frozenset(house.projects.values())).get("/tokens")).json()
    assert [token["scopes"] for token in listed if token["id"] == made] == [shown]
    # Once the private project is not ada's any more, its name is not shown to her.
    listed = (await house.as_("ada").get("/tokens")).json()
    assert f"project:{house.projects['secretp']}:read" in listed[0]["scopes"]
    again = await make(house, "ada", *shown[:-1])
    assert again.json()["scopes"] == shown[:-1]


async def test_a_scope_survives_a_renaming(house: House) -> None:
    await make(house, "ada", "lab:hilllab:write")
    assert (await house.metadata.patch("/labs/hilllab", {"name": "hill_lab"})).status_code == 200
    assert (await house.as_("ada").get("/tokens")).json()[0]["scopes"] == ["lab:hill_lab:write"]
    me = await house.as_("ada", f"lab:{house.labs['hilllab']}:read").get("/me")
    assert me.json()["scopes"] == ["lab:hill_lab:read"]


async def test_a_name_that_looks_like_an_id_is_shown_as_the_id(house: House) -> None:
    name = "11111111-2222-4333-8444-555555555555"
    which = await house.project(name)
    answer = await make(house, "ada", f"project:{name}:read")
    assert answer.json()["scopes"] == [f"project:{which}:read"]


@pytest.mark.parametrize("within", ["project:{}:read", "lab:{}:read"])
async def test_what_is_not_there_and_what_is_hidden_are_refused_alike(house: House, within: str) -> None:
    hidden = "secretp" if within.startswith("project") else "coastlab"
    narrow: dict[str, Any] = {
        "scopes": frozenset({Scope(Permission.READ, lab_id=house.labs["hilllab"]), Scope(Permission.WRITE)})
    }
    texts = []
    for name in (hidden, "nowhere"):
        answer = await make(house, "ada", within.format(name), **narrow)
        texts.append((answer.status_code, answer.text.replace(name, "X")))
    assert texts[0] == texts[1]
    assert texts[0][0] == 400


@pytest.mark.parametrize(
    "text",
    ["fly", "lab:hilllab", "lab::write", "lab:hilllab:fly", "house:x:read", "read:", ":read", "", "prove"],
)
async def test_a_text_that_is_no_scope_is_refused_with_what_to_write(house: House, text: str) -> None:
    answer = await make(house, "ada", text)
    assert answer.status_code == 400
    assert "lab:hilllab:register" in answer.json()["scopes"][0]


async def test_a_person_hands_on_no_more_than_the_role_has(house: House) -> None:
    for scope in ("lab:coastlab:write", "admin", "work", "lab:hilllab:admin"):
        assert (await make(house, "ada", scope)).status_code == 403, scope
    assert (await make(house, "ada", "lab:hilllab:write")).status_code == 201
    assert (await make(house, "ada", "work", kind="worker")).status_code == 403


async def test_a_narrowed_token_knows_of_no_other_that_reaches_further(house: House) -> None:
    made = {}
    for name, scopes in (("wide", ("read", "write")), ("narrow", ("lab:hilllab:read", "lab:hilllab:write"))):
        made[name] = (await make(house, "ada", *scopes)).json()["id"]
    narrow = house.as_("ada", house.scope("hilllab"), house.scope("hilllab", Permission.WRITE))
    assert [token["id"] for token in (await narrow.get("/tokens")).json()] == [made["narrow"]]
    assert (await narrow.delete(f"/tokens/{made['wide']}")).status_code == 404
    assert (await narrow.delete(f"/tokens/{made['narrow']}")).status_code == 204


async def test_a_token_that_only_reads_makes_and_revokes_none(house: House) -> None:
    made = (await make(house, "ada", "read")).json()["id"]
    reading = house.as_("ada", "read")
    assert (await reading.post("/tokens", {"name": "t", "scopes": ["read"]})).status_code == 403
    assert (await reading.delete(f"/tokens/{made}")).status_code == 403
    assert len((await reading.get("/tokens")).json()) == 1
