"""Jobs by the front door: derived, claimed once, completed in three parts, shown as Alyx's tasks."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.events import FilesRegistered, JobPublishing, OutputsRegistered
from libs.common.testing import Callers
from tests.support.jobs import a_claim, a_session_with_trials, look_at
from tests.support.system import Cingulum

TRIALS = "alf/_ibl_trials.table.pqt"
NOBODY = "00000000-0000-4000-8000-00000000dead"
PATHS = ("/jobs", "/tasks", "/workers", f"/jobs/{NOBODY}", f"/tasks/{NOBODY}", f"/jobs/{NOBODY}/log")


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_is_refused(cingulum: Cingulum, path: str) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER)
    answer = await scheduler.get(path)
    assert answer.status_code == 403
    assert (await scheduler.post("/jobs/claim", a_claim())).status_code == 403


async def test_a_person_who_signed_in_cannot_claim_by_accident(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    assert (await scheduler.post("/jobs/claim", a_claim())).status_code == 403


async def test_the_graph_follows_from_inputs_and_says_why_a_child_waits(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    await look_at(scheduler, session)
    jobs = {job["task"]: job for job in (await scheduler.get(f"/jobs?session={session}")).json()["results"]}
    assert set(jobs) == {"trial_summary", "psychometric_fit"}
    assert jobs["trial_summary"]["state"] == "Waiting"
    assert [i["path"] for i in jobs["trial_summary"]["inputs"]] == [TRIALS]
    assert jobs["psychometric_fit"]["state"] == "Held"
    assert "trial_summary has to make it first" in jobs["psychometric_fit"]["why"]


async def test_a_job_is_claimed_once_by_workers_who_ask_at_once(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    answers = await asyncio.gather(
        *(scheduler.post("/jobs/claim", a_claim(worker=f"w{n}", wait_s=2)) for n in range(4))
    )
    given = [answer.json() for answer in answers if answer.json()["job"]]
    assert len(given) == 1
    assert given[0]["job"]["task"] == "trial_summary"


async def test_a_claim_whose_answer_was_lost_gets_the_same_job_again(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    asked = a_claim()
    first = (await scheduler.post("/jobs/claim", asked)).json()
    again = (await scheduler.post("/jobs/claim", asked)).json()
    assert first["token"] == again["token"]
    assert first["job"]["id"] == again["job"]["id"]


async def test_a_parked_worker_is_woken_by_new_work(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    parked = asyncio.create_task(scheduler.post("/jobs/claim", a_claim(wait_s=4.5)))
    await asyncio.sleep(0.3)
    assert not parked.done()
    session = await a_session_with_trials(cingulum, callers)
    await look_at(scheduler, session)
    answer = await asyncio.wait_for(parked, 3)
    assert answer.json()["job"]["task"] == "trial_summary"


async def land_upload(cingulum: Cingulum, job: str, token: int, sha256: str) -> UUID:
    """A landed upload of an attempt, as transfer publishes it; the stand-in view is put over a table for this."""
    upload = uuid4()
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        kind = await connection.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'transfer' AND table_name = 'uploads'"
        )
        assert kind in {0, 1}
        if not kind:
            columns = await connection.fetch(
                "SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute"
                " WHERE attrelid = 'transfer.published_uploads_v1'::regclass AND attnum > 0 ORDER BY attnum"
            )
            told = {
                "id": f"'{upload}'",
                "state": "'landed'",
                "sha256": f"'{sha256}'",
                "job_id": f"'{job}'",
                "token": str(token),
            }
            select = ", ".join(
                f"{told.get(c['attname'], 'NULL')}::{c['kind']} AS {c['attname']}" for c in columns
            )
            await connection.execute(
                f"CREATE OR REPLACE VIEW transfer.published_uploads_v1 AS SELECT {select}"
            )
        else:
            await connection.execute(
                "INSERT INTO transfer.uploads (id, state, sha256, job_id, token, size_bytes, part_bytes, owner_id, md5,"
                " store, created_at, touched_at, completed_at)"
                " VALUES ($1, 'landed', $2, $3, $4, 1, 8388608, $5, 'aa', 'local', now(), now(), now())",
                upload,
                sha256,
                UUID(job),
                token,
                uuid4(),
            )
    finally:
        await connection.close()
    return upload


async def test_completion_waits_for_registry_and_then_releases_the_child(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    await look_at(scheduler, session)
    got = (await scheduler.post("/jobs/claim", a_claim())).json()
    job, token = got["job"]["id"], got["token"]
    made = "cd" * 32
    upload = await land_upload(cingulum, job, token, made)
    body = {
        "token": token,
        "outputs": [
            {"name": "alf/_cingulum_behaviour.summary.json", "upload_id": str(upload), "sha256": made}
        ],
    }
    for _ in range(2):  # a repeat changes nothing
        answer = await scheduler.post(f"/jobs/{job}/complete", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "Publishing"
    assert [event.token for event in await scheduler.published(JobPublishing)] == [token]
    task = (await scheduler.get(f"/tasks/{job}")).json()
    assert task["status"] == "Started"
    async with scheduler.app.state.writer.begin() as tx:
        from services.scheduler.events import outputs_registered

        await outputs_registered(tx, OutputsRegistered(job_id=UUID(job), token=token, dataset_ids=[]))
    assert (await scheduler.get(f"/jobs/{job}")).json()["state"] == "Complete"


async def test_a_late_token_gets_409_and_its_log_is_still_kept(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    got = (await scheduler.post("/jobs/claim", a_claim())).json()
    job, token = got["job"]["id"], got["token"]
    member = scheduler.as_(callers.member)
    held = await member.post(f"/jobs/{job}/hold", {"reason": "the rig was broken"})
    assert held.status_code == 200, held.text
    assert "the rig was broken" in held.json()["why"]
    late = await scheduler.post(f"/jobs/{job}/complete", {"token": token, "outputs": []})
    assert late.status_code == 409
    assert late.json()["type"] == "late-token"
    beat = await scheduler.post(
        "/jobs/heartbeat", {"worker": "w1", "jobs": [{"job_id": job, "token": token}]}
    )
    assert beat.json()["lost"] == [job]
    for _ in range(2):
        sent = await scheduler.post(f"/jobs/{job}/log", {"token": token, "n": 0, "text": "half way"})
        assert sent.status_code == 204
    assert [piece["text"] for piece in (await member.get(f"/jobs/{job}/log")).json()] == ["half way"]


async def test_a_job_of_a_silent_worker_is_given_to_another_after_a_rest(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await look_at(scheduler, await a_session_with_trials(cingulum, callers))
    job = (await scheduler.post("/jobs/claim", a_claim())).json()["job"]["id"]
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute("UPDATE scheduler.jobs SET deadline = now() - interval '1 second'")
    await connection.close()
    async with scheduler.app.state.writer.begin() as tx:
        from services.scheduler.operations.running import take_back

        assert await take_back(tx) == 1
    told = (await scheduler.get(f"/jobs/{job}")).json()
    assert told["state"] == "Waiting"
    assert "stopped sending heartbeats" in told["why"]
    assert [attempt["state"] for attempt in told["history"]] == ["lost"]


async def test_a_legacy_runner_takes_and_finishes_a_task_of_its_own(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    body = {"name": "EphysMtscomp", "session": str(session), "executable": "x.Y", "priority": 90, "level": 1}
    made = await scheduler.post("/tasks", body)
    assert made.status_code == 201, made.text
    task = made.json()
    assert task["status"] == "Waiting"
    twin = await scheduler.post("/tasks", body)
    assert twin.status_code == 409
    for status in ("Started", "Complete"):
        told = await scheduler.patch(f"/tasks/{task['id']}", {"status": status, "log": "well"})
        assert told.status_code == 200, told.text
        assert told.json()["status"] == status
    waiting = await scheduler.get("/tasks?status=Complete&django=session__lab__name__in,['hilllab']")
    assert [found["id"] for found in waiting.json()["results"]] == [task["id"]]
    assert (await scheduler.get("/tasks?status=Sleeping")).status_code == 400


async def test_files_registered_are_heard_without_a_bell(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    event = FilesRegistered(session_id=session, user_id=None, dataset_ids=[])
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        "INSERT INTO registry.events (id, subject, payload, request_id, rung_at)"
        " VALUES (gen_random_uuid(), $1, $2, 'r1', now())",
        event.subject,
        event.model_dump_json(),
    )
    await connection.close()
    await scheduler.sweep()
    found = (await scheduler.get(f"/jobs?session={session}")).json()
    assert found["count"] == 2
