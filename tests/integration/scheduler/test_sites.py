"""A job is given to workers that can read its inputs, and to no others, for however long an upload takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.testing import Callers, Running
from services.scheduler import events
from services.scheduler.operations import graph, running
from services.scheduler.queries import inputs
from tests.support.jobs import (
    a_claim,
    a_session_with_trials,
    its_file_arrives,
    its_file_lies_at_the_lab,
    look_at,
)
from tests.support.moving import written
from tests.support.system import Cingulum

AT_THE_LAB = {"site": "lab_server", "worker": "at the lab", "in_place": True}
AT_SECOND = {"site": "second", "in_place": True}


async def a_session_at_the_lab(cingulum: Cingulum, callers: Callers, scheduler: Running) -> UUID:
    session = await a_session_with_trials(cingulum, callers)
    await its_file_lies_at_the_lab(cingulum, callers, session)
    await look_at(scheduler, session)
    return session


async def the_job(scheduler: Running, session: UUID) -> dict[str, Any]:
    """The session's summary: the only job whose inputs are there."""
    listed = (await scheduler.get(f"/jobs?session={session}&task=trial_summary")).json()["results"]
    return dict((await scheduler.get(f"/jobs/{listed[0]['id']}")).json())


async def claimed(scheduler: Running, **more: object) -> dict[str, Any]:
    """A job, which the look at all sessions after a start may still hold."""
    got: dict[str, Any] = (await scheduler.post("/jobs/claim", a_claim(wait_s=55, **more))).json()
    assert got["job"] is not None
    return got


async def has_none(scheduler: Running, **more: object) -> bool:
    got = (await scheduler.post("/jobs/claim", a_claim(wait_s=0, **more))).json()
    return got["job"] is None


async def hours_pass(cingulum: Cingulum, scheduler: Running) -> None:
    """Every rest and every lease is over, and the sweep has seen it."""
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
        await running.take_back(tx)


async def gives_back(scheduler: Running, claim: dict[str, Any]) -> None:
    said = {"token": claim["token"], "kind": "unreadable", "reason": "the table cannot be read here: 404."}
    answer = await scheduler.post(f"/jobs/{claim['job']['id']}/fail", said)
    assert answer.status_code == 200, answer.text


