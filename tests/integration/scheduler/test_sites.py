"""A job goes only to workers that can read its inputs, however long an upload takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.schemas.states import CopyState
from libs.common.testing import Callers, Running
from services.scheduler.operations import graph, jobs, sweeps
from services.scheduler.operations.context import SchedulerContext
from services.scheduler.queries import inputs
from tests.support.jobs import (
    a_claim,
    a_session_with_trials,
    copy_to_agent,
    deliver,
    move_file_to_the_lab,
    reconcile,
    store_file,
)
from tests.support.makers.events import make_event
from tests.support.makers.metadata import make_project
from tests.support.makers.registry import set_central_copy
from tests.support.system import Cingulum

AT_THE_LAB = {"site": "lab_server", "worker": "at the lab", "in_place": True}
AT_SECOND = {"site": "second", "in_place": True}


async def a_session_at_the_lab(cingulum: Cingulum, callers: Callers, scheduler: Running) -> UUID:
    session = await a_session_with_trials(cingulum, callers)
    await move_file_to_the_lab(cingulum, callers, session)
    await reconcile(scheduler, session)
    return session


async def the_job(scheduler: Running, session: UUID) -> dict[str, Any]:
    """The session's summary: the only job whose inputs exist."""
    listed = (await scheduler.get(f"/jobs?session={session}&task=trial_summary")).json()["results"]
    return dict((await scheduler.get(f"/jobs/{listed[0]['id']}")).json())


async def claimed(scheduler: Running, **more: object) -> dict[str, Any]:
    """A job, whose row the sweep of all sessions after a start may have locked for a while."""
    claim: dict[str, Any] = (await scheduler.post("/jobs/claim", a_claim(wait_s=55, **more))).json()
    assert claim["job"] is not None
    return claim


async def has_none(scheduler: Running, **more: object) -> bool:
    claim = (await scheduler.post("/jobs/claim", a_claim(wait_s=0, **more))).json()
    return claim["job"] is None


