"""Every field of a body of scheduler is shown again: none is accepted and lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel

from libs.common.catalogue import Service
from libs.common.schemas.attempts import CompleteIn, FailIn, LogIn
from libs.common.schemas.claims import ClaimIn, HeartbeatIn
from libs.common.schemas.jobs import ReasonIn
from libs.common.schemas.tasks import TaskIn
from libs.common.testing import Callers, Running
from services import gateway
from tests.support.cleared import find_lost_values
from tests.support.jobs import a_claim, a_session_with_trials, reconcile
from tests.support.makers.transfer import make_upload
from tests.support.system import Cingulum

# Every field of a task with a value that is not its default.
TASK: dict[str, Any] = {
    "parents": ["PARENT"], "session": "SESSION", "data_repository": "central", "status": "Held", "name": "EphysSync",
    "priority": 70, "io_charge": 2, "level": 3, "gpu": 1, "cpu": 4, "ram": 8, "time_out_secs": 60,
    "time_elapsed_secs": 1.5, "executable": "x.Y", "graph": "TrainingPipeline", "log": "begun", "version": "2.1",
    "arguments": {"a": 1},
}  # fmt: skip


async def _body(scheduler: Running, session: str) -> dict[str, Any]:
    """The body, of a session and with a parent."""
    parent = (await scheduler.post("/tasks", {"name": "parent", "session": session})).json()["id"]
    return TASK | {"session": session, "parents": [parent]}


TESTED = {ClaimIn, CompleteIn, FailIn, HeartbeatIn, LogIn, ReasonIn, TaskIn}


def fields_of(body: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in body.model_fields.items()}


async def test_every_body_is_tested_here() -> None:
    described = json.loads((Path(gateway.__file__).parent / "static" / "schema.json").read_text())
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for operations in described["paths"].values()
        for operation in operations.values()
        if isinstance(operation, dict) and {"jobs", "tasks"}.intersection(operation.get("tags", ()))
        for content in operation.get("requestBody", {}).get("content", {}).values()
    }
    assert bodies == {body.__name__ for body in TESTED}


async def test_every_field_of_a_new_task_is_shown_again(cingulum: Cingulum, callers: Callers) -> None:
    assert TASK.keys() == fields_of(TaskIn)
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    body = await _body(scheduler, str(await a_session_with_trials(cingulum, callers)))
    response = await scheduler.post("/tasks", body)
    assert response.status_code == 201, response.text
    assert {name: response.json()[name] for name in body} == body


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_every_field_of_a_changed_task_is_shown_again(
    cingulum: Cingulum, callers: Callers, method: str
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = str(await a_session_with_trials(cingulum, callers))
    task = (await scheduler.post("/tasks", {"name": "EphysMtscomp", "session": session})).json()["id"]
    body = await _body(scheduler, session)
    response = await scheduler.request(method, f"/tasks/{task}", json=body)
    assert response.status_code == 200, response.text
    assert {name: response.json()[name] for name in body} == body


# What null sets where Alyx has null: a job always needs some number.
DEFAULTS = {"priority": 50, "io_charge": 1, "level": 0, "gpu": 0, "cpu": 1, "ram": 1}


async def test_null_clears_a_field_or_is_refused_by_name(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    body = await _body(scheduler, str(await a_session_with_trials(cingulum, callers)))
    task = (await scheduler.post("/tasks", body)).json()["id"]
    assert await find_lost_values(scheduler, f"/tasks/{task}", body, DEFAULTS) == []


@dataclass(frozen=True)
class Claimed:
    """A job that a worker has claimed."""

    scheduler: Running
    job: str
    token: int

    async def post(self, path: str, schema: type[BaseModel], body: dict[str, Any]) -> None:
        """A request with every field of a body."""
        assert body.keys() == fields_of(schema)
        response = await self.scheduler.post(f"/jobs/{self.job}/{path}", body)
        assert response.status_code in {200, 204}, response.text

    async def read(self, kind: str = "jobs") -> dict[str, Any]:
        return dict((await self.scheduler.get(f"/{kind}/{self.job}")).json())


CLAIM = {"worker": "w9", "site": "hilllab", "version": "3.1", "tasks": ["trial_summary"]}


@pytest.fixture
async def claimed(cingulum: Cingulum, callers: Callers) -> Claimed:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, await a_session_with_trials(cingulum, callers))
    body = a_claim(**CLAIM, in_place=True)
    assert body.keys() == fields_of(ClaimIn)
    claim = (await scheduler.post("/jobs/claim", body)).json()
    return Claimed(scheduler, claim["job"]["id"], claim["token"])


async def test_a_worker_is_shown_as_it_claims(claimed: Claimed) -> None:
    (worker,) = (await claimed.scheduler.get("/workers")).json()
    assert {name: worker["name" if name == "worker" else name] for name in CLAIM} == CLAIM


async def test_a_heartbeat_is_of_a_worker_and_its_jobs(claimed: Claimed) -> None:
    lost = str(uuid4())
    beats = [{"job_id": job, "token": claimed.token} for job in (claimed.job, lost)]
    body = {"worker": "w9", "jobs": beats}
    assert body.keys() == fields_of(HeartbeatIn)
    assert (await claimed.scheduler.post("/jobs/heartbeat", body)).json() == {"lost": [lost]}


async def test_every_field_of_a_completion_is_shown_again(cingulum: Cingulum, claimed: Claimed) -> None:
    sha256 = "cd" * 32
    upload = await make_upload(cingulum, sha256, job_id=UUID(claimed.job), token=claimed.token)
    outputs = [
        {"relative_path": "alf/_cingulum_behaviour.summary.json", "upload_id": str(upload), "sha256": sha256}
    ]
    body = {"token": claimed.token, "outputs": outputs, "elapsed_s": 2.5}
    await claimed.post("complete", CompleteIn, body)
    assert (await claimed.read())["outputs"] == outputs
    assert (await claimed.read("tasks"))["time_elapsed_secs"] == 2.5


async def test_every_field_of_a_failure_is_shown_again(claimed: Claimed) -> None:
    body = {"token": claimed.token, "kind": "permanent", "reason": "the probe was broken"}
    await claimed.post("fail", FailIn, body)
    job = await claimed.read()
    assert (job["state"], job["history"][0]["token"]) == ("Errored", claimed.token)
    assert "the probe was broken" in job["why"]


async def test_every_field_of_a_piece_of_the_log_is_shown_again(claimed: Claimed) -> None:
    for n, text in ((1, "first"), (2, "second"), (2, "again")):
        await claimed.post("log", LogIn, {"token": claimed.token, "n": n, "text": text})
    pieces = (await claimed.scheduler.get(f"/jobs/{claimed.job}/log")).json()
    assert [(piece["token"], piece["text"]) for piece in pieces] == [
        (claimed.token, "first"),
        (claimed.token, "second"),
    ]


@pytest.mark.parametrize("path", ["hold", "abandon"])
async def test_the_reason_of_a_person_is_shown(callers: Callers, claimed: Claimed, path: str) -> None:
    member = Claimed(claimed.scheduler.as_(callers.member), claimed.job, claimed.token)
    await member.post(path, ReasonIn, {"reason": "the rig was broken"})
    assert "the rig was broken" in (await member.read())["why"]
