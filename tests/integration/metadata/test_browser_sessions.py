"""A browser's session is its own: it ends, it can be ended, and it is no token."""

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


@pytest.fixture
async def metadata(cingulum: Cingulum) -> Running:
    cingulum.environment = {**cingulum.environment, **ADMIN}
    return await cingulum.start(Service.METADATA)


async def started(metadata: Running, browser: str = "Firefox") -> dict[str, str]:
    answer = await metadata.as_(None).post("/browser-sessions", {**LOGIN, "browser": browser})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def ada(metadata: Running, session: dict[str, str]) -> Running:
    """The administrator, as the gateway introduces one who came with this session."""
    users = (await metadata.as_(Principal(uuid4(), "x", is_superuser=True)).get("/users/ada")).json()
    return metadata.as_(Principal(UUID(users["id"]), "ada", is_superuser=True, token_id=UUID(session["id"])))


async def test_sessions_are_listed_and_ended_by_their_owner_only(metadata: Running) -> None:
    first, second = await started(metadata, "Firefox"), await started(metadata, "Chrome")
    assert first["token"] != second["token"]
    me = await ada(metadata, second)
    listed = (await me.get("/browser-sessions")).json()
    assert [(one["browser"], one["current"]) for one in listed] == [("Chrome", True), ("Firefox", False)]
    assert all("token" not in one for one in listed)
    other = metadata.as_(Principal(uuid4(), "eve"))
    assert (await other.get("/browser-sessions")).json() == []
    assert (await other.delete(f"/browser-sessions/{first['id']}")).status_code == 404
    assert (await me.delete(f"/browser-sessions/{first['id']}")).status_code == 204
    assert (await me.delete(f"/browser-sessions/{first['id']}")).status_code == 404
    await started(metadata)
    assert (await me.delete("/browser-sessions")).status_code == 204
    assert [one["id"] for one in (await me.get("/browser-sessions")).json()] == [second["id"]]
    assert (await me.delete("/browser-sessions/current")).status_code == 204
    assert (await me.get("/browser-sessions")).json() == []


async def test_a_narrowed_token_and_a_shared_account_change_nothing_about_signing_in(
    metadata: Running,
) -> None:
    session = await started(metadata)
    me = await ada(metadata, session)
    assert me.caller is not None
    narrow = metadata.as_(replace(me.caller, token_id=uuid4(), scopes=frozenset({Scope.parse("read")})))
    shared = metadata.as_(replace(me.caller, token_id=uuid4(), is_public=True, is_superuser=False))
    change = {"old_password": LOGIN["password"], "new_password": "another long one"}
    for caller in (narrow, shared):
        assert (await caller.delete(f"/browser-sessions/{session['id']}")).status_code == 403
        assert (await caller.delete("/browser-sessions")).status_code == 403
        assert (await caller.post("/password", change)).status_code == 403
    assert (await shared.get("/browser-sessions")).json() == [], "a shared account shows nobody's browsers"
    assert (await me.get("/browser-sessions")).json() != []


async def test_only_the_session_in_use_keeps_itself_awake(metadata: Running) -> None:
    session = await started(metadata)
    me = await ada(metadata, session)
    assert me.caller is not None
    assert (await me.post(f"/browser-sessions/{session['id']}/use")).status_code == 204
    later = (await me.get("/browser-sessions")).json()[0]
    assert later["idle_until"] > session["idle_until"]
    assert later["expires_at"] == session["expires_at"]
    by_token = metadata.as_(replace(me.caller, token_id=uuid4()))
    assert (await by_token.post(f"/browser-sessions/{session['id']}/use")).status_code == 404


async def test_a_sessions_token_is_written_down_nowhere(metadata: Running, cingulum: Cingulum) -> None:
    session = await started(metadata)
    onlooker = await asyncpg.connect(cingulum.admin_url)
    rows = str(await onlooker.fetch("SELECT * FROM metadata.browser_sessions"))
    rows += str(await onlooker.fetch("SELECT * FROM metadata.audit"))
    await onlooker.close()
    assert session["id"] in rows
    assert session["token"] not in rows


async def test_a_person_changes_their_password_and_whatever_was_signed_in_ends(metadata: Running) -> None:
    session = await started(metadata)
    me = await ada(metadata, session)
    await me.post("/auth-token", LOGIN)
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    await me.post("/tokens", {"name": "machine", "scopes": ["read", "work"], "kind": "worker"})
    change = {"old_password": LOGIN["password"], "new_password": "another long one"}
    wrong = await me.post("/password", {**change, "old_password": "battery staple"})
    assert wrong.status_code == 400
    assert "old_password" in wrong.json()
    for refused in ("short", "password1234", LOGIN["password"]):
        answer = await me.post("/password", {**change, "new_password": refused})
        assert answer.status_code == 400
        assert "new_password" in answer.json()
    assert len((await me.get("/tokens")).json()) == 3, "nothing has ended yet"
    assert (await me.post("/password", change)).status_code == 204
    assert (await me.get("/browser-sessions")).json() == []
    assert [token["name"] for token in (await me.get("/tokens")).json()] == ["machine"]
    assert (await metadata.post("/auth-token", LOGIN)).status_code == 400
    new = {**LOGIN, "password": "another long one"}
    assert (await metadata.post("/auth-token", new)).status_code == 200
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    back = {"old_password": "another long one", "new_password": "a third long one", "keep_tokens": True}
    assert (await me.post("/password", back)).status_code == 204
    assert {token["name"] for token in (await me.get("/tokens")).json()} == {"machine", "script"}


async def test_a_password_that_changes_while_it_is_being_checked_signs_nobody_in(
    metadata: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    eve = (await root.post("/users", {"username": "eve", "password": "her first one"})).json()
    check = SignIns.check

    async def check_while_it_changes(self: SignIns, *given: str) -> Checked:
        checked = await check(self, *given)
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


async def test_guessing_the_old_password_is_slowed_down_like_any_guess(metadata: Running) -> None:
    me = await ada(metadata, await started(metadata))
    change = {"old_password": "battery staple", "new_password": "another long one"}
    statuses = [(await me.post("/password", change)).status_code for _ in range(7)]
    assert statuses[:5] == [400] * 5
    assert 429 in statuses


async def test_a_password_that_an_administrator_resets_ends_the_same(metadata: Running) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    eve = (await root.post("/users", {"username": "eve", "password": "her first one"})).json()
    login = {"username": "eve", "password": "her first one"}
    await metadata.post("/browser-sessions", login)
    me = metadata.as_(Principal(UUID(eve["id"]), "eve"))
    await me.post("/tokens", {"name": "script", "scopes": ["read"]})
    assert (await root.patch("/users/eve", {"password": "her second one"})).status_code == 200
    assert (await me.get("/browser-sessions")).json() == []
    assert (await me.get("/tokens")).json() == []


async def test_an_administrator_changes_the_own_password_with_the_old_one_only(metadata: Running) -> None:
    root = metadata.as_(Principal(uuid4(), "root", is_superuser=True))
    body = {"username": "eve", "password": "her first one", "is_superuser": True}
    eve = (await root.post("/users", body)).json()
    me = metadata.as_(Principal(UUID(eve["id"]), "eve", is_superuser=True))
    refused = await me.patch("/users/eve", {"password": "one of a thief"})
    assert refused.status_code == 400
    assert "POST /password" in refused.json()["password"][0]
    login = {"username": "eve", "password": "her first one"}
    assert (await metadata.post("/browser-sessions", login)).status_code == 201
