"""Workers that wait, lose responses, die, or claim jobs of other labs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from cingulum.worker.heartbeats import HEARTBEAT_EVERY_S
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing import Callers, Running
from services.scheduler.domain import retry
from services.scheduler.domain.retry import Liveness
from services.scheduler.operations.sweeps import expire_leases, sweep_leases
from tests.support.jobs import a_claim, a_session_with_trials, reconcile
from tests.support.locks import until_blocked
from tests.support.system import Cingulum
from tests.support.waiting import attempts


async def run(cingulum: Cingulum, statement: str) -> None:
    """A statement, as the database's owner."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def expire_all_leases(cingulum: Cingulum, scheduler: Running) -> int:
    """All leases are over, and the sweep has run; how many jobs it took back."""
    await run(
        cingulum, "UPDATE scheduler.jobs SET deadline = now() - interval '1 second' WHERE state = 'Started'"
    )
    async with scheduler.app.state.writer.begin() as tx:
        return await expire_leases(tx, scheduler.app.state.context)


def of_another_lab(callers: Callers) -> Principal:
    """A worker whose token is for another lab's jobs."""
    scopes = frozenset({Scope(Permission.WORK, lab_id=uuid4()), Scope(Permission.READ)})
    return Principal(callers.user_id, "elsewhere", labs=frozenset({callers.lab_id}), scopes=scopes)


