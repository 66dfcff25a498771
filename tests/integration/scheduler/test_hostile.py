"""Nothing that is sent makes scheduler fail: an answer is a refusal with a reason, never an internal error."""

from __future__ import annotations

from uuid import uuid4

from libs.common.catalogue import Service
from libs.common.testing import Callers
from services.scheduler.routes import routers
from tests.support.hostile import Foe, attack, doors
from tests.support.jobs import a_claim, a_session_with_trials, reconcile
from tests.support.system import Cingulum

TRIES = 800


async def test_no_query_and_no_body_makes_an_internal_error(cingulum: Cingulum, callers: Callers) -> None:
    session = await a_session_with_trials(cingulum, callers)
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    await reconcile(scheduler, session)
    claim = (await scheduler.post("/jobs/claim", a_claim())).json()
    jobs = [str(claim["job"]["id"]), *(job["id"] for job in (await scheduler.get("/jobs")).json()["results"])]
    good = {
        "job_id": jobs[0], "token": claim["token"], "worker": "w1", "claim_id": str(uuid4()), "wait_s": 0,
        "tasks": ["trial_summary", "psychometric_fit"], "session": str(session), "status": "Waiting", "name": "mine",
        "executable": "a.b", "sha256": "ab" * 32, "kind": "transient", "data_repository": "central", "n": 1,
    }  # fmt: skip
    foe = Foe(good, [*jobs, str(session), str(uuid4())], always=frozenset({"wait_s"}))
    await attack(scheduler.as_(callers.administrator).request, doors(routers), foe, TRIES)
