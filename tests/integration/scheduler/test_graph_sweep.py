"""The sweep reconciles sessions that no event reported, and an event those whose tasks its files concern."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.events import FilesRegistered
from libs.common.schemas.states import CopyState
from libs.common.testing import Callers, Running
from services.scheduler.models import JobRow
from services.scheduler.operations import graph_sweep
from services.scheduler.operations.graph_sweep import GraphSweep
from tests.support.jobs import a_session_with_trials, copy_to_agent, deliver, reconcile
from tests.support.makers.database import owner
from tests.support.makers.registry import TRIALS, File, fetch_dataset_ids, make_dataset, set_central_copy
from tests.support.system import Cingulum


@pytest.fixture(autouse=True)
def no_other_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own sweep, which runs after each start, changes nothing."""

    async def reconcile_none(*_: object) -> None:
        pass

    monkeypatch.setattr(graph_sweep, "reconcile_sessions", reconcile_none)


async def swept(scheduler: Running, sweep: GraphSweep) -> tuple[list[UUID], GraphSweep]:
    state = scheduler.app.state
    async with state.database.read_long() as session:
        return await graph_sweep.fetch_sessions_to_reconcile(session, state.context, sweep)


async def test_only_a_session_without_its_jobs_is_reconciled(cingulum: Cingulum, callers: Callers) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    known, unknown = [await a_session_with_trials(cingulum, callers) for _ in range(2)]
    await reconcile(scheduler, known)
    assert (await swept(scheduler, GraphSweep()))[0] == [unknown]
    await reconcile(scheduler, unknown)
    assert (await swept(scheduler, GraphSweep()))[0] == []


async def test_a_session_is_compared_again_only_once_it_has_changed(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    first, sweep = await swept(scheduler, GraphSweep())
    again, sweep = await swept(scheduler, sweep)
    assert (first, again) == ([session], [])
    await make_dataset(cingulum, session)
    changed, sweep = await swept(scheduler, sweep)
    again, _ = await swept(scheduler, sweep)
    assert (changed, again) == ([session], [])


@pytest.mark.parametrize("state", [CopyState.SUSPECT, CopyState.ARRIVING])
async def test_a_session_is_reconciled_if_a_file_of_a_ready_job_is_gone(
    cingulum: Cingulum, callers: Callers, state: CopyState
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    session = await a_session_with_trials(cingulum, callers)
    await reconcile(scheduler, session)
    _, sweep = await swept(scheduler, GraphSweep())
    await set_central_copy(cingulum, session, state)
    await copy_to_agent(cingulum, callers, session, "lab_server")
    assert (await swept(scheduler, sweep))[0] == [session]


async def test_a_session_whose_jobs_cannot_be_read_is_left_to_its_own_reconciliation(
    cingulum: Cingulum, callers: Callers
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.worker)
    sessions = sorted([await a_session_with_trials(cingulum, callers) for _ in range(2)])
    for session in sessions:
        await reconcile(scheduler, session)
    async with owner(cingulum) as rows:
        await rows.execute(sa.update(JobRow).where(JobRow.session_id == sessions[0]).values(state="?"))
    assert (await swept(scheduler, GraphSweep()))[0] == sessions


@pytest.mark.parametrize(
    ("file", "n_jobs"),
    [
        (File(collection="alf/probe00", name="spikes.times.npy"), 0),
        (File(collection="alf", name="_cingulum_behaviour.summary.json"), 1),
        (TRIALS, 2),
    ],
    ids=["of no task", "output", "input"],
)
async def test_an_added_file_changes_the_graph_only_if_a_task_reads_or_makes_it(
    cingulum: Cingulum, callers: Callers, file: File, n_jobs: int
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, callers.member)
    session = await a_session_with_trials(cingulum, callers)
    (trials,) = await fetch_dataset_ids(cingulum, session)
    added = trials if file is TRIALS else await make_dataset(cingulum, session, file)
    event = FilesRegistered(session_id=session, user_id=None, dataset_ids=[added], only_added=True)
    await deliver(scheduler, event)
    assert (await scheduler.get(f"/jobs?session={session}")).json()["count"] == n_jobs
