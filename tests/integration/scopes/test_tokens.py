"""Scopes of tokens take names or ids, and reach no further than the creator's credential."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from libs.common.scopes import Permission, Scope
from tests.support.labs import Labs, two_labs
from tests.support.system import Cingulum


@pytest.fixture
async def labs(cingulum: Cingulum) -> Labs:
    labs = await two_labs(cingulum)
    for name, is_private in (("openp", False), ("secretp", True), ("odd: name ü", False)):
        await labs.project(name, *(("ada",) if is_private else ()), is_private=is_private)
    return labs


async def make(labs: Labs, username: str, *scopes: str, kind: str = "personal", **more: Any) -> Any:
    """Create a token; returns the response."""
    body = {"name": "t", "kind": kind, "scopes": list(scopes)}
    return await labs.as_(username, **more).post("/tokens", body)


async def test_scopes_take_names_or_ids_and_are_shown_with_names(labs: Labs) -> None:
    by_id = f"project:{labs.project_ids['openp']}:register"
    scopes = ("read", "lab:hilllab:write", by_id, "project:odd: name ü:transfer", "project:secretp:read")
    answer = await make(labs, "ada", *scopes, projects=frozenset(labs.project_ids.values()))
    assert answer.status_code == 201, answer.text
    shown = [*scopes[:2], "project:openp:register", *scopes[3:]]
    assert answer.json()["scopes"] == shown
    made = answer.json()["id"]
    listed = (await labs.as_("ada", projects=frozenset(labs.project_ids.values())).get("/tokens")).json()
    assert [token["scopes"] for token in listed if token["id"] == made] == [shown]
    # Without membership of the private project ada does not see its name.
    listed = (await labs.as_("ada").get("/tokens")).json()
    assert f"project:{labs.project_ids['secretp']}:read" in listed[0]["scopes"]
    again = await make(labs, "ada", *shown[:-1])
    assert again.json()["scopes"] == shown[:-1]


async def test_a_scope_survives_a_renaming(labs: Labs) -> None:
    await make(labs, "ada", "lab:hilllab:write")
    assert (await labs.metadata.patch("/labs/hilllab", {"name": "hill_lab"})).status_code == 200
    assert (await labs.as_("ada").get("/tokens")).json()[0]["scopes"] == ["lab:hill_lab:write"]
    me = await labs.as_("ada", f"lab:{labs.lab_ids['hilllab']}:read").get("/me")
    assert me.json()["scopes"] == ["lab:hill_lab:read"]


async def test_a_name_that_looks_like_an_id_is_shown_as_the_id(labs: Labs) -> None:
    """Older projects may have such names; new ones are refused."""
    name = "11111111-2222-4333-8444-555555555555"
    project_id = await labs.project("older")
    connection = await asyncpg.connect(labs.cingulum.admin_url)
    await connection.execute("UPDATE metadata.projects SET name = $1 WHERE name = 'older'", name)
    await connection.close()
    answer = await make(labs, "ada", f"project:{name}:read")
    assert answer.json()["scopes"] == [f"project:{project_id}:read"]


@pytest.mark.parametrize("within", ["project:{}:read", "lab:{}:read"])
async def test_missing_and_hidden_objects_are_refused_identically(labs: Labs, within: str) -> None:
    hidden = "secretp" if within.startswith("project") else "coastlab"
    narrow: dict[str, Any] = {
        "scopes": frozenset({Scope(Permission.READ, lab_id=labs.lab_ids["hilllab"]), Scope(Permission.WRITE)})
    }
    texts = []
    for name in (hidden, "nowhere"):
        answer = await make(labs, "ada", within.format(name), **narrow)
        texts.append((answer.status_code, answer.text.replace(name, "X")))
    assert texts[0] == texts[1]
    assert texts[0][0] == 400


@pytest.mark.parametrize(
    "text",
    ["fly", "lab:hilllab", "lab::write", "lab:hilllab:fly", "house:x:read", "read:", ":read", "", "prove"],
)
async def test_text_that_is_not_a_scope_is_refused_with_an_example(labs: Labs, text: str) -> None:
    answer = await make(labs, "ada", text)
    assert answer.status_code == 400
    assert "lab:hilllab:register" in answer.json()["scopes"][0]


async def test_a_token_carries_no_more_than_the_role(labs: Labs) -> None:
    for scope in ("lab:coastlab:write", "admin", "work", "lab:hilllab:admin"):
        assert (await make(labs, "ada", scope)).status_code == 403, scope
    assert (await make(labs, "ada", "lab:hilllab:write")).status_code == 201
    assert (await make(labs, "ada", "work", kind="worker")).status_code == 403


async def test_a_narrowed_token_does_not_see_one_that_reaches_further(labs: Labs) -> None:
    made = {}
    for name, scopes in (("wide", ("read", "write")), ("narrow", ("lab:hilllab:read", "lab:hilllab:write"))):
        made[name] = (await make(labs, "ada", *scopes)).json()["id"]
    narrow = labs.as_("ada", labs.scope("hilllab"), labs.scope("hilllab", Permission.WRITE))
    assert [token["id"] for token in (await narrow.get("/tokens")).json()] == [made["narrow"]]
    assert (await narrow.delete(f"/tokens/{made['wide']}")).status_code == 404
    assert (await narrow.delete(f"/tokens/{made['narrow']}")).status_code == 204


async def test_a_token_that_only_reads_neither_creates_nor_revokes_tokens(labs: Labs) -> None:
    made = (await make(labs, "ada", "read")).json()["id"]
    reading = labs.as_("ada", "read")
    assert (await reading.post("/tokens", {"name": "t", "scopes": ["read"]})).status_code == 403
    assert (await reading.delete(f"/tokens/{made}")).status_code == 403
    assert len((await reading.get("/tokens")).json()) == 1