async def test_an_upload_longer_than_all_retries_loses_no_job(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    for _ in range(6):  # more often than a job is tried
        assert await has_none(scheduler)
        await hours_pass(cingulum, scheduler)
    job = await the_job(scheduler, session)
    assert (job["state"], job["attempts"], job["history"]) == ("Waiting", 0, [])
    assert job["why"] == "Its inputs are only at lab_server; they are being sent."
    async with scheduler.app.state.writer.begin() as tx:
        await events.copy_verified(tx, await its_file_arrives(cingulum, session))
    assert (await the_job(scheduler, session))["why"] == "Ready; waits for a free worker."
    got = await claimed(scheduler)
    assert got["job"]["id"] == job["id"]


@pytest.mark.parametrize("site", ["lab_server", "disk.hilllab", "hilllab"])
async def test_a_worker_beside_the_file_takes_the_job_meanwhile(
    cingulum: Cingulum, callers: Callers, site: str
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    of_old = {"site": site}  # a worker of an older version does not say whether it has a tree
    for name in ("other_server", "central"):
        assert await has_none(scheduler, site=name, in_place=True), name
    for elsewhere in (of_old, of_old | {"in_place": False}):
        assert await has_none(scheduler, **elsewhere), elsewhere
    got = await claimed(scheduler, site=site, in_place=True)
    assert got["job"]["id"] == (await the_job(scheduler, session))["id"]


async def test_a_job_is_given_to_no_worker_that_may_not_read_its_session(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session, project = await a_session_with_trials(cingulum, callers), uuid4()
    await written(
        cingulum,
        f"""
        INSERT INTO metadata.projects (id, name, is_private) VALUES ('{project}', 'secretp', true);
        INSERT INTO metadata.session_projects (session_id, project_id) VALUES ('{session}', '{project}');
        """,
    )
    await look_at(scheduler, session)
    assert await has_none(scheduler)
    inside = scheduler.as_(replace(callers.worker, projects=frozenset({project})))
    assert (await claimed(inside))["job"]["session_id"] == str(session)


async def test_a_worker_of_the_lab_does_the_jobs_of_the_pool_too(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    assert await claimed(scheduler, **AT_THE_LAB)


@pytest.mark.parametrize("bell", ["heard", "lost"])
async def test_a_copy_that_arrives_wakes_a_worker_that_waits(
    cingulum: Cingulum, callers: Callers, bell: str
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    parked = asyncio.create_task(scheduler.post("/jobs/claim", a_claim(wait_s=55)))
    arrived = await its_file_arrives(cingulum, session)
    if bell == "heard":
        async with scheduler.app.state.writer.begin() as tx:
            await events.copy_verified(tx, arrived)
    else:
        connection = await asyncpg.connect(cingulum.admin_url)
        await connection.execute(
            "INSERT INTO registry.events (id, subject, payload, request_id, rung_at)"
            " VALUES (gen_random_uuid(), $1, $2, 'r1', now())",
            arrived.subject,
            arrived.model_dump_json(),
        )
        await connection.close()
        await scheduler.sweep()
    assert (await parked).json()["job"]["session_id"] == str(session)


async def test_a_job_whose_input_was_gone_when_it_was_read_is_not_counted_and_waits_for_the_file(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    for _ in range(6):
        got = await claimed(scheduler, **AT_THE_LAB)
        await gives_back(scheduler, got)
        job = await the_job(scheduler, session)
        assert (job["state"], job["attempts"]) == ("Waiting", 0)
        assert "the table cannot be read here" in job["why"]
        assert await has_none(scheduler, **AT_THE_LAB), "it rests, or it would be tried without end"
        await hours_pass(cingulum, scheduler)
    assert {attempt["state"] for attempt in job["history"]} == {"returned"}
    got = await claimed(scheduler, **AT_THE_LAB)
    await gives_back(scheduler, got)
    async with scheduler.app.state.writer.begin() as tx:
        await events.copy_verified(tx, await its_file_arrives(cingulum, session))
    assert await claimed(scheduler), "a copy that arrives ends the rest"


async def test_a_job_rests_only_at_the_site_where_it_could_not_be_read(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_at_the_lab(cingulum, callers, scheduler)
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        f"""
        INSERT INTO registry.repositories (id, name, store) VALUES (gen_random_uuid(), 'second', 'agent');
        INSERT INTO registry.copies (id, dataset_id, repository_id, generation, state, proved_at)
            SELECT gen_random_uuid(), d.id, r.id, 1, 'verified', now()
            FROM registry.datasets d, registry.repositories r
            WHERE d.session_id = '{session}' AND r.name = 'second';
        """
    )
    await connection.close()
    await look_at(scheduler, session)
    got = await claimed(scheduler, **AT_THE_LAB)
    await gives_back(scheduler, got)
    assert await has_none(scheduler, **AT_THE_LAB)
    got = await claimed(scheduler, **AT_SECOND)
    await look_at(scheduler, session)  # as an event of another file of the session does
    await gives_back(scheduler, got)
    for site in (AT_THE_LAB, AT_SECOND):
        assert await has_none(scheduler, **site), (
            "two sites that cannot read it would hand it to each other for ever"
        )
    await hours_pass(cingulum, scheduler)
    assert await claimed(scheduler, **AT_THE_LAB)


async def test_a_copy_that_became_doubtful_is_not_read_and_its_row_does_not_stay(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    await look_at(scheduler, session)
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute("UPDATE registry.copies SET state = 'suspect'")
        assert await has_none(scheduler)
        async with scheduler.app.state.database.read() as read:
            stale, _ = await inputs.stale_sites(read, UUID(int=0), 100)
        for found in stale:  # none, where the sweep that follows each start was sooner
            await look_at(scheduler, found)
        assert await connection.fetchval("SELECT count(*) FROM scheduler.ready") == 0
    finally:
        await connection.close()
    job = await the_job(scheduler, session)
    assert job["state"] == "Held"


async def test_a_session_that_cannot_be_looked_at_keeps_no_other_waiting(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted([await a_session_with_trials(cingulum, callers) for _ in range(2)])

    async def look_at_others(tx: Transaction, session: UUID) -> bool:
        if session == first:
            raise KeyError(session)
        return await really(tx, session)

    really = graph.look_at
    monkeypatch.setattr(graph, "look_at", look_at_others)
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    assert (await claimed(scheduler))["job"]["session_id"] == str(second)


async def test_a_late_job_that_cannot_be_judged_keeps_no_other_waiting(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    for _ in range(2):
        await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    jobs = [(await claimed(scheduler))["job"] for _ in range(2)]
    first, second = sorted(jobs, key=lambda job: str(job["session_id"]))
    really = graph.look_at

    async def look_at_others(tx: Transaction, session: UUID) -> bool:
        if str(session) == first["session_id"]:
            raise KeyError(session)
        return await really(tx, session)

    monkeypatch.setattr(running, "look_at", look_at_others)
    await hours_pass(cingulum, scheduler)
    states = [(await scheduler.get(f"/jobs/{job['id']}")).json()["state"] for job in (first, second)]
    assert states == ["Started", "Waiting"]