async def hours_pass(cingulum: Cingulum, scheduler: Running) -> None:
    """Every pause and every lease is over, and the sweep has run."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute(
            "UPDATE scheduler.jobs SET not_before = not_before - interval '1 day', "
            "deadline = deadline - interval '1 day';"
            "UPDATE scheduler.ready SET not_before = not_before - interval '1 day'"
        )
    finally:
        await connection.close()
    async with scheduler.app.state.writer.begin() as tx:
        await sweeps.expire_leases(tx, scheduler.app.state.context)


async def give_back(scheduler: Running, claim: dict[str, Any]) -> None:
    body = {"token": claim["token"], "kind": "unreadable", "reason": "the table cannot be read here: 404."}
    response = await scheduler.post(f"/jobs/{claim['job']['id']}/fail", body)
    assert response.status_code == 200, response.text


async def test_an_upload_longer_than_all_retries_loses_no_job(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    for _ in range(6):  # more often than a job is tried
        assert await has_none(scheduler)
        await hours_pass(cingulum, scheduler)
    job = await the_job(scheduler, session)
    assert (job["state"], job["attempts"], job["history"]) == ("Waiting", 0, [])
    assert job["why"] == "Its inputs are only at lab_server; they are being uploaded."
    await deliver(scheduler, await store_file(cingulum, session))
    assert (await the_job(scheduler, session))["why"] == "Ready; waits for a free worker."
    claim = await claimed(scheduler)
    assert claim["job"]["id"] == job["id"]


@pytest.mark.parametrize("site", ["lab_server", "disk.hilllab", "hilllab"])
async def test_a_worker_beside_the_file_takes_the_job_meanwhile(
    cingulum: Cingulum, callers: Callers, site: str
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    older = {"site": site}  # a worker of an older version does not send whether it has a tree
    for name in ("other_server", "central"):
        assert await has_none(scheduler, site=name, in_place=True), name
    for elsewhere in (older, older | {"in_place": False}):
        assert await has_none(scheduler, **elsewhere), elsewhere
    claim = await claimed(scheduler, site=site, in_place=True)
    assert claim["job"]["id"] == (await the_job(scheduler, session))["id"]


async def test_a_worker_gets_no_job_of_a_session_that_it_may_not_read(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    project = await make_project(cingulum, "secretp", session, is_private=True)
    await reconcile(scheduler, session)
    assert await has_none(scheduler)
    inside = scheduler.as_(replace(callers.worker, projects=frozenset({project})))
    assert (await claimed(inside))["job"]["session_id"] == str(session)


async def test_a_worker_of_the_lab_gets_the_jobs_of_the_pool_too(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    assert await claimed(scheduler, **AT_THE_LAB)


@pytest.mark.parametrize("event", ["delivered", "lost"])
async def test_a_copy_that_arrives_wakes_a_worker_that_waits(
    cingulum: Cingulum, callers: Callers, event: str
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    parked = asyncio.create_task(scheduler.post("/jobs/claim", a_claim(wait_s=55)))
    arrived = await store_file(cingulum, session)
    if event == "delivered":
        await deliver(scheduler, arrived)
    else:
        await make_event(cingulum, Service.REGISTRY, arrived)
        await scheduler.sweep()
    assert (await parked).json()["job"]["session_id"] == str(session)


async def test_a_job_whose_input_was_gone_when_it_was_read_is_not_counted_and_waits_for_the_file(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    for _ in range(6):
        claim = await claimed(scheduler, **AT_THE_LAB)
        await give_back(scheduler, claim)
        job = await the_job(scheduler, session)
        assert (job["state"], job["attempts"]) == ("Waiting", 0)
        assert "the table cannot be read here" in job["why"]
        assert await has_none(scheduler, **AT_THE_LAB), "it pauses, or it would be tried without end"
        await hours_pass(cingulum, scheduler)
    assert {attempt["state"] for attempt in job["history"]} == {"returned"}
    claim = await claimed(scheduler, **AT_THE_LAB)
    await give_back(scheduler, claim)
    await deliver(scheduler, await store_file(cingulum, session))
    assert await claimed(scheduler), "a copy that arrives ends the pause"


async def test_a_job_pauses_only_at_the_site_where_it_could_not_be_read(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    await copy_to_agent(cingulum, callers, session, "second")
    await reconcile(scheduler, session)
    claim = await claimed(scheduler, **AT_THE_LAB)
    await give_back(scheduler, claim)
    assert await has_none(scheduler, **AT_THE_LAB)
    claim = await claimed(scheduler, **AT_SECOND)
    await reconcile(scheduler, session)  # as an event of another file of the session does
    await give_back(scheduler, claim)
    for site in (AT_THE_LAB, AT_SECOND):
        assert await has_none(scheduler, **site), (
            "two sites that cannot read it would pass it back and forth forever"
        )
    await hours_pass(cingulum, scheduler)
    assert await claimed(scheduler, **AT_THE_LAB)


async def test_a_copy_that_became_doubtful_is_not_read_and_its_row_does_not_stay(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    await set_central_copy(cingulum, session, CopyState.SUSPECT)
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        assert await has_none(scheduler)
        async with scheduler.app.state.database.read() as reading:
            stale, _ = await inputs.fetch_stale_session_ids(reading, UUID(int=0), 100)
        for session_id in stale:  # none, where the sweep after each start was faster
            await reconcile(scheduler, session_id)
        assert await connection.fetchval("SELECT count(*) FROM scheduler.ready") == 0
    finally:
        await connection.close()
    job = await the_job(scheduler, session)
    assert job["state"] == "Held"


async def test_a_session_that_cannot_be_reconciled_does_not_stop_the_others(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted([await a_session_with_trials(cingulum, callers) for _ in range(2)])

    async def reconcile_others(tx: Transaction, context: SchedulerContext, session: UUID) -> None:
        if session == first:
            raise KeyError(session)
        await really(tx, context, session)

    really = graph.reconcile_session
    monkeypatch.setattr(graph, "reconcile_session", reconcile_others)
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    assert (await claimed(scheduler))["job"]["session_id"] == str(second)


async def test_an_overdue_job_that_cannot_be_changed_does_not_stop_the_others(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    for _ in range(2):
        await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    both = [(await claimed(scheduler))["job"] for _ in range(2)]
    first, second = sorted(both, key=lambda job: str(job["session_id"]))
    really = graph.reconcile_session

    async def reconcile_others(tx: Transaction, context: SchedulerContext, session: UUID) -> None:
        if str(session) == first["session_id"]:
            raise KeyError(session)
        await really(tx, context, session)

    monkeypatch.setattr(jobs, "reconcile_session", reconcile_others)
    await hours_pass(cingulum, scheduler)
    states = [(await scheduler.get(f"/jobs/{job['id']}")).json()["state"] for job in (first, second)]
    assert states == ["Started", "Waiting"]
