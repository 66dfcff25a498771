"""The gateway identifies its callers, and identities cannot be forged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.common.auth import HEADER
from libs.common.catalogue import Service
from libs.common.testing import Callers
from libs.common.testing.callers import identity_headers
from services.gateway import queries
from services.metadata.operations.hashing import PasswordHashing
from tests.support.gateway import mounted
from tests.support.system import Cingulum
from tests.support.waiting import attempts

ADMIN = {"CINGULUM_ADMIN_USERNAME": "ada", "CINGULUM_ADMIN_PASSWORD": "correct horse"}


@pytest.fixture
async def http(cingulum: Cingulum) -> AsyncIterator[httpx.AsyncClient]:
    async with mounted({**cingulum.environment, **ADMIN}) as client:
        yield client


async def log_in(http: httpx.AsyncClient) -> dict[str, str]:
    answer = await http.post("/auth-token", data={"username": "ada", "password": "correct horse"})
    return {"Authorization": f"Token {answer.json()['token']}"}


async def test_a_token_a_password_and_a_token_in_its_place_all_identify_the_caller(
    http: httpx.AsyncClient,
) -> None:
    token = await log_in(http)
    for how in (
        {"headers": token},
        {"headers": {"Authorization": token["Authorization"].replace("Token", "Bearer")}},
        {"auth": ("ada", "correct horse")},
        {"auth": ("anything", token["Authorization"].split()[1])},
    ):
        answer = await http.get("/me", **how)
        assert answer.status_code == 200, how
        assert answer.json()["username"] == "ada"


async def test_a_wrong_token_is_refused_with_the_text_that_clients_match(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers={"Authorization": "Token 0123"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Invalid token."


async def test_a_forged_identity_is_ignored(http: httpx.AsyncClient, callers: Callers) -> None:
    stolen = identity_headers(callers.administrator, Service.METADATA)
    assert HEADER in stolen
    assert (await http.get("/me", headers=stolen)).status_code == 403


async def test_a_revoked_token_is_refused_soon(http: httpx.AsyncClient) -> None:
    admin = await log_in(http)
    made = (await http.post("/tokens", json={"name": "rig", "scopes": ["read"]}, headers=admin)).json()
    rig = {"Authorization": f"Token {made['token']}"}
    assert (await http.get("/me", headers=rig)).json()["scopes"] == ["read"]
    await http.delete(f"/tokens/{made['id']}", headers=admin)
    async for _ in attempts():
        if (answer := await http.get("/me", headers=rig)).status_code == 403:
            break
    assert answer.json()["detail"] == "Invalid token."


async def _answers(http: httpx.AsyncClient, token: str, statuses: set[int], **request: Any) -> bool:
    """Whether a token gets one of these statuses within the time for which the gateway caches its owner."""
    async for _ in attempts():
        answer = await http.request(**request, headers={"Authorization": f"Token {token}"})
        if answer.status_code in statuses:
            return True
    return False


@pytest.mark.parametrize("change", [{"is_superuser": False}, {"is_active": False}], ids=str)
async def test_tokens_for_machines_end_with_the_rights_of_their_maker(
    http: httpx.AsyncClient, change: dict[str, bool]
) -> None:
    admin = await log_in(http)
    bea = {"username": "bea", "password": "correct horse", "is_superuser": True}
    assert (await http.post("/users", json=bea, headers=admin)).status_code == 201
    tokens = {}
    for kind in ("worker", "personal"):
        body = {"name": kind, "kind": kind, "scopes": ["read", "write", "work"]}
        made = await http.post("/tokens", json=body, auth=("bea", "correct horse"))
        tokens[kind] = made.json()["token"]
    claim = {"claim_id": str(uuid4()), "worker": "w", "tasks": ["t"], "wait_s": 0}
    claiming = {"method": "POST", "url": "/jobs/claim", "json": claim}
    for token in tokens.values():
        assert await _answers(http, token, {200}, **claiming)

    assert (await http.patch("/users/bea", json=change, headers=admin)).status_code == 200
    for token in tokens.values():
        assert await _answers(http, token, {403}, **claiming)
    me = {"method": "GET", "url": "/me"}
    assert await _answers(http, tokens["worker"], {403}, **me)
    assert await _answers(http, tokens["personal"], {200 if "is_superuser" in change else 403}, **me)

    back = dict.fromkeys(change, True)
    assert (await http.patch("/users/bea", json=back, headers=admin)).status_code == 200
    assert await _answers(http, tokens["worker"], {200}, **claiming)


async def test_a_delegate_edits_no_animal_of_a_deactivated_user(http: httpx.AsyncClient) -> None:
    admin = await log_in(http)
    for name in ("bea", "dora"):
        user = {"username": name, "password": "correct horse"}
        assert (await http.post("/users", json=user, headers=admin)).status_code == 201
    delegated = await http.patch("/users/bea", json={"allowed_users": ["dora"]}, headers=admin)
    assert delegated.status_code == 200
    await http.post("/labs", json={"name": "hilllab"}, headers=admin)
    animal = {"nickname": "KS001", "lab": "hilllab", "responsible_user": "bea"}
    assert (await http.post("/subjects", json=animal, headers=admin)).status_code == 201
    login = {"username": "dora", "password": "correct horse"}
    dora = (await http.post("/auth-token", json=login)).json()["token"]
    edit = {"method": "PATCH", "url": "/subjects/KS001", "json": {"description": "calm"}}
    assert await _answers(http, dora, {200}, **edit)
    assert (await http.patch("/users/bea", json={"is_active": False}, headers=admin)).status_code == 200
    assert await _answers(http, dora, {403}, **edit)


async def test_every_response_has_the_id_of_its_request(http: httpx.AsyncClient) -> None:
    answer = await http.get("/me", headers={"X-Request-Id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"


async def test_audit_rows_have_the_id_of_their_request(http: httpx.AsyncClient, cingulum: Cingulum) -> None:
    admin = await log_in(http)
    await http.post("/labs", json={"name": "hilllab"}, headers={**admin, "X-Request-Id": "rig-7"})
    onlooker = await asyncpg.connect(cingulum.admin_url)
    audited = await onlooker.fetchval("SELECT request_id FROM metadata.audit WHERE action = 'lab.created'")
    await onlooker.close()
    assert audited == "rig-7"


async def test_an_unknown_path_is_404_and_health_names_every_service(http: httpx.AsyncClient) -> None:
    assert (await http.get("/nobody")).status_code == 404
    member = await log_in(http)
    async with asyncio.timeout(60):  # on a busy machine a service may not say in time that it is ready
        while (health := await http.get("/health/ready", headers=member)).status_code != 200:
            pass
    assert health.json()["services"]["metadata"] == "ok"
    for stranger in ({}, {"Authorization": "Token 0123"}):
        assert (await http.get("/health/ready", headers=stranger)).json().keys() == {"status"}


@pytest.mark.parametrize("how", [{"headers": {"Authorization": "Token 0123"}}, {"auth": ("ada", "a guess")}])
async def test_only_the_address_that_guesses_is_throttled(cingulum: Cingulum, how: dict[str, Any]) -> None:
    one_a_quarter = {"CINGULUM_RATE_LIMIT": "4", "CINGULUM_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    async with mounted({**cingulum.environment, **ADMIN, **one_a_quarter}) as http:
        known = await log_in(http)
        headers = {"X-Forwarded-For": "1.1.1.1, 2.2.2.2", **how.get("headers", {})}
        answers = [await http.get("/me", **{**how, "headers": headers}) for _ in range(2)]
        assert [a.status_code for a in answers] == [403, 429]
        assert int(answers[-1].headers["Retry-After"]) >= 1
        elsewhere = {**headers, "X-Forwarded-For": "2.2.2.2, 3.3.3.3"}
        assert (await http.get("/me", **{**how, "headers": elsewhere})).status_code == 403
        assert (await http.get("/me", headers=known)).status_code == 200


async def test_people_behind_one_address_do_not_share_a_limit_while_they_show_tokens(
    cingulum: Cingulum,
) -> None:
    async with mounted({**cingulum.environment, **ADMIN}) as http:
        token = (await log_in(http))["Authorization"].split()[1]
    one_a_quarter = {"CINGULUM_RATE_LIMIT": "4", "CINGULUM_TRUSTED_PROXIES": "127.0.0.1"}
    async with mounted({**cingulum.environment, **one_a_quarter}) as http:
        router = {"X-Forwarded-For": "2.2.2.2"}
        assert (await http.get("/me", auth=("ada", "a guess"), headers=router)).status_code == 403
        assert (await http.get("/me", auth=("ada", token), headers=router)).status_code == 200


async def test_concurrent_requests_with_one_password_check_it_once(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, verify = queries.find_token_owner, PasswordHashing.verify
    are_all_here, came, checked = asyncio.Event(), 0, 0

    async def counted_look_up(*args: Any) -> Any:
        nonlocal came
        came += 1
        if came == 8:
            are_all_here.set()
        return await look_up(*args)

    async def counted_verify(*args: Any) -> bool:
        nonlocal checked
        checked += 1
        await are_all_here.wait()
        return await verify(*args)

    monkeypatch.setattr(queries, "find_token_owner", counted_look_up)
    monkeypatch.setattr(PasswordHashing, "verify", counted_verify)
    answers = await asyncio.gather(*(http.get("/me", auth=("ada", "correct horse")) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert checked == 1


async def test_requests_for_the_health_of_all_services_are_throttled(cingulum: Cingulum) -> None:
    one_a_quarter = {"CINGULUM_RATE_LIMIT": "4", "CINGULUM_TRUSTED_PROXIES": "127.0.0.1"}
    async with mounted({**cingulum.environment, **ADMIN, **one_a_quarter}) as http:
        for n, path in enumerate(("/health", "/health/ready")):
            headers = {"X-Forwarded-For": f"1.1.{n}.1"}
            first, second = [await http.get(path, headers=headers) for _ in range(2)]
            assert first.status_code in {200, 503}
            assert first.json().keys() == {"status"}
            assert (second.status_code, second.json()["type"]) == (429, "too-many-requests")
            assert int(second.headers["Retry-After"]) >= 1
            for _ in range(3):  # the probe of a container asks nobody else, and is always answered
                assert (await http.get("/health/live", headers=headers)).status_code == 200
            elsewhere = {"X-Forwarded-For": f"2.2.{n}.2"}
            assert (await http.get(path, headers=elsewhere)).status_code in {200, 503}
