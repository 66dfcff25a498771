"""Jobs of a deleted session are ready nowhere, also for an administrator's worker, and continue once it is restored."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from libs.common.catalogue import Service
from libs.common.events import SessionsDeleted, SessionsRestored
from libs.common.testing import Callers, Running
from tests.support.jobs import a_claim, a_session_with_trials, deliver, reconcile
from tests.support.system import Cingulum


async def _set_deleted(cingulum: Cingulum, session: UUID, *, is_deleted: bool) -> None:
    """Delete or restore the session's row, as metadata does."""
    connection = await asyncpg.connect(cingulum.admin_url)
    query = "UPDATE metadata.actions SET deleted_at = CASE WHEN $2 THEN now() END WHERE id = $1"
    await connection.execute(query, session, is_deleted)
    await connection.close()


async def _claimed(scheduler: Running, **more: object) -> dict[str, object]:
    return dict((await scheduler.post("/jobs/claim", a_claim(**more))).json())


async def test_jobs_stop_with_their_session_and_continue_with_it(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.administrator)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    running = await _claimed(scheduler)
    job = running["job"]
    assert isinstance(job, dict)
    await _set_deleted(cingulum, session, is_deleted=True)
    await deliver(scheduler, SessionsDeleted(session_ids=[session]))
    late = {"token": running["token"], "outputs": []}
    assert (await scheduler.post(f"/jobs/{job['id']}/complete", late)).json()["type"] == "late-token"
    assert (await scheduler.get(f"/jobs/{job['id']}")).status_code == 404
    assert (await scheduler.get("/tasks")).json()["count"] == 0
    assert (await _claimed(scheduler, wait_s=0))["job"] is None
    await _set_deleted(cingulum, session, is_deleted=False)
    await deliver(scheduler, SessionsRestored(session_ids=[session]))
    again = (await _claimed(scheduler))["job"]
    assert isinstance(again, dict)
    assert again["id"] == job["id"]


async def test_a_worker_does_not_claim_before_the_event_has_come(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.administrator)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    await _set_deleted(cingulum, session, is_deleted=True)
    assert (await _claimed(scheduler, wait_s=0))["job"] is None
    await reconcile(scheduler, session)  # a late event about its files
    await _set_deleted(cingulum, session, is_deleted=False)
    await reconcile(scheduler, session)
    assert (await _claimed(scheduler))["job"] is not None
