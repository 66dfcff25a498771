"""Guessing passwords is delayed; the owner of the account is not delayed for long."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.common.address import HEADER, sign_address
from libs.common.catalogue import Service
from libs.common.db import ReadSession
from libs.common.db.clock import fetch_now
from libs.common.permissions import Principal
from libs.common.testing import Running
from libs.common.testing.callers import keys
from services.metadata.domain import back_off
from tests.support.gateway import mounted
from tests.support.portal import ADMIN, LOGIN, Browser
from tests.support.system import Cingulum

DELAY = timedelta(minutes=10)
HOME, CAFE = "192.0.2.7", "198.51.100.9"


@dataclass
class Clock:
    """The database's time as sign-ins read it; `pass_delay` lets the delays end."""

    ahead: timedelta = timedelta()

    def pass_delay(self) -> None:
        self.ahead += 2 * DELAY


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A delay lasts until the test lets it end, however slow the machine is."""
    clock = Clock()

    async def fetch_shifted_now(session: ReadSession) -> datetime:
        return await fetch_now(session) + clock.ahead

    monkeypatch.setattr("services.metadata.operations.sign_in.fetch_now", fetch_shifted_now)
    for kind, limit in back_off.LIMITS.items():
        monkeypatch.setitem(back_off.LIMITS, kind, replace(limit, first=DELAY, longest=DELAY))
    return clock


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


async def test_after_five_wrong_passwords_an_address_is_delayed_for_that_account(
    metadata: Running, clock: Clock
) -> None:
    assert await guess(metadata, CAFE, 5) == [400] * 5
    refused = await sign_in(metadata, CAFE)
    assert refused.status_code == 429
    assert refused.json()["type"] == "sign-in-later"
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await sign_in(metadata, HOME)).status_code == 200, "other addresses are not delayed"
    clock.pass_delay()
    assert (await sign_in(metadata, CAFE)).status_code == 200


async def test_an_account_under_attack_is_not_delayed_at_an_address_where_it_signed_in_before(
    metadata: Running,
) -> None:
    assert (await sign_in(metadata, HOME)).status_code == 200
    statuses = [(await guess(metadata, f"203.0.113.{n}", 1))[0] for n in range(14)]
    assert statuses[:10] == [400] * 10
    assert 429 in statuses
    assert (await sign_in(metadata, HOME)).status_code == 200
    assert (await guess(metadata, CAFE, 1, "eve")) == [400], "other accounts are not delayed"


async def test_an_address_that_tries_many_names_is_delayed_for_all_accounts(metadata: Running) -> None:
    statuses = [(await guess(metadata, CAFE, 1, f"name{n}"))[0] for n in range(34)]
    assert statuses[:30] == [400] * 30
    assert 429 in statuses
    assert (await sign_in(metadata, CAFE)).status_code == 429
    assert (await sign_in(metadata, HOME)).status_code == 200


async def test_an_account_that_signed_in_from_an_address_is_not_delayed_by_others_behind_it(
    metadata: Running,
) -> None:
    assert (await sign_in(metadata, CAFE)).status_code == 200
    statuses = [(await guess(metadata, CAFE, 1, f"name{n}"))[0] for n in range(31)]
    assert 429 in statuses
    assert (await sign_in(metadata, CAFE)).status_code == 200
    assert (await guess(metadata, CAFE, 6))[-1] == 429, "guessing that account is delayed there, too"


async def test_an_ipv6_network_counts_as_one_address(metadata: Running) -> None:
    statuses = [(await guess(metadata, f"2001:db8::{n:x}", 1))[0] for n in range(8)]
    assert statuses[:5] == [400] * 5
    assert 429 in statuses


async def test_two_replicas_count_together(metadata: Running, cingulum: Cingulum) -> None:
    other = await cingulum.start(Service.METADATA)
    assert await guess(metadata, CAFE, 3) == [400] * 3
    assert await guess(other, CAFE, 2) == [400] * 2
    assert {(await sign_in(replica, CAFE)).status_code for replica in (metadata, other)} == {429}


async def test_simultaneous_guesses_run_one_at_a_time_after_the_free_failures(
    metadata: Running, clock: Clock
) -> None:
    for n in range(9):
        await guess(metadata, f"203.0.113.{n}", 1)
    await asyncio.gather(*(guess(metadata, f"203.0.113.{n}", 1) for n in range(20, 23)))
    clock.pass_delay()
    answers = await asyncio.gather(*(guess(metadata, f"203.0.113.{n}", 1) for n in range(30, 36)))
    assert answers.count([400]) == 1
    assert answers.count([429]) == 5


async def test_a_failure_is_logged_and_audited_with_name_and_address(
    capsys: pytest.CaptureFixture[str], cingulum: Cingulum
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_LOG_LEVEL": "WARNING"}
    metadata = await cingulum.start(Service.METADATA)  # it logs to the captured standard error
    await guess(metadata, CAFE, 1, "mallory")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "sign-in failed" in line]
    assert [(line["name"], line["address"]) for line in lines] == [("mallory", CAFE)]
    database = await asyncpg.connect(cingulum.admin_url)
    rows = await database.fetch("SELECT after FROM metadata.audit WHERE action = 'sign-in.failed'")
    await database.close()
    assert [json.loads(row["after"]) for row in rows] == [
        {"name": "mallory", "address": CAFE, "reason": "password"}
    ]


async def test_a_full_queue_of_passwords_refuses_sign_ins_and_nothing_else(
    cingulum: Cingulum,
) -> None:
    cingulum.environment = {
        **cingulum.environment,
        **ADMIN,
        "CINGULUM_PASSWORD_THREADS": "2",
        "CINGULUM_PASSWORD_QUEUE": "2",
    }
    metadata = await cingulum.start(Service.METADATA)
    release = threading.Event()
    hashing = metadata.app.state.sign_ins.hashing
    busy = [asyncio.create_task(hashing.run(release.wait, address)) for address in (HOME, HOME, CAFE, CAFE)]
    await asyncio.sleep(0)
    refused = await sign_in(metadata, "203.0.113.1")
    assert refused.status_code == 429
    assert refused.json()["type"] == "sign-ins-wait"
    assert int(refused.headers["Retry-After"]) >= 1
    assert await asyncio.to_thread(lambda: "done") == "done", "the default threads are free"
    admin = metadata.as_(Principal(uuid4(), "ada", is_superuser=True))
    assert (await admin.post("/labs", {"name": "hilllab"})).status_code == 201
    release.set()
    await asyncio.gather(*busy)
    assert (await sign_in(metadata, "203.0.113.1")).status_code == 200


@pytest.mark.parametrize("last", ["", "{n:x}"])
async def test_one_address_gets_half_of_the_queue(metadata: Running, last: str) -> None:
    release = threading.Event()
    hashing = metadata.app.state.sign_ins.hashing
    attackers = [f"2001:db8::{last.format(n=n)}" for n in range(1, 61)]
    busy = [asyncio.create_task(hashing.run(release.wait, address)) for address in attackers]
    await asyncio.sleep(0)
    assert (await sign_in(metadata, attackers[-1])).status_code == 429
    waiting = asyncio.create_task(sign_in(metadata, HOME))
    await asyncio.sleep(0)
    release.set()
    assert (await waiting).status_code == 200
    await asyncio.gather(*busy, return_exceptions=True)


@pytest.mark.parametrize(
    "password",
    ["too short", "1234567890", "Password2024!", "P@$$w0rd!!", "TapetesBloc18", "eve1234567", "qwertyuiop"],
)
async def test_a_well_known_password_is_refused(metadata: Running, password: str) -> None:
    admin = metadata.as_(Principal(uuid4(), "ada", is_superuser=True))
    answer = await admin.post("/users", {"username": "eve", "password": password})
    assert answer.status_code == 400
    assert "password" in answer.json()
    assert (await admin.get("/users/eve")).status_code == 404
    assert (await admin.post("/users", {"username": "eve"})).status_code == 201
    assert (await admin.patch("/users/eve", {"password": password})).status_code == 400


async def test_the_first_administrator_cannot_have_a_well_known_password(cingulum: Cingulum) -> None:
    cingulum.environment = {**cingulum.environment, **ADMIN, "CINGULUM_ADMIN_PASSWORD": "password123"}
    with pytest.raises(ValueError, match="CINGULUM_ADMIN_PASSWORD"):
        await cingulum.start(Service.METADATA)


async def test_the_name_of_a_deleted_user_is_refused_with_the_reason(
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
    database = await asyncpg.connect(cingulum.admin_url)
    rows = await database.fetch(
        "SELECT DISTINCT after->>'address' AS address FROM metadata.audit WHERE action = 'sign-in.failed'"
    )
    await database.close()
    return {row["address"] for row in rows}


async def test_only_the_gateway_sets_the_address(http: httpx.AsyncClient, cingulum: Cingulum) -> None:
    forged = "e30.e30.e30"
    forwarded = {"X-Forwarded-For": CAFE}
    wrong = {"username": "ada", "password": "battery staple"}
    await http.post("/auth-token", json=wrong, headers={**forwarded, HEADER: forged})
    assert (await http.get("/me", auth=("ada", "battery staple"), headers=forwarded)).status_code == 403
    page = await Browser(http).get("/app/login")
    assert page.status_code == 200
    http.headers.update(forwarded)
    assert (await Browser(http).sign_in(password="battery staple")).status_code == 400
    assert await addresses_of_failures(cingulum) == {CAFE}


async def test_wrong_passwords_sent_with_requests_are_delayed(http: httpx.AsyncClient) -> None:
    statuses = [(await http.get("/me", auth=("ada", f"guess number {n}"))).status_code for n in range(7)]
    assert statuses == [403] * 5 + [429] * 2
