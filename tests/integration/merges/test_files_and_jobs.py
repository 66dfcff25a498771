"""Files and jobs of merged sessions, whatever happens while the services move them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from cingulum.stores import StoreKind
from libs.common.catalogue import Service
from libs.common.events import (
    FilesRegistered,
    JobPublishing,
    OutputsRefused,
    SessionsMerged,
    SessionsUnmerged,
)
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, JobState
from libs.common.storage import LocalStore
from libs.common.testing import Running
from tests.integration.merges.conftest import Services
from tests.support.bytes import sha256
from tests.support.jobs import deliver
from tests.support.makers.events import make_event
from tests.support.makers.registry import TRIALS, make_copy, make_dataset, make_repository
from tests.support.makers.scheduler import make_attempt, make_job, set_publishing
from tests.support.makers.transfer import make_upload
from tests.support.waiting import attempts

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _datasets(services: Services, session: str) -> dict[str, dict[str, Any]]:
    """The datasets of a session by revision and name."""
    answer = await services.registry.get("/datasets", params={"session": session, "limit": "100"})
    return {f"{row['revision'] or ''}/{row['name']}": row for row in answer.json()["results"]}


async def _give_trials(services: Services, session: str) -> None:
    """Give a session a trials table that its derived jobs can read."""
    system = services.labs.cingulum
    central = await make_repository(system, "central", StoreKind.LOCAL)
    await make_copy(system, await make_dataset(system, UUID(session), TRIALS), central)
    await _reconciled(services, session)


async def _set_state(services: Services, session: str, state: str) -> None:
    """Let the derived jobs of a session that can run be in a state, with the keys that they have."""
    connection = await asyncpg.connect(services.labs.cingulum.admin_url)
    done = await connection.execute(
        "UPDATE scheduler.jobs SET state = $2 WHERE session_id = $1 AND key IS NOT NULL", UUID(session), state
    )
    await connection.close()
    assert done != "UPDATE 0"


async def _jobs(services: Services, session: str) -> dict[str, tuple[str, str]]:
    """Id and state of the jobs of a session, by task."""
    answer = await services.scheduler.get("/jobs", params={"session": session, "limit": "100"})
    return {row["task"]: (row["id"], row["state"]) for row in answer.json()["results"]}


async def _reconciled(services: Services, session: str) -> None:
    event = FilesRegistered(session_id=UUID(session), user_id=None, dataset_ids=[])
    await deliver(services.scheduler, event)


async def test_one_revision_of_a_file_stays_the_default_one_and_an_undo_restores_it(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await services.register(stays, "alf/#2024-01-01#/spikes.times.npy")
    await services.register(goes, "alf/#2024-02-02#/spikes.times.npy", "alf/spikes.clusters.npy")
    await services.register(goes, "alf/#2024-03-03#/spikes.clusters.npy")
    before = [await _datasets(services, session) for session in (stays, goes)]
    merge = await services.merged(stays, goes)
    after = await _datasets(services, stays)
    defaults = sorted(path for path, row in after.items() if row["default_dataset"])
    assert defaults == ["2024-01-01/spikes.times.npy", "2024-03-03/spikes.clusters.npy"]
    await services.undone(merge)
    for session, rows in zip((stays, goes), before, strict=True):
        now = await _datasets(services, session)
        assert {path: row["default_dataset"] for path, row in now.items()} == {
            path: row["default_dataset"] for path, row in rows.items()
        }


async def test_a_default_that_was_chosen_since_leaves_one_default_on_both_sides(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await services.register(stays, "alf/#2024-01-01#/spikes.times.npy")
    await services.register(goes, "alf/#2024-02-02#/spikes.times.npy")
    merge = await services.merged(stays, goes)
    moved = (await _datasets(services, stays))["2024-02-02/spikes.times.npy"]
    chosen = await services.registry.patch(
        f"/datasets/{moved['url'].rpartition('/')[2]}", {"default_dataset": True}
    )
    assert chosen.status_code == 200, chosen.text
    await services.undone(merge)
    for session in (stays, goes):
        assert [row["default_dataset"] for row in (await _datasets(services, session)).values()] == [True]


async def test_a_file_that_was_registered_meanwhile_stays_and_a_notice_names_it(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await services.register(goes, "alf/spikes.times.npy", "alf/spikes.clusters.npy")
    merge = (await services.merge(stays, goes)).json()
    [late] = await services.register(stays, "ALF/spikes.times.npy")
    await services.settle()
    assert (await services.holdings(stays))["dataset"] == ["ALF/spikes.times.npy", "alf/spikes.clusters.npy"]
    notices = (await services.registry.get("/data-notices", params={"datasets": late["id"]})).json()[
        "results"
    ]
    assert [row["name"] for row in notices] == ["Merge of sessions"]
    assert "`alf/spikes.times.npy`" in notices[0]["description"]
    await services.undone(merge)
    assert (await services.holdings(goes))["dataset"] == ["alf/spikes.clusters.npy", "alf/spikes.times.npy"]
    assert (await services.holdings(stays))["dataset"] == ["ALF/spikes.times.npy"]
    left = await services.registry.get("/data-notices", params={"datasets": late["id"]})
    assert left.json()["count"] == 0


async def test_jobs_that_are_done_are_not_run_again(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    await _give_trials(services, goes)
    await _set_state(services, goes, "Complete")
    before = await _jobs(services, goes)
    assert {state for _, state in before.values()} <= {"Complete", "Held"}
    merge = (await services.merge(stays, goes)).json()
    # Registry is first, and the session is reconciled for another reason before scheduler moves its jobs.
    await services.registry.sweep()
    await _reconciled(services, stays)
    await services.settle()
    assert await _jobs(services, stays) == before
    await services.undone(merge)
    assert await _jobs(services, goes) == before
    assert await _jobs(services, stays) == {}


@pytest.mark.parametrize("first", ["scheduler", "registry"])
@pytest.mark.parametrize("state", ["Waiting", "Errored", "Complete"])
async def test_an_undo_creates_no_job_again_whichever_service_is_first(
    services: Services, nickname: str, first: str, state: str
) -> None:
    stays, goes = await services.twins(nickname)
    await _give_trials(services, goes)
    await _set_state(services, goes, state)
    before = await _jobs(services, goes)
    assert state in {own for _, own in before.values()}
    merge = await services.merged(stays, goes)
    assert await _jobs(services, stays) == before
    assert (await services.metadata.post(merge["undo"])).status_code == 200
    await getattr(services, first).sweep()
    for session in (stays, goes) if first == "registry" else (goes,):
        await _reconciled(services, session)
    await services.settle()
    assert await _jobs(services, goes) == before
    assert await _jobs(services, stays) == {}


async def test_outputs_that_are_published_before_their_job_moves_are_registered_where_it_moves(
    services: Services, nickname: str
) -> None:
    """The merge counts the running jobs; this one begins at that moment."""
    stays, goes = await services.twins(nickname)
    system, name, token = services.labs.cingulum, "alf/_ibl_trials.table.pqt", 7
    await make_repository(system, "central", StoreKind.LOCAL)
    store = LocalStore(Path(system.environment["CINGULUM_HOME"]) / "store")
    await store.put(name.encode())
    await store.close()
    digest = sha256(name.encode())
    upload = await make_upload(system, digest, name=name, job_id=uuid4(), token=token)
    outputs = [JobOutput(relative_path=name, upload_id=upload, sha256=digest)]
    job = await make_job(system, session_id=UUID(goes), state=JobState.WAITING, outputs=outputs)
    await make_attempt(system, token, job_id=job, state=AttemptState.PUBLISHING, outputs=outputs)
    merge = await services.merge(stays, goes)
    assert merge.status_code == 201, merge.text
    await set_publishing(system, job, token)
    await make_event(system, Service.SCHEDULER, JobPublishing(job_id=job, token=token))
    await services.registry.sweep()
    await services.scheduler.sweep()
    async for _ in attempts():
        if (await services.registry.get("/events/registry/waiting")).json()["count"] == 0:
            break
    await services.settle()
    assert await services.registry.published(OutputsRefused) == []
    assert list(await _datasets(services, stays)) == ["/_ibl_trials.table.pqt"]


async def test_a_job_that_both_have_stays_behind_and_comes_back(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    for session in (stays, goes):
        for name in ("Both", f"Own {session}"):
            await services.scheduler.post("/tasks", {"name": name, "session": session})
    before = [await _jobs(services, session) for session in (stays, goes)]
    planned = (await services.merge(stays, goes, dry_run=True)).json()
    assert (planned["moved"], planned["not_moved"]) == ({"task": 1}, {"task": 1})
    merge = await services.merged(stays, goes)
    after = await _jobs(services, stays)
    assert sorted(after) == sorted(["Both", f"Own {stays}", f"Own {goes}"])
    assert after["Both"] == before[0]["Both"]
    shown = (await services.metadata.get(f"/session-merges/{merge['id']}")).json()
    assert shown["pending"] == {}
    await services.undone(merge)
    assert [await _jobs(services, session) for session in (stays, goes)] == before


async def test_a_job_that_stayed_behind_leaves_its_slot_to_others_also_after_30_days(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    await _give_trials(services, goes)
    body = {"name": "trial_summary", "session": stays}
    task = (await services.scheduler.post("/tasks", body)).json()
    merge = await services.merged(stays, goes)
    system, connection = services.labs.cingulum, await asyncpg.connect(services.labs.cingulum.admin_url)
    await connection.execute("UPDATE scheduler.moved_rows SET moved_at = now() - interval '32 days'")
    await system.start(
        Service.SCHEDULER, services.labs.principal("root")
    )  # it forgets old moves at its start
    moves = "SELECT count(*) FROM scheduler.moved_rows WHERE merge_id = $1 AND target_id <> former_id"
    async for _ in attempts():
        if await connection.fetchval(moves, UUID(merge["id"])) == 0:
            break
    assert await connection.fetchval(moves, UUID(merge["id"])) == 0
    await connection.close()
    assert (await services.scheduler.delete(f"/tasks/{task['id']}")).status_code == 204
    await _reconciled(services, stays)
    assert (await _jobs(services, stays))["trial_summary"][0] != task["id"]


async def test_events_that_come_in_any_order_or_twice_end_as_metadata_has_it(
    services: Services, nickname: str
) -> None:
    a, b, c = await services.twins(nickname, 3)
    for n, session in enumerate((a, b)):
        await services.fill(session, f"probe0{n}", nickname)
    before = [await services.holdings(session) for session in (a, b, c)]
    first, second = (await services.merge(b, a)).json(), (await services.merge(c, b)).json()
    events = {
        merge["id"]: SessionsMerged(merge_id=merge["id"], into=merge["into"], session_ids=merge["sessions"])
        for merge in (first, second)
    }
    movers: tuple[Running, ...] = (services.registry, services.scheduler)
    for service in movers:
        for merge in (second, first, second, first):
            await deliver(service, events[merge["id"]])
    assert (await services.holdings(c))["dataset"] == [*before[0]["dataset"], *before[1]["dataset"]]
    for merge in (first, second):
        assert (await services.metadata.post(merge["undo"])).status_code == 200
    for service in movers:
        for merge in (first, second):
            event = SessionsUnmerged(merge_id=merge["id"], into=merge["into"], session_ids=merge["sessions"])
            await deliver(service, event)
            await deliver(service, events[merge["id"]])  # late
            await deliver(service, event)
    await services.settle()
    assert [await services.holdings(session) for session in (a, b, c)] == before
