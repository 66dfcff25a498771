"""Jobs through the API: derived, claimed once, completed in three parts, shown as Alyx's tasks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from libs.common.catalogue import Service
from libs.common.events import FilesRegistered, JobPublishing, OutputsRefused, OutputsRegistered
from libs.common.testing import Callers, Running
from services.scheduler.operations.sweeps import expire_leases
from tests.support.jobs import a_claim, a_session_with_trials, deliver, reconcile
from tests.support.makers.events import make_event
from tests.support.makers.transfer import make_upload
from tests.support.system import Cingulum
from tests.support.waiting import attempts

TRIALS = "alf/_ibl_trials.table.pqt"
SUMMARY = "alf/_cingulum_behaviour.summary.json"
MISSING = "00000000-0000-4000-8000-00000000dead"
PATHS = ("/jobs", "/tasks", "/workers", f"/jobs/{MISSING}", f"/tasks/{MISSING}", f"/jobs/{MISSING}/log")


@pytest.mark.parametrize("path", PATHS)
async def test_a_caller_without_a_token_is_refused(cingulum: Cingulum, path: str) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER)
    assert (await scheduler.get(path)).status_code == 403


async def test_a_claim_without_a_token_is_refused(cingulum: Cingulum) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER)
    assert (await scheduler.post("/jobs/claim", a_claim())).status_code == 403


async def test_a_signed_in_person_cannot_claim(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    assert (await scheduler.post("/jobs/claim", a_claim())).status_code == 403


async def test_the_graph_follows_from_inputs_and_names_why_a_child_waits(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    jobs = {job["task"]: job for job in (await scheduler.get(f"/jobs?session={session}")).json()["results"]}
    assert set(jobs) == {"trial_summary", "psychometric_fit"}
    assert jobs["trial_summary"]["state"] == "Waiting"
    (trials,) = jobs["trial_summary"]["inputs"]
    assert (trials["relative_path"], trials["path"]) == (TRIALS, TRIALS)  # the second for older workers
    assert jobs["psychometric_fit"]["state"] == "Held"
    assert "trial_summary has to produce it first" in jobs["psychometric_fit"]["why"]


async def test_a_job_is_claimed_once_by_concurrent_workers(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    responses = await asyncio.gather(
        *(scheduler.post("/jobs/claim", a_claim(worker=f"w{n}", wait_s=2)) for n in range(4))
    )
    tasks = [response.json()["job"]["task"] for response in responses if response.json()["job"]]
    assert tasks == ["trial_summary"]


async def test_a_claim_that_is_repeated_gets_the_same_job(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = a_claim()
    first = (await scheduler.post("/jobs/claim", claim)).json()
    again = (await scheduler.post("/jobs/claim", claim)).json()
    assert (first["token"], first["job"]["id"]) == (again["token"], again["job"]["id"])


async def test_a_parked_worker_is_woken_by_new_work(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    parked = asyncio.create_task(scheduler.post("/jobs/claim", a_claim(wait_s=55)))
    async for _ in attempts():
        if (await scheduler.get("/workers")).json():
            break
    assert not parked.done()
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    response = await asyncio.wait_for(parked, 50)
    assert response.json()["job"]["task"] == "trial_summary"


@dataclass(frozen=True)
class Claimed:
    """A job that a worker has claimed."""

    scheduler: Running
    job: str
    token: int

    async def complete(self, outputs: list[dict[str, str]]) -> httpx.Response:
        return await self.scheduler.post(
            f"/jobs/{self.job}/complete", {"token": self.token, "outputs": outputs}
        )

    async def read(self) -> dict[str, Any]:
        return dict((await self.scheduler.get(f"/jobs/{self.job}")).json())


@pytest.fixture
async def claimed(cingulum: Cingulum, callers: Callers) -> Claimed:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = (await scheduler.post("/jobs/claim", a_claim())).json()
    return Claimed(scheduler, claim["job"]["id"], claim["token"])


@pytest.fixture
async def publishing(cingulum: Cingulum, claimed: Claimed) -> Claimed:
    """Its worker has completed it twice, as the first response was lost."""
    sha256 = "cd" * 32
    upload = await make_upload(cingulum, sha256, job_id=UUID(claimed.job), token=claimed.token)
    output = {"relative_path": SUMMARY, "upload_id": str(upload), "sha256": sha256}
    for _ in range(2):
        response = await claimed.complete([output])
        assert response.status_code == 200, response.text
    return claimed


async def test_a_completion_that_is_repeated_notifies_registry_once(publishing: Claimed) -> None:
    assert (await publishing.read())["state"] == "Publishing"
    assert [event.token for event in await publishing.scheduler.published(JobPublishing)] == [
        publishing.token
    ]


async def test_a_worker_of_the_previous_version_names_its_outputs(
    cingulum: Cingulum, claimed: Claimed
) -> None:
    sha256 = "cd" * 32
    upload = await make_upload(cingulum, sha256, job_id=UUID(claimed.job), token=claimed.token)
    response = await claimed.complete([{"name": SUMMARY, "upload_id": str(upload), "sha256": sha256}])
    assert response.status_code == 200, response.text
    assert [output["relative_path"] for output in (await claimed.read())["outputs"]] == [SUMMARY]


async def test_alyx_shows_a_job_that_is_being_published_as_started(publishing: Claimed) -> None:
    assert (await publishing.scheduler.get(f"/tasks/{publishing.job}")).json()["status"] == "Started"


async def test_a_job_is_complete_once_registry_has_its_outputs(publishing: Claimed) -> None:
    event = OutputsRegistered(job_id=UUID(publishing.job), token=publishing.token, dataset_ids=[])
    await deliver(publishing.scheduler, event)
    assert (await publishing.read())["state"] == "Complete"


async def test_a_job_whose_outputs_registry_refuses_is_errored_with_the_reason(publishing: Claimed) -> None:
    event = OutputsRefused(job_id=UUID(publishing.job), token=publishing.token, reason="Protected.")
    await deliver(publishing.scheduler, event)
    job = await publishing.read()
    assert (job["state"], job["why"]) == ("Errored", "Its outputs were refused: Protected.")


@pytest.fixture
async def held_job(callers: Callers, claimed: Claimed) -> Claimed:
    """A person has held it while it ran."""
    member = claimed.scheduler.as_(callers.member)
    response = await member.post(f"/jobs/{claimed.job}/hold", {"reason": "the rig was broken"})
    assert response.status_code == 200, response.text
    return claimed


async def test_a_held_job_shows_the_reason(held_job: Claimed) -> None:
    assert "the rig was broken" in (await held_job.read())["why"]


async def test_a_completion_with_a_late_token_is_refused(held_job: Claimed) -> None:
    response = await held_job.complete([])
    assert (response.status_code, response.json()["type"]) == (409, "late-token")


async def test_a_heartbeat_names_the_jobs_that_its_worker_has_lost(held_job: Claimed) -> None:
    beat = {"worker": "w1", "jobs": [{"job_id": held_job.job, "token": held_job.token}]}
    assert (await held_job.scheduler.post("/jobs/heartbeat", beat)).json() == {"lost": [held_job.job]}


async def test_the_log_of_a_late_attempt_is_stored_once(callers: Callers, held_job: Claimed) -> None:
    for _ in range(2):
        body = {"token": held_job.token, "n": 0, "text": "half way"}
        assert (await held_job.scheduler.post(f"/jobs/{held_job.job}/log", body)).status_code == 204
    log = (await held_job.scheduler.as_(callers.member).get(f"/jobs/{held_job.job}/log")).json()
    assert [piece["text"] for piece in log] == ["half way"]


async def test_a_job_of_a_silent_worker_waits_for_another(cingulum: Cingulum, claimed: Claimed) -> None:
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute("UPDATE scheduler.jobs SET deadline = now() - interval '1 second'")
    await connection.close()
    state = claimed.scheduler.app.state
    async with state.writer.begin() as tx:
        assert await expire_leases(tx, state.context) == 1
    job = await claimed.read()
    assert (job["state"], [attempt["state"] for attempt in job["history"]]) == ("Waiting", ["lost"])
    assert "stopped sending heartbeats" in job["why"]


@pytest.fixture
async def task(cingulum: Cingulum, callers: Callers) -> tuple[Running, dict[str, Any]]:
    """A task that a legacy pipeline created, with the scheduler."""
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    body = {"name": "EphysMtscomp", "session": str(session), "executable": "x.Y", "priority": 90, "level": 1}
    response = await scheduler.post("/tasks", body)
    assert response.status_code == 201, response.text
    return scheduler, response.json()


async def test_a_new_task_waits(task: tuple[Running, dict[str, Any]]) -> None:
    assert task[1]["status"] == "Waiting"


async def test_a_task_of_the_same_name_and_session_is_refused(task: tuple[Running, dict[str, Any]]) -> None:
    scheduler, created = task
    response = await scheduler.post("/tasks", {"name": created["name"], "session": created["session"]})
    assert response.status_code == 409


async def test_a_legacy_runner_takes_and_finishes_a_task(task: tuple[Running, dict[str, Any]]) -> None:
    scheduler, created = task
    for status in ("Started", "Complete"):
        response = await scheduler.patch(f"/tasks/{created['id']}", {"status": status, "log": "well"})
        assert response.status_code == 200, response.text
        assert response.json()["status"] == status


QUERIES = {
    "status=Waiting&name=EphysMtscomp&django=session__lab__name__in,['hilllab']": 1,
    "status=20&level=1&priority=90": 1,
    "status=Complete": 0,
    "priority=91": 0,
}


async def test_tasks_are_filtered(task: tuple[Running, dict[str, Any]]) -> None:
    for query, n in QUERIES.items():
        listed = (await task[0].get(f"/tasks?{query}")).json()
        assert [row["id"] for row in listed["results"]] == [task[1]["id"]] * n, query


async def test_a_filter_of_another_type_is_refused_by_name(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    for path, name in (
        ("/tasks?status=Sleeping", "status"),
        ("/tasks?level=two", "level"),
        ("/tasks?session=x", "session"),
        ("/jobs?state=waiting", "state"),
    ):
        response = await scheduler.get(path)
        assert (response.status_code, name in response.json()) == (400, True), path


async def test_registered_files_whose_event_was_lost_are_handled_by_the_sweep(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    event = FilesRegistered(session_id=session, user_id=None, dataset_ids=[])
    await make_event(cingulum, Service.REGISTRY, event)
    await scheduler.sweep()
    assert (await scheduler.get(f"/jobs?session={session}")).json()["count"] == 2