async def test_a_worker_that_waits_sends_no_request(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    parked = asyncio.create_task(scheduler.post("/jobs/claim", a_claim(wait_s=1.5)))
    times = set()
    async for _ in attempts():
        if parked.done():
            break
        times |= {worker["seen_at"] for worker in (await scheduler.get("/workers")).json()}
    assert parked.result().json()["job"] is None
    assert len(times) <= 2  # when it came, and perhaps when it left


async def test_a_claim_repeated_after_its_lease_was_lost_gets_a_job(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = a_claim(wait_s=5)
    first = (await scheduler.post("/jobs/claim", claim)).json()
    assert await expire_all_leases(cingulum, scheduler) == 1
    await run(cingulum, "UPDATE scheduler.jobs SET not_before = NULL")
    again = await scheduler.post("/jobs/claim", claim)
    assert again.status_code == 200, again.text
    assert again.json()["job"]["id"] == first["job"]["id"]
    assert again.json()["token"] > first["token"]


async def test_a_claim_sent_twice_at_once_gets_one_job(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    for _ in range(3):
        await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = a_claim(wait_s=5)
    responses = await asyncio.gather(*(scheduler.post("/jobs/claim", claim) for _ in range(3)))
    assert [response.status_code for response in responses] == [200] * 3
    assert len({response.json()["token"] for response in responses}) == 1


@pytest.mark.parametrize("call", ["complete", "fail", "log", "heartbeat"])
async def test_a_worker_of_another_lab_is_refused(cingulum: Cingulum, callers: Callers, call: str) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    got = (await scheduler.post("/jobs/claim", a_claim(wait_s=5))).json()
    job, token = got["job"]["id"], got["token"]
    stranger = scheduler.as_(of_another_lab(callers))
    assert (await stranger.post("/jobs/claim", a_claim(wait_s=0))).json()["job"] is None
    if call == "heartbeat":
        body = {"worker": "w1", "jobs": [{"job_id": job, "token": token}]}
        assert (await stranger.post("/jobs/heartbeat", body)).json()["lost"] == [job]
        assert (await scheduler.post("/jobs/heartbeat", body)).json()["lost"] == []
        return
    bodies: dict[str, dict[str, object]] = {
        "complete": {"token": token, "outputs": []},
        "fail": {"token": token, "kind": "permanent", "reason": "because"},
        "log": {"token": token, "n": 0, "text": "it was me"},
    }
    assert (await stranger.post(f"/jobs/{job}/{call}", bodies[call])).status_code == 403
    assert (await scheduler.get(f"/jobs/{job}")).json()["state"] == "Started"


async def test_a_running_job_is_held_while_its_session_is_reconciled(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    job = (await scheduler.post("/jobs/claim", a_claim(wait_s=5))).json()["job"]["id"]
    gate = await asyncpg.connect(cingulum.admin_url)
    lock = f"SELECT pg_advisory_{{}}(hashtextextended('graph:{session}', 0))"
    await gate.execute(lock.format("lock"))
    looking = asyncio.create_task(reconcile(scheduler, session))
    await until_blocked(gate, 1)
    member = scheduler.as_(callers.member)
    holding = asyncio.create_task(member.post(f"/jobs/{job}/hold", {"reason": "the rig was broken"}))
    await until_blocked(gate, 2)
    await gate.execute(lock.format("unlock"))
    await gate.close()
    await looking
    assert (await holding).status_code == 200


async def test_the_graph_sweep_reconciles_every_session(cingulum: Cingulum, callers: Callers) -> None:
    sessions = 120  # more than a page of any list
    session = await a_session_with_trials(cingulum, callers)
    await run(
        cingulum,
        f"""
        WITH made AS (
            INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)
            SELECT gen_random_uuid(), kind, subject_id, lab_id, start_time, start_at, day, n
            FROM metadata.actions, generate_series(2, {sessions}) n WHERE id = '{session}' RETURNING id),
        sets AS (
            INSERT INTO registry.datasets (id, session_id, lab_path, collection, name, dataset_type_id, format_id)
            SELECT gen_random_uuid(), made.id, lab_path, collection, name, dataset_type_id, format_id
            FROM made, registry.datasets RETURNING id),
        read AS (
            INSERT INTO registry.versions (id, dataset_id, generation, size_bytes, md5, sha256)
            SELECT gen_random_uuid(), sets.id, 1, 10, 'aa', sha256 FROM sets, registry.versions RETURNING dataset_id)
        INSERT INTO registry.copies (id, dataset_id, repository_id, generation, state, proved_at)
        SELECT gen_random_uuid(), read.dataset_id, repository_id, 1, 'verified', now() FROM read, registry.copies
        """,
    )
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    count = 0
    async for _ in attempts():
        count = (await scheduler.get("/jobs?task=trial_summary&limit=1")).json()["count"]
        if count == sessions:
            break
    assert count == sessions


async def test_an_outage_takes_no_job_from_a_worker_whose_heartbeats_could_not_arrive(
    cingulum: Cingulum, callers: Callers
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_LEASE_SWEEP_S": "3600"}  # the test sweeps
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    liveness = Liveness()
    got = (await scheduler.post("/jobs/claim", a_claim(wait_s=55))).json()
    beat = {"worker": "w1", "jobs": [{"job_id": got["job"]["id"], "token": got["token"]}]}
    for at in ("now() - interval '1 hour'", "now()"):  # down all the time, and up just now
        await run(cingulum, f"UPDATE scheduler.workers SET seen_at = {at}")
        await run(cingulum, "UPDATE scheduler.jobs SET deadline = now() - interval '1 s' WHERE token > 0")
        for _ in range(3):
            async with scheduler.app.state.writer.begin() as tx:
                liveness = await sweep_leases(tx, scheduler.app.state.context, liveness)
        assert (await scheduler.post("/jobs/heartbeat", beat)).json() == {"lost": []}
    listed = (await scheduler.get("/workers")).json()
    assert [worker["name"] for worker in listed] == ["w1"]


async def test_the_job_of_a_dead_worker_is_released_while_all_others_work(
    cingulum: Cingulum, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only workers that work send heartbeats, every 20 s."""
    cingulum.environment = {**cingulum.environment, "CINGULUM_LEASE_SWEEP_S": "0.05"}
    for name in ("BACK", "REPEAT"):  # how long the sweep waits, not the longest pause without a heartbeat
        monkeypatch.setattr(retry, name, timedelta(seconds=0.2))
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    job = (await scheduler.post("/jobs/claim", a_claim(wait_s=55))).json()["job"]["id"]
    await run(cingulum, "UPDATE scheduler.jobs SET deadline = now() - interval '1 minute' WHERE token > 0")
    async for _ in attempts():
        # The last heartbeat of another worker.
        await run(
            cingulum, f"UPDATE scheduler.workers SET seen_at = now() - interval '{HEARTBEAT_EVERY_S} s'"
        )
        if (state := (await scheduler.get(f"/jobs/{job}")).json()["state"]) != "Started":
            break
    assert state == "Waiting"


async def test_a_legacy_runner_loses_its_task_when_its_time_is_over(
    cingulum: Cingulum, callers: Callers
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_LEASE_SWEEP_S": "0.05"}
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    made = await scheduler.post("/tasks", {"name": "EphysMtscomp", "session": str(session)})
    task = f"/tasks/{made.json()['id']}"
    assert (await scheduler.patch(task, {"status": "Started"})).json()["status"] == "Started"
    await run(cingulum, "UPDATE scheduler.jobs SET deadline = now() - interval '1 s' WHERE token > 0")
    async for _ in attempts():
        if (await scheduler.get(task)).json()["status"] == "Waiting":
            return
    raise AssertionError("the task stays Started")
