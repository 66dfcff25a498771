"""Logging in, tokens, and the caller's own account."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Scope
from libs.common.testing import Callers, Running
from tests.support.system import Cingulum


async def first_administrator(cingulum: Cingulum) -> Running:
    cingulum.environment = {
        **cingulum.environment,
        "CINGULUM_ADMIN_USERNAME": "ada",
        "CINGULUM_ADMIN_PASSWORD": "correct horse",
    }
    return await cingulum.start(Service.METADATA)


async def test_the_first_administrator_signs_in_and_gets_the_same_token_each_time(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    answers = [
        await metadata.request("POST", "/auth-token", data={"username": "ada", "password": "correct horse"})
        for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert list(answers[0].json()) == ["token"]
    assert len(answers[0].json()["token"]) == 40


async def test_a_wrong_password_and_an_unknown_user_get_the_same_response(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    wrong = await metadata.post("/auth-token", {"username": "ada", "password": "battery staple"})
    unknown = await metadata.post("/auth-token", {"username": "bob", "password": "battery staple"})
    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json() == unknown.json()
    assert wrong.json()["non_field_errors"] == ["Unable to log in with provided credentials."]


async def test_an_unauthenticated_request_is_refused_with_403(cingulum: Cingulum) -> None:
    metadata = await cingulum.start(Service.METADATA)
    for path in ("/me", "/tokens"):
        answer = await metadata.get(path)
        assert answer.status_code == 403
        assert answer.json()["type"] == "not-authenticated"


async def test_a_token_is_shown_once_and_can_be_revoked(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    metadata = metadata.as_(Principal(await _user_id(metadata), "ada", is_superuser=True))
    made = await metadata.post("/tokens", {"name": "rig 1", "scopes": ["read", "register"]})
    assert made.status_code == 201
    assert len(made.json()["token"]) == 64
    listed = (await metadata.get("/tokens")).json()
    assert [t["name"] for t in listed if t["kind"] == "personal"] == ["rig 1"]
    assert all("token" not in t for t in listed)
    assert (await metadata.delete(f"/tokens/{made.json()['id']}")).status_code == 204
    assert (await metadata.delete(f"/tokens/{made.json()['id']}")).status_code == 404


async def test_a_token_cannot_allow_more_than_its_creator(cingulum: Cingulum, callers: Callers) -> None:
    metadata = await cingulum.start(Service.METADATA, callers.member)
    answer = await metadata.post("/tokens", {"name": "x", "scopes": ["admin"]})
    assert answer.status_code == 403
    answer = await metadata.post("/tokens", {"name": "x", "scopes": ["fly"]})
    assert answer.status_code == 400
    assert "scopes" in answer.json()


async def _user_id(metadata: Running):  # type: ignore[no-untyped-def]
    async with metadata.app.state.database.read() as session:
        return await session.scalar(sa.text("SELECT id FROM metadata.users"))


async def test_a_write_repeated_under_one_key_happens_once(cingulum: Cingulum, callers: Callers) -> None:
    metadata = await cingulum.start(Service.METADATA, callers.administrator)
    key = {"Idempotency-Key": "k1"}
    first = await metadata.post("/labs", {"name": "hilllab"}, headers=key)
    again = await metadata.post("/labs", {"name": "hilllab"}, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await metadata.post("/labs", {"name": "coastlab"}, headers=key)
    assert other.status_code == 409
    assert other.json()["type"] == "idempotency-key-reused"
    assert (await metadata.get("/labs")).json()["count"] == 1


# The same in every test process, because they name the cases.
LAB, OTHER_LAB, PROJECT, OTHER_PROJECT = (UUID(int=n, version=4) for n in (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("own", "requested"),
    [
        (("read", f"lab:{LAB}:write"), "write"),
        (("read", f"lab:{LAB}:write"), f"lab:{OTHER_LAB}:write"),
        ((f"project:{PROJECT}:read",), "read"),
        ((f"project:{PROJECT}:read",), f"project:{OTHER_PROJECT}:read"),
        ((f"lab:{LAB}:read",), f"project:{PROJECT}:read"),
        (("read",), "admin"),
    ],
)
@pytest.mark.parametrize("kind", ["personal", "worker"])
async def test_a_narrowed_token_creates_no_wider_one(
    cingulum: Cingulum, own: tuple[str, ...], requested: str, kind: str
) -> None:
    scopes = frozenset(map(Scope.parse, own))
    narrow = Principal(uuid4(), "admin", is_superuser=True, labs=frozenset({LAB}), scopes=scopes)
    metadata = await cingulum.start(Service.METADATA, narrow)
    answer = await metadata.post("/tokens", {"name": "wider", "kind": kind, "scopes": [requested]})
    assert answer.status_code == 403, answer.text


async def test_a_token_that_expires_creates_none_that_outlives_it(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    ends = datetime(2099, 1, 1, tzinfo=UTC)
    brief = Principal(
        await _user_id(metadata),
        "ada",
        is_superuser=True,
        scopes=frozenset({Scope.parse("read"), Scope.parse("write")}),
        until=ends,
    )
    metadata = metadata.as_(brief)
    for expires_at in (None, "2099-01-02T00:00:00Z"):
        body = {"name": "longer", "scopes": ["read"], "expires_at": expires_at}
        answer = await metadata.post("/tokens", body)
        assert answer.status_code == 400
        assert "expires_at" in answer.json()
    body = {"name": "as long", "scopes": ["read"], "expires_at": "2099-01-01T00:00:00Z"}
    assert (await metadata.post("/tokens", body)).status_code == 201


async def test_a_narrowed_token_revokes_none_that_reaches_further(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    await metadata.post("/auth-token", {"username": "ada", "password": "correct horse"})
    ada = Principal(await _user_id(metadata), "ada", is_superuser=True)
    await metadata.as_(ada).post("/tokens", {"name": "rig", "scopes": ["read", "write"]})
    reading = Principal(ada.user_id, "ada", is_superuser=True, scopes=frozenset({Scope.parse("read")}))
    for token in (await metadata.as_(ada).get("/tokens")).json():
        answer = await metadata.as_(reading).delete(f"/tokens/{token['id']}")
        assert answer.status_code == 403, token


async def test_after_a_log_in_token_is_revoked_the_user_can_log_in(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    credentials = {"username": "ada", "password": "correct horse"}
    first = (await metadata.post("/auth-token", credentials)).json()["token"]
    metadata = metadata.as_(Principal(await _user_id(metadata), "ada", is_superuser=True))
    (log_in,) = (await metadata.get("/tokens")).json()
    assert (await metadata.delete(f"/tokens/{log_in['id']}")).status_code == 204
    second = (await metadata.post("/auth-token", credentials)).json()["token"]
    assert second != first
    assert len((await metadata.get("/tokens")).json()) == 1


async def test_a_token_is_not_stored(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    ada = metadata.as_(Principal(await _user_id(metadata), "ada", is_superuser=True))
    key = {"Idempotency-Key": "k1"}
    made = (await ada.post("/tokens", {"name": "a", "scopes": ["read"]}, headers=key)).json()["token"]
    credentials = {"username": "ada", "password": "correct horse"}
    log_in = (await metadata.post("/auth-token", credentials, headers=key)).json()["token"]
    async with metadata.app.state.database.read() as session:
        stored = str((await session.execute(sa.text("SELECT * FROM metadata.idempotency"))).all())
    assert made not in stored
    assert log_in not in stored
    again = await ada.post("/tokens", {"name": "a", "scopes": ["read"]}, headers=key)
    assert again.status_code == 409
    assert again.json()["type"] == "shown-once"


async def test_checking_a_password_needs_no_connection_of_other_writes(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    async with AsyncExitStack() as stack:
        for _ in range(metadata.app.state.settings.write_connections):
            tx = await stack.enter_async_context(metadata.app.state.writer.begin())
            await tx.session.execute(sa.text("SELECT 1"))
        async with asyncio.timeout(120):
            guess = await metadata.post("/auth-token", {"username": "ada", "password": "guess"})
    assert guess.status_code == 400


async def test_credentials_that_cannot_be_stored_are_refused(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    for content in (
        b'{"username": "ada", "password": "\\ud800"}',
        b'{"username": "a\\u0000", "password": "x"}',
        b'{"username":' * 5_000,
        b"[" * 60_000,
    ):
        answer = await metadata.request(
            "POST", "/auth-token", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, answer.text


async def test_revoking_a_token_revokes_those_created_with_it(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    ada = Principal(await _user_id(metadata), "ada", is_superuser=True)
    names, maker, first = ["leaked", "child", "grandchild"], ada, ""
    for name in names:
        body = {"name": name, "scopes": ["read", "write"]}
        made = (await metadata.as_(maker).post("/tokens", body)).json()
        scopes = frozenset({Scope.parse("read"), Scope.parse("write")})
        maker = Principal(ada.user_id, "ada", is_superuser=True, scopes=scopes, token_id=UUID(made["id"]))
        first = first or made["id"]
    await metadata.as_(ada).post("/tokens", {"name": "another", "scopes": ["read", "write"]})
    assert (await metadata.as_(ada).delete(f"/tokens/{first}")).status_code == 204
    remaining = (await metadata.as_(ada).get("/tokens")).json()
    assert [token["name"] for token in remaining if token["name"]] == ["another"]


async def test_a_worker_gets_no_permission_to_administer(cingulum: Cingulum) -> None:
    metadata = await first_administrator(cingulum)
    ada = Principal(await _user_id(metadata), "ada", is_superuser=True)
    for scope in ("admin", "release"):
        body = {"name": "m", "kind": "worker", "scopes": ["work", scope]}
        answer = await metadata.as_(ada).post("/tokens", body)
        assert (answer.status_code, "scopes" in answer.json()) == (400, True)
