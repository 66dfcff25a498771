"""Merges beside registrations, other merges and deletions: one of both waits, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from libs.common.testing import Running
from tests.integration.merges.conftest import DAY, Services
from tests.support.locks import take, until_blocked, until_queued

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_registration_that_began_before_a_merge_is_moved_or_refused(
    services: Services, nickname: str
) -> None:
    """The lock of the session's registrations is held until it waits; the merge is complete before it goes on."""
    stays, goes = await services.twins(nickname)
    await services.register(goes, "alf/spikes.times.npy")
    gate = await asyncpg.connect(services.labs.cingulum.admin_url)
    body = {
        "path": f"{nickname}/{DAY}/001",
        "filenames": ["alf/spikes.clusters.npy"],
        "name": "fileserver",
        "content_type": "session",
        "object_id": goes,
    }
    async with gate.transaction():
        await take(gate, f"registry:{UUID(goes)}")
        registration = asyncio.create_task(services.registry.post("/register-file", body))
        await until_blocked(gate, 1)
        merge = await services.merge(stays, goes)
        assert merge.status_code == 201, merge.text
    answer = await registration
    assert (answer.status_code, answer.json()["path"]) == (
        400,
        ["Its session was deleted or merged at this moment."],
    )
    await services.settle()
    assert (await services.holdings(stays))["dataset"] == ["alf/spikes.times.npy"]
    body["object_id"] = stays
    assert (await services.registry.post("/register-file", body)).status_code == 201
    await gate.close()


async def test_two_sessions_that_are_merged_into_each_other_end_as_one(
    services: Services, nickname: str
) -> None:
    a, b = await services.twins(nickname)
    for session, probe in ((a, "probe00"), (b, "probe01")):
        await services.fill(session, probe, nickname)
    answers = await asyncio.gather(services.merge(a, b), services.merge(b, a))
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    await services.settle()
    left = [session for session in (a, b) if await services.holdings(session)]
    assert len(left) == 1
    assert (await services.holdings(left[0]))["insertion"] == ["probe00", "probe01"]


@pytest.mark.parametrize("path", ["/sessions/{goes}", "/sessions/{stays}", "/subjects/{nickname}"])
async def test_a_merge_beside_a_deletion_waits_for_it(services: Services, nickname: str, path: str) -> None:
    stays, goes = await services.twins(nickname)
    await services.fill(goes, "probe01", nickname)
    before = await services.holdings(goes)
    merge, deletion = await asyncio.gather(
        services.merge(stays, goes),
        services.metadata.delete(path.format(stays=stays, goes=goes, nickname=nickname)),
    )
    assert (merge.status_code, deletion.status_code) in {(201, 204), (400, 204), (201, 404)}, merge.text
    if deletion.status_code == 204:
        assert (await services.metadata.post(deletion.headers["Location"])).status_code == 200
    if merge.status_code == 201:
        assert (await services.metadata.post(merge.json()["undo"])).status_code == 200
    await services.settle()
    assert await services.holdings(goes) == before


async def test_what_is_added_to_a_session_while_it_is_merged_is_not_lost(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    water = {
        "session": goes,
        "subject": nickname,
        "water_administered": 1.0,
        "date_time": f"{DAY}T13:00:00",
    }
    merge, *added = await asyncio.gather(
        services.merge(stays, goes),
        services.metadata.post("/notes", {"content_type": "session", "object_id": goes, "text": "late"}),
        services.metadata.post("/water-administrations", water),
        services.metadata.post("/insertions", {"session": goes, "name": "probe00"}),
        services.scheduler.post("/tasks", {"name": "Late", "session": goes}),
    )
    assert merge.status_code == 201, merge.text
    assert {answer.status_code for answer in added} <= {201, 400}
    await services.settle()
    n_created = sum(answer.status_code == 201 for answer in added)
    assert sum(len(names) for names in (await services.holdings(stays)).values()) == n_created


async def _during_undo(
    services: Services,
    merge: dict[str, Any],
    mover: Running,
    lock: str,
    change: Callable[[], Awaitable[httpx.Response]],
) -> httpx.Response:
    """The response to a change that a service receives while it is about to move back the rows of a merge."""
    gate = await asyncpg.connect(services.labs.cingulum.admin_url)
    async with gate.transaction():
        await take(gate, lock)
        assert (await services.metadata.post(merge["undo"])).status_code == 200
        moving = asyncio.create_task(mover.sweep())
        await until_queued(gate, lock, 1)
        changing = asyncio.ensure_future(change())
        await until_queued(gate, lock, 2)
    await gate.close()
    await moving
    return await changing


@pytest.mark.parametrize("body", [{"default_dataset": True}, {"collection": "alf/probe00"}, None])
async def test_a_change_of_a_dataset_that_moves_at_this_moment_is_to_be_repeated(
    services: Services, nickname: str, body: dict[str, Any] | None
) -> None:
    stays, goes = await services.twins(nickname)
    [dataset] = await services.register(goes, "alf/spikes.times.npy")
    merge = await services.merged(stays, goes)
    path = f"/datasets/{dataset['id']}"

    async def change() -> httpx.Response:
        if body is None:
            return await services.registry.delete(path)
        return await services.registry.patch(path, body)

    answer = await _during_undo(services, merge, services.registry, f"registry:{UUID(stays)}", change)
    assert (answer.status_code, "another session" in answer.json()["detail"]) == (503, True), answer.text
    assert (await change()).status_code in {200, 204}
    await services.settle()


async def test_a_change_of_a_job_that_moves_at_this_moment_is_to_be_repeated(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    task = (await services.scheduler.post("/tasks", {"name": "Sort", "session": goes})).json()
    merge = await services.merged(stays, goes)

    async def change() -> httpx.Response:
        return await services.scheduler.patch(f"/tasks/{task['id']}", {"status": "Errored"})

    answer = await _during_undo(services, merge, services.scheduler, f"graph:{UUID(stays)}", change)
    assert (answer.status_code, "another session" in answer.json()["detail"]) == (503, True), answer.text
    assert (await change()).status_code == 200
    await services.settle()
    shown = (await services.scheduler.get(f"/tasks/{task['id']}")).json()
    assert (shown["session"].rpartition("/")[2], shown["status"]) == (goes, "Errored")
