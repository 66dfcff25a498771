"""Sessions that have jobs, events of other services, and claims of workers."""

from __future__ import annotations

from uuid import UUID, uuid4

from cingulum.stores import StoreKind
from libs.common.events import CopyVerified, Event, FilesRegistered
from libs.common.schemas.states import CopyState
from libs.common.testing import Callers, Running
from tests.support.makers.metadata import make_session
from tests.support.makers.registry import (
    TRIALS,
    fetch_dataset_ids,
    make_copy,
    make_dataset,
    make_repository,
    set_central_copy,
)
from tests.support.system import Cingulum


async def a_session_with_trials(cingulum: Cingulum, callers: Callers) -> UUID:
    """A session whose trials table has a verified copy in the central store."""
    session = await make_session(cingulum, callers.lab_id)
    central = await make_repository(cingulum, "central", StoreKind.LOCAL)
    await make_copy(cingulum, await make_dataset(cingulum, session, TRIALS), central)
    return session


async def move_file_to_the_lab(cingulum: Cingulum, callers: Callers, session: UUID) -> None:
    """Only the agent repository `lab_server` has a verified copy; another one is being sent."""
    await copy_to_agent(cingulum, callers, session, "lab_server", hostname="disk.hilllab")
    await set_central_copy(cingulum, session, CopyState.ARRIVING)


async def copy_to_agent(
    cingulum: Cingulum, callers: Callers, session: UUID, name: str, *, hostname: str = ""
) -> None:
    """An agent repository of the lab has a verified copy of the session's datasets."""
    repository = await make_repository(
        cingulum, name, StoreKind.AGENT, lab_id=callers.lab_id, hostname=hostname
    )
    for dataset in await fetch_dataset_ids(cingulum, session):
        await make_copy(cingulum, dataset, repository)


async def store_file(cingulum: Cingulum, session: UUID) -> CopyVerified:
    """The copy in the central store is verified; the event that registry publishes."""
    copy = await set_central_copy(cingulum, session, CopyState.VERIFIED)
    return CopyVerified(
        dataset_id=copy.dataset_id, copy_id=copy.id, session_id=session, sha256=str(TRIALS.sha256)
    )


async def deliver(scheduler: Running, event: Event) -> None:
    """Let the scheduler handle an event of another service."""
    handled = scheduler.app.state.listener.handlers.handler_of(event.subject)
    assert handled is not None
    async with scheduler.app.state.writer.begin() as tx:
        await handled[1](tx, event)


async def reconcile(scheduler: Running, session: UUID) -> None:
    """Let the scheduler derive the jobs of a session, as after a registration of files."""
    await deliver(scheduler, FilesRegistered(session_id=session, user_id=None, dataset_ids=[]))


def a_claim(**more: object) -> dict[str, object]:
    return {
        "claim_id": str(uuid4()),
        "worker": "w1",
        "tasks": ["trial_summary", "psychometric_fit"],
        "wait_s": 5,  # the sweep of all sessions after a start may have locked the row: a claim waits for it
        **more,
    }
