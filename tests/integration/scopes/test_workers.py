"""A worker's token takes the jobs of its lab or project, and writes what the task of a job declares."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing import Callers, Running
from tests.support.bytes import sha256
from tests.support.jobs import a_claim, a_session_with_trials, reconcile
from tests.support.makers.metadata import make_project
from tests.support.moving import send
from tests.support.system import Cingulum

PROJECT = uuid4()


def worker(callers: Callers, **within: UUID) -> Principal:
    """A worker for one lab or project."""
    others = (Permission.READ, Permission.TRANSFER, Permission.REGISTER)
    scopes = frozenset({Scope(Permission.WORK, **within), *map(Scope, others)})
    return Principal(callers.user_id, "worker", labs=frozenset({callers.lab_id}), scopes=scopes)


async def test_a_worker_of_a_project_claims_only_its_jobs(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    elsewhere = await a_session_with_trials(cingulum, callers)
    inside = await a_session_with_trials(cingulum, callers)
    await make_project(cingulum, "openp", inside, project_id=PROJECT)
    for session in (elsewhere, inside):
        await reconcile(scheduler, session)
    narrow = scheduler.as_(worker(callers, project_id=PROJECT))
    claim = (await narrow.post("/jobs/claim", a_claim())).json()
    assert claim["job"]["session_id"] == str(inside)
    assert (await narrow.post("/jobs/claim", a_claim(wait_s=0))).json()["job"] is None

    other = (await scheduler.post("/jobs/claim", a_claim())).json()
    assert other["job"]["session_id"] == str(elsewhere)
    job, token = other["job"]["id"], other["token"]
    beat = {"worker": "w1", "jobs": [{"job_id": job, "token": token}]}
    assert (await narrow.post("/jobs/heartbeat", beat)).json()["lost"] == [job]
    for action, body in (
        ("log", {"token": token, "n": 1, "text": "x"}),
        ("fail", {"token": token, "kind": "transient", "reason": "x"}),
        ("complete", {"token": token, "outputs": []}),
    ):
        assert (await narrow.post(f"/jobs/{job}/{action}", body)).status_code == 403, action
    assert (await scheduler.post("/jobs/heartbeat", beat)).json()["lost"] == []


async def test_a_claim_of_another_worker_is_not_answered_to_a_narrowed_token(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    claim = a_claim()
    assert (await scheduler.post("/jobs/claim", claim)).json()["job"]
    narrow = scheduler.as_(worker(callers, lab_id=uuid4()))
    assert (await narrow.post("/jobs/claim", claim)).status_code == 403


@pytest.fixture
async def claimed(cingulum: Cingulum, callers: Callers) -> tuple[Running, Running, str, int]:
    """Scheduler, transfer, and a claimed job of the task `trial_summary` with its token."""
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    transfer = await cingulum.start(Service.TRANSFER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    got = (await scheduler.post("/jobs/claim", a_claim(tasks=["trial_summary"]))).json()
    return scheduler, transfer, got["job"]["id"], got["token"]


async def test_an_undeclared_output_is_refused_by_name_and_the_job_continues(
    claimed: tuple[Running, Running, str, int],
) -> None:
    scheduler, transfer, job, token = claimed
    landed = await send(transfer, b"0123456789", job_id=job, token=token)

    def an_output(name: str) -> dict[str, str]:
        return {"relative_path": name, "upload_id": landed["id"], "sha256": sha256(b"0123456789")}

    declared = an_output("alf/_cingulum_behaviour.summary.json")
    for name in ("alf/_ibl_trials.table.pqt", "alf/probe00/spikes.times.npy", "raw_ephys_data/x.json"):
        body = {"token": token, "outputs": [declared, an_output(name)]}
        refused = await scheduler.post(f"/jobs/{job}/complete", body)
        assert (refused.status_code, refused.json()["type"]) == (409, "output-not-declared"), refused.text
        assert name in refused.json()["detail"]
        job_now = (await scheduler.get(f"/jobs/{job}")).json()
        assert (job_now["state"], job_now["history"][0]["state"]) == ("Started", "running")
    done = await scheduler.post(f"/jobs/{job}/complete", {"token": token, "outputs": [declared]})
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "Publishing"
