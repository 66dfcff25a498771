"""Who guesses passwords has to wait, everywhere; whom the account belongs to does not wait long."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.common.address import HEADER, sign_address
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.testing import Running
from libs.common.testing.callers import keys
from services.metadata.domain import back_off
from tests.support.gateway import mounted
from tests.support.portal import ADMIN, LOGIN, Browser
from tests.support.system import Cingulum

HOME, CAFE = "192.0.2.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def waits_outlast_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait is longer than a request takes on a busy machine."""
    for kind, limit in back_off.LIMITS.items():
        monkeypatch.setitem(back_off.LIMITS, kind, replace(limit, first=timedelta(seconds=8)))


@pytest.fixture
async def metadata(cingulum: Cingulum) -> Running:
    cingulum.environment = {**cingulum.environment, **ADMIN}
    return await cingulum.start(Service.METADATA)


async def sign_in(
    metadata: Running, address: str, password: str = LOGIN["password"], username: str = LOGIN["username"]
) -> httpx.Response:
    signed = sign_address(address, Service.METADATA, keys().signing, now=time.time())
    body = {"username": username, "password": password}
    return await metadata.post("/auth-token", body, headers={HEADER: signed})


async def guess(metadata: Running, address: str, times: int, username: str = LOGIN["username"]) -> list[int]:
    return [
        (await sign_in(metadata, address, f"guess number {n}", username)).status_code for n in range(times)
    ]


async def test_after_five_wrong_passwords_an_address_waits_for_that_account_and_gets_in_afterwards(
    metadata: Running,
) -> None:
    assert await guess(metadata, CAFE, 5) == [400] * 5
    refused = await sign_in(metadata, CAFE)
    assert refused.status_code == 429
    assert refused.json()["type"] == "sign-in-later"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await sign_in(metadata, HOME)).status_code == 200, "others are not kept waiting"
    for _ in range(600):
        if (answer := await sign_in(metadata, CAFE)).status_code == 200:
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == 200


async def test_an_account_that_many_addresses_guess_at_stays_open_to_where_it_signed_in_before(
    metadata: Running,
) -> None:
    assert (await sign_in(metadata, HOME)).status_code == 200
    statuses = [(await guess(metadata, f"203.0.113.{n}", 1))[0] for n in range(14)]
    assert statuses[:10] == [400] * 10
    assert 429 in statuses
    assert (await sign_in(metadata, HOME)).status_code == 200
    assert (await guess(metadata, CAFE, 1, "somebody-else")) == [400], "other accounts are not concerned"


async def test_an_address_that_tries_many_names_waits_whatever_the_name(metadata: Running) -> None:
    statuses = [(await guess(metadata, CAFE, 1, f"name{n}"))[0] for n in range(34)]
    assert statuses[:30] == [400] * 30
    assert 429 in statuses
    assert (await sign_in(metadata, CAFE)).status_code == 429
    assert (await sign_in(metadata, HOME)).status_code == 200


async def test_who_signed_in_from_an_address_does_not_wait_for_others_behind_it(metadata: Running) -> None:
    assert (await sign_in(metadata, CAFE)).status_code == 200
    statuses = [(await guess(metadata, CAFE, 1, f"name{n}"))[0] for n in range(31)]
    assert 429 in statuses
    assert (await sign_in(metadata, CAFE)).status_code == 200
    assert (await guess(metadata, CAFE, 6))[-1] == 429, "guessing that account is slowed down there, too"


async def test_an_ipv6_network_counts_as_one_address(metadata: Running) -> None:
    statuses = [(await guess(metadata, f"2001:db8::{n:x}", 1))[0] for n in range(8)]
    assert statuses[:5] == [400] * 5
    assert 429 in statuses


async def test_two_replicas_count_together(metadata: Running, cingulum: Cingulum) -> None:
    other = await cingulum.start(Service.METADATA)
    assert await guess(metadata, CAFE, 3) == [400] * 3
    assert await guess(other, CAFE, 2) == [400] * 2
    assert {(await sign_in(one, CAFE)).status_code for one in (metadata, other)} == {429}


async def test_guesses_at_the_same_moment_go_one_at_a_time_once_the_free_ones_are_used_up(
    metadata: Running,
) -> None:
    for n in range(9):
        await guess(metadata, f"203.0.113.{n}", 1)
    await asyncio.gather(*(guess(metadata, f"203.0.113.{n}", 1) for n in range(20, 23)))
    async with asyncio.timeout(120):
        while True:  # a wait ends, and of those that come then one is tried
            answers = await asyncio.gather(*(guess(metadata, f"203.0.113.{n}", 1) for n in range(30, 36)))
            if [400] in answers:
                break
            await asyncio.sleep(0.2)
    assert answers.count([400]) == 1


async def test_a_failure_is_written_down_with_name_and_address(
    capsys: pytest.CaptureFixture[str], cingulum: Cingulum
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_LOG_LEVEL": "WARNING"}
    metadata = await cingulum.start(Service.METADATA)  # its logs go where standard error goes now
    await guess(metadata, CAFE, 1, "mallory")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "sign-in failed" in line]
    assert [(line["name"], line["address"]) for line in lines] == [("mallory", CAFE)]
    onlooker = await asyncpg.connect(cingulum.admin_url)
    rows = await onlooker.fetch("SELECT after FROM metadata.audit WHERE action = 'sign-in.failed'")
    await onlooker.close()
    assert [json.loads(row["after"]) for row in rows] == [
        {"name": "mallory", "address": CAFE, "reason": "password"}
    ]


