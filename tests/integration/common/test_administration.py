"""What administrators see and do about events that failed, and the audit log, by HTTP and by `cingulum events`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import typer
from typer.testing import CliRunner, Result

from cingulum.cli.events import register
from libs.common.catalogue import SHARED, STATEFUL, Service, service_of
from libs.common.db.audit import insert_seals
from libs.common.permissions import may
from libs.common.scopes import Permission, Scope
from libs.common.testing import Callers, Running
from tests.support.gateway import served
from tests.support.system import Cingulum
from tests.support.waiting import attempts

ERROR = "RuntimeError('[/data] [parameters: 1]')"
ORDERED = "cingulum.registry.proof.ordered.v1"  # transfer hears it


async def a_failed_event(cingulum: Cingulum, *, parked: bool = True) -> UUID:
    """An event that transfer has not handled: parked, or waiting an hour for its next try."""
    event_id = uuid4()
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        "INSERT INTO transfer.dead_events (event_id, subject, payload, failures, error, parked_at, retry_at) "
        "VALUES ($1, $2, '{\"copy_ids\": []}', 5, $4, CASE WHEN $3 THEN now() END, "
        "now() + interval '1 hour')",
        event_id,
        ORDERED,
        parked,
        ERROR,
    )
    await connection.close()
    return event_id


async def handled(cingulum: Cingulum, event_id: UUID) -> None:
    """Wait until transfer has handled the event."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        async with asyncio.timeout(60):
            await _appears(connection, event_id)
    finally:
        await connection.close()


async def _appears(connection: asyncpg.Connection, event_id: UUID) -> None:
    query = "SELECT EXISTS (SELECT FROM transfer.inbox WHERE event_id = $1)"
    async for _ in attempts():
        if await connection.fetchval(query, event_id):
            return


async def ids(running: Running, state: str) -> list[str]:
    """The events of a list."""
    answer = await running.get(f"/events/transfer/{state}")
    assert answer.status_code == 200, answer.text
    return [row["event_id"] for row in answer.json()["results"]]


async def test_only_administrators_see_and_change_failed_events(cingulum: Cingulum, callers: Callers) -> None:
    event = await a_failed_event(cingulum)
    transfer = await cingulum.start(Service.TRANSFER)
    roads = [
        ("GET", "/events/transfer/parked"),
        ("GET", "/events/transfer/waiting"),
        ("POST", f"/events/transfer/parked/{event}/retry"),
        ("DELETE", f"/events/transfer/parked/{event}"),
        ("GET", "/audit/transfer"),
        ("GET", "/audit/transfer/check"),
    ]
    for role, principal in callers.all().items():
        if principal is None or not may(principal, Permission.ADMIN):
            for method, path in roads:
                answer = await transfer.as_(principal).request(method, path)
                assert answer.status_code == 403, f"{role}: {method} {path}"
    assert await ids(transfer.as_(callers.administrator), "parked") == [str(event)]


