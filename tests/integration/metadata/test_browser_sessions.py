"""Browser sessions: they end, can be ended, and their tokens are not API tokens."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Scope
from libs.common.testing import Running
from services.metadata.operations.sign_in import Checked, SignIns
from tests.support.portal import ADMIN, LOGIN
from tests.support.system import Cingulum

NEW_PASSWORD = "another long one"
CHANGE = {"old_password": LOGIN["password"], "new_password": NEW_PASSWORD}


@pytest.fixture
async def metadata(cingulum: Cingulum) -> Running:
    cingulum.environment = {**cingulum.environment, **ADMIN}
    return await cingulum.start(Service.METADATA)


async def sign_in(metadata: Running, browser: str = "Firefox") -> dict[str, str]:
    answer = await metadata.as_(None).post("/browser-sessions", {**LOGIN, "browser": browser})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def ada(metadata: Running, session: dict[str, str]) -> Running:
    """The administrator, as the gateway authenticates this session."""
    users = (await metadata.as_(Principal(uuid4(), "x", is_superuser=True)).get("/users/ada")).json()
    return metadata.as_(Principal(UUID(users["id"]), "ada", is_superuser=True, token_id=UUID(session["id"])))


async def listed_ids(user: Running) -> list[str]:
    return [browser_session["id"] for browser_session in (await user.get("/browser-sessions")).json()]


async def test_sessions_are_listed_newest_first_without_their_tokens(metadata: Running) -> None:
    first, second = await sign_in(metadata, "Firefox"), await sign_in(metadata, "Chrome")
    assert first["token"] != second["token"]
    rows = (await (await ada(metadata, second)).get("/browser-sessions")).json()
    assert [(row["browser"], row["current"]) for row in rows] == [("Chrome", True), ("Firefox", False)]
    assert all("token" not in row for row in rows)


async def test_sessions_are_ended_by_their_owner_only(metadata: Running) -> None:
    first, second = await sign_in(metadata), await sign_in(metadata)
    me, other = await ada(metadata, second), metadata.as_(Principal(uuid4(), "eve"))
    assert await listed_ids(other) == []
    assert (await other.delete(f"/browser-sessions/{first['id']}")).status_code == 404
    assert (await me.delete(f"/browser-sessions/{first['id']}")).status_code == 204
    assert (await me.delete(f"/browser-sessions/{first['id']}")).status_code == 404
    await sign_in(metadata)
    assert (await me.delete("/browser-sessions")).status_code == 204
    assert await listed_ids(me) == [second["id"]]
    assert (await me.delete("/browser-sessions/current")).status_code == 204
    assert await listed_ids(me) == []


async def test_a_narrowed_token_and_a_shared_account_cannot_change_how_a_user_signs_in(
    metadata: Running,
) -> None:
    session = await sign_in(metadata)
    me = await ada(metadata, session)
    assert me.caller is not None
    narrow = metadata.as_(replace(me.caller, token_id=uuid4(), scopes=frozenset({Scope.parse("read")})))
    shared = metadata.as_(replace(me.caller, token_id=uuid4(), is_public=True, is_superuser=False))
    for caller in (narrow, shared):
        assert (await caller.delete(f"/browser-sessions/{session['id']}")).status_code == 403
        assert (await caller.delete("/browser-sessions")).status_code == 403
        assert (await caller.post("/password", CHANGE)).status_code == 403
    assert (await shared.get("/browser-sessions")).json() == [], "a shared account does not list browsers"
    assert (await me.get("/browser-sessions")).json() != []


async def test_only_the_session_in_use_restarts_its_idle_time(metadata: Running) -> None:
    session = await sign_in(metadata)
    me = await ada(metadata, session)
    assert me.caller is not None
    assert (await me.post(f"/browser-sessions/{session['id']}/use")).status_code == 204
    later = (await me.get("/browser-sessions")).json()[0]
    assert later["idle_until"] > session["idle_until"]
    assert later["expires_at"] == session["expires_at"]
    by_token = metadata.as_(replace(me.caller, token_id=uuid4()))
    assert (await by_token.post(f"/browser-sessions/{session['id']}/use")).status_code == 404


async def test_the_token_of_a_browser_session_is_not_stored(metadata: Running, cingulum: Cingulum) -> None:
    session = await sign_in(metadata)
    database = await asyncpg.connect(cingulum.admin_url)
    rows = str(await database.fetch("SELECT * FROM metadata.browser_sessions"))
    rows += str(await database.fetch("SELECT * FROM metadata.audit"))
    await database.close()
    assert session["id"] in rows
    assert session["token"] not in rows


async def test_a_refused_change_of_the_password_ends_nothing(metadata: Running) -> None:
    me = await ada(metadata, await sign_in(metadata))
    for change, field in (
        ({"old_password": "battery staple"}, "old_password"),
        ({"new_password": "short"}, "new_password"),
        ({"new_password": "password1234"}, "new_password"),
        ({"new_password": LOGIN["password"]}, "new_password"),
    ):
        answer = await me.post("/password", CHANGE | change)
        assert (answer.status_code, field in answer.json()) == (400, True), answer.text
    assert len(await listed_ids(me)) == 1


async def test_a_changed_password_ends_sessions_and_tokens_except_those_of_workers(metadata: Running) -> None:
    me = await ada(metadata, await sign_in(metadata))
    await me.post("/auth-token", LOGIN)
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    await me.post("/tokens", {"name": "machine", "scopes": ["read", "work"], "kind": "worker"})
    assert (await me.post("/password", CHANGE)).status_code == 204
    assert await listed_ids(me) == []
    assert [token["name"] for token in (await me.get("/tokens")).json()] == ["machine"]
    assert (await metadata.post("/auth-token", LOGIN)).status_code == 400
    assert (await metadata.post("/auth-token", LOGIN | {"password": NEW_PASSWORD})).status_code == 200


async def test_personal_tokens_can_be_kept_when_the_password_changes(metadata: Running) -> None:
    me = await ada(metadata, await sign_in(metadata))
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    assert (await me.post("/password", CHANGE | {"keep_tokens": True})).status_code == 204
    assert [token["name"] for token in (await me.get("/tokens")).json()] == ["script"]


async def test_a_password_that_changes_while_it_is_checked_does_not_sign_in(
    metadata: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    eve = (await root.post("/users", {"username": "eve", "password": "her first one"})).json()
    check = SignIns.check

    async def check_while_it_changes(self: SignIns, *credentials: str) -> Checked:
        checked = await check(self, *credentials)
        assert (await root.patch("/users/eve", {"password": f"her next one {uuid4()}"})).status_code == 200
        return checked

    me = metadata.as_(Principal(UUID(eve["id"]), "eve"))
    for path in ("/auth-token", "/browser-sessions"):
        password = f"the one before {path}"
        assert (await root.patch("/users/eve", {"password": password})).status_code == 200
        with monkeypatch.context() as changing:
            changing.setattr(SignIns, "check", check_while_it_changes)
            answer = await metadata.as_(None).post(path, {"username": "eve", "password": password})
        assert (answer.status_code, answer.json()["type"]) == (400, "bad-credentials")
    assert (await me.get("/browser-sessions")).json() == []
    assert (await me.get("/tokens")).json() == []


async def test_guessing_the_old_password_is_delayed(metadata: Running) -> None:
    me = await ada(metadata, await sign_in(metadata))
    change = {"old_password": "battery staple", "new_password": "another long one"}
    statuses = [(await me.post("/password", change)).status_code for _ in range(7)]
    assert statuses[:5] == [400] * 5
    assert 429 in statuses


async def test_a_password_reset_by_an_administrator_ends_sessions_and_tokens(metadata: Running) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    eve = (await root.post("/users", {"username": "eve", "password": "her first one"})).json()
    login = {"username": "eve", "password": "her first one"}
    await metadata.post("/browser-sessions", login)
    me = metadata.as_(Principal(UUID(eve["id"]), "eve"))
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    assert (await root.patch("/users/eve", {"password": "her second one"})).status_code == 200
    assert (await me.get("/browser-sessions")).json() == []
    assert (await me.get("/tokens")).json() == []


async def test_an_administrator_changes_their_own_password_only_with_the_old_one(metadata: Running) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    body = {"username": "eve", "password": "her first one", "is_superuser": True}
    eve = (await root.post("/users", body)).json()
    me = metadata.as_(Principal(UUID(eve["id"]), "eve", is_superuser=True))
    refused = await me.patch("/users/eve", {"password": "one of a thief"})
    assert refused.status_code == 400
    assert "POST /password" in refused.json()["password"][0]
    login = {"username": "eve", "password": "her first one"}
    assert (await metadata.post("/browser-sessions", login)).status_code == 201