async def test_where_passwords_wait_in_a_long_queue_more_are_refused_and_nothing_else_is(
    cingulum: Cingulum,
) -> None:
    cingulum.environment = {
        **cingulum.environment,
        **ADMIN,
        "CINGULUM_PASSWORD_THREADS": "2",
        "CINGULUM_PASSWORD_QUEUE": "2",
    }
    metadata = await cingulum.start(Service.METADATA)
    over = threading.Event()
    hashing = metadata.app.state.sign_ins.hashing
    busy = [asyncio.create_task(hashing.run(over.wait, address)) for address in (HOME, HOME, CAFE, CAFE)]
    await asyncio.sleep(0)
    refused = await sign_in(metadata, "203.0.113.1")
    assert refused.status_code == 429
    assert refused.json()["type"] == "sign-ins-wait"
    assert int(refused.headers["Retry-After"]) >= 1
    assert await asyncio.to_thread(lambda: "done") == "done", "the threads that all else uses are free"
    admin = metadata.as_(Principal(uuid4(), "ada", is_superuser=True))
    assert (await admin.post("/labs", {"name": "hilllab"})).status_code == 201
    over.set()
    await asyncio.gather(*busy)
    assert (await sign_in(metadata, "203.0.113.1")).status_code == 200


@pytest.mark.parametrize("last", ["", "{n:x}"])
async def test_one_address_cannot_take_all_places_of_the_queue(metadata: Running, last: str) -> None:
    over = threading.Event()
    hashing = metadata.app.state.sign_ins.hashing
    theirs = [f"2001:db8::{last.format(n=n)}" for n in range(1, 61)]
    busy = [asyncio.create_task(hashing.run(over.wait, address)) for address in theirs]
    await asyncio.sleep(0)
    assert (await sign_in(metadata, theirs[-1])).status_code == 429
    waiting = asyncio.create_task(sign_in(metadata, HOME))
    await asyncio.sleep(0)
    over.set()
    assert (await waiting).status_code == 200
    await asyncio.gather(*busy, return_exceptions=True)


@pytest.mark.parametrize(
    "password",
    ["too short", "1234567890", "Password2024!", "P@$$w0rd!!", "TapetesBloc18", "eve1234567", "qwertyuiop"],
)
async def test_a_password_that_is_tried_first_is_refused(metadata: Running, password: str) -> None:
    admin = metadata.as_(Principal(uuid4(), "ada", is_superuser=True))
    answer = await admin.post("/users", {"username": "eve", "password": password})
    assert answer.status_code == 400
    assert "password" in answer.json()
    assert (await admin.get("/users/eve")).status_code == 404
    assert (await admin.post("/users", {"username": "eve"})).status_code == 201
    assert (await admin.patch("/users/eve", {"password": password})).status_code == 400


async def test_the_first_administrator_has_no_common_password_either(cingulum: Cingulum) -> None:
    cingulum.environment = {**cingulum.environment, **ADMIN, "CINGULUM_ADMIN_PASSWORD": "password123"}
    with pytest.raises(ValueError, match="CINGULUM_ADMIN_PASSWORD"):
        await cingulum.start(Service.METADATA)


async def test_the_name_of_a_deleted_user_is_not_given_to_another_and_the_answer_says_why(
    metadata: Running,
) -> None:
    admin = metadata.as_(Principal(uuid4(), "ada", is_superuser=True))
    await admin.post("/users", {"username": "eve"})
    assert (await admin.delete("/users/eve")).status_code == 204
    await admin.post("/users", {"username": "bob"})
    for answer in (
        await admin.post("/users", {"username": "eve"}),
        await admin.patch("/users/bob", {"username": "eve"}),
    ):
        assert answer.status_code == 409
        assert "choose another" in answer.json()["username"][0]


@pytest.fixture
async def http(cingulum: Cingulum) -> AsyncIterator[httpx.AsyncClient]:
    async with mounted({**cingulum.environment, **ADMIN, "CINGULUM_TRUSTED_PROXIES": "127.0.0.1"}) as client:
        yield client


async def addresses_of_failures(cingulum: Cingulum) -> set[str]:
    onlooker = await asyncpg.connect(cingulum.admin_url)
    rows = await onlooker.fetch(
        "SELECT DISTINCT after->>'address' AS address FROM metadata.audit WHERE action = 'sign-in.failed'"
    )
    await onlooker.close()
    return {row["address"] for row in rows}


async def test_the_gateway_tells_the_address_and_nobody_else_can(
    http: httpx.AsyncClient, cingulum: Cingulum
) -> None:
    forged = "e30.e30.e30"
    came_by = {"X-Forwarded-For": CAFE}
    wrong = {"username": "ada", "password": "battery staple"}
    await http.post("/auth-token", json=wrong, headers={**came_by, HEADER: forged})
    assert (await http.get("/me", auth=("ada", "battery staple"), headers=came_by)).status_code == 403
    page = await Browser(http).get("/app/login")
    assert page.status_code == 200
    http.headers.update(came_by)
    assert (await Browser(http).sign_in(password="battery staple")).status_code == 400
    assert await addresses_of_failures(cingulum) == {CAFE}


async def test_who_brings_wrong_passwords_with_each_request_is_told_to_wait(http: httpx.AsyncClient) -> None:
    statuses = [(await http.get("/me", auth=("ada", f"guess number {n}"))).status_code for n in range(7)]
    assert statuses == [403] * 5 + [429] * 2