async def test_a_token_reads_what_is_for_administrators_with_the_permission_for_it(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer, lab = await cingulum.start(Service.TRANSFER), callers.lab_id
    for scopes, status in (
        (("read", "admin"), 200),
        (("admin",), 200),
        (("read", "write", "register", "transfer", "work"), 403),
        ((f"lab:{lab}:admin", "read"), 403),
        ((f"lab:{lab}:read", "admin"), 403),
        ((f"project:{lab}:read", "admin"), 403),
        ((f"lab:{lab}:read", "read", "admin"), 200),
    ):
        token = replace(callers.administrator, scopes=frozenset(map(Scope.parse, scopes)))
        for path in (
            "/audit/transfer",
            "/audit/transfer/check",
            "/events/transfer/parked",
            "/events/transfer/waiting",
        ):
            answer = await transfer.as_(token).get(path)
            assert answer.status_code == status, (scopes, path)


async def test_a_parked_event_is_retried_and_dropped(cingulum: Cingulum, callers: Callers) -> None:
    first, second = await a_failed_event(cingulum), await a_failed_event(cingulum)
    third = await a_failed_event(cingulum, parked=False)
    transfer = await cingulum.start(Service.TRANSFER, callers.administrator)
    assert set(await ids(transfer, "parked")) == {str(first), str(second)}
    assert await ids(transfer, "waiting") == [str(third)]

    answer = await transfer.post(f"/events/transfer/parked/{first}/retry")
    assert (answer.status_code, answer.json()["failures"]) == (200, 0)
    await handled(cingulum, first)
    assert (await transfer.post(f"/events/transfer/waiting/{third}/retry")).status_code == 200
    await handled(cingulum, third)

    assert (await transfer.delete(f"/events/transfer/waiting/{second}")).status_code == 404
    assert (await transfer.delete(f"/events/transfer/parked/{second}")).status_code == 204
    await handled(cingulum, second)
    assert await ids(transfer, "parked") == []
    audited = (await transfer.get("/audit/transfer?action=event.dropped")).json()
    assert audited["count"] == 1
    assert audited["results"][0]["object_id"] == str(second)
    assert audited["results"][0]["before"]["payload"] == {"copy_ids": []}


async def test_audit_entries_are_filtered_exactly(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await cingulum.start(Service.TRANSFER, callers.administrator)
    async with transfer.app.state.writer.begin() as tx:
        tx.audit("thing.created", "thing", "1")
        tx.audit("thing.deleted", "thing", "1")
    audited = (await transfer.get("/audit/transfer?object_type=thing&action=thing.deleted")).json()
    assert [entry["action"] for entry in audited["results"]] == ["thing.deleted"]
    assert (await transfer.get("/audit/transfer?action=thing")).json()["count"] == 0


async def test_a_check_names_the_first_audit_entry_that_was_changed(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await cingulum.start(Service.TRANSFER, callers.administrator)
    writer = transfer.app.state.writer
    async with writer.begin() as tx:
        for n in range(3):
            tx.audit("thing.created", "thing", str(n))
    async for _ in attempts():  # the service's own sealer may be at it
        async with writer.database.begin() as session:
            if await insert_seals(session, writer.tables):
                break
    intact = {"is_intact": True, "first_broken_id": None}
    assert (await transfer.get("/audit/transfer/check")).json() == intact

    owner = await asyncpg.connect(cingulum.admin_url)
    changed_id = await owner.fetchval(
        "UPDATE transfer.audit SET action = 'thing.deleted' WHERE object_id = '1' RETURNING id"
    )
    await owner.close()
    broken = {"is_intact": False, "first_broken_id": changed_id}
    assert (await transfer.get("/audit/transfer/check")).json() == broken


@pytest.mark.parametrize(
    "path",
    [
        "/events/registry/parked",
        "/audit/registry",
        "/audit/registry/check",
        "/undo/transfer",
        "/events/transfer",
    ],
)
async def test_what_a_service_does_not_answer_is_404(cingulum: Cingulum, callers: Callers, path: str) -> None:
    transfer = await cingulum.start(Service.TRANSFER, callers.administrator)
    assert (await transfer.get(path)).status_code == 404


def test_shared_segments_are_routed_by_the_second_one() -> None:
    for segment in SHARED:
        for service in STATEFUL:
            assert service_of(f"/{segment}/{service}/parked") is service
        for nobody in ("", "/", "/gateway", "/nobody", "/portal/parked"):
            assert service_of(f"/{segment}{nobody}") is None


def typed(*words: str) -> Result:
    """`cingulum …` as somebody types it."""
    app = typer.Typer()
    register(app)
    app.callback()(lambda: None)
    return CliRunner(env={"COLUMNS": "250"}).invoke(app, ["events", *words])


async def test_the_command_line_lists_retries_and_drops(cingulum: Cingulum) -> None:
    first, second = await a_failed_event(cingulum), await a_failed_event(cingulum)
    admin = {"CINGULUM_ADMIN_USERNAME": "ada", "CINGULUM_ADMIN_PASSWORD": "correct horse"}
    async with served({**cingulum.environment, **admin}) as url:
        sign_in = ["--url", url, "--user", "ada", "--password", "correct horse"]

        async def events(*words: str) -> Any:
            return await asyncio.to_thread(typed, *words, *sign_in)

        listed = await events("list", "--payload")
        assert listed.exit_code == 1, listed.output
        assert all(text in listed.output for text in (str(first), str(second), ERROR, "copy_ids"))
        assert (await events("drop", "transfer", str(second), "--yes")).exit_code == 0
        retried = await events("retry", "transfer", "--all")
        assert "1 events will be retried" in retried.output
        await handled(cingulum, first)
        assert (await events("list")).output.strip() == "No event failed."
        assert (await events("retry", "transfer", str(first))).exit_code == 1
    assert "PARKED" in typed("--help").output
