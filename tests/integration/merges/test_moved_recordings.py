"""Recordings of merged sessions follow their datasets."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from libs.common.catalogue import Service
from tests.integration.merges.conftest import Services
from tests.support.makers.compressor import make_recording
from tests.support.waiting import attempts

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_recordings_follow_their_datasets(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    [row] = await services.register(goes, "alf/spikes.times.npy")
    system, dataset_id = services.labs.cingulum, UUID(row["id"])
    await make_recording(system, dataset_id, UUID(goes), sha256="aa", raw_sha256="bb")
    connection = await asyncpg.connect(system.admin_url)
    query = "SELECT session_id::text FROM compressor.recordings WHERE dataset_id = $1"
    merge = await services.merged(stays, goes)
    assert merge["moved"]["recording"] == 1
    assert await connection.fetchval(query, dataset_id) == stays
    await services.undone(merge)
    assert await connection.fetchval(query, dataset_id) == goes
    await connection.close()


async def test_a_recording_of_a_file_that_was_deleted_meanwhile_follows_it_later(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    [row] = await services.register(goes, "alf/spikes.times.npy")
    system, dataset_id = services.labs.cingulum, UUID(row["id"])
    await make_recording(system, dataset_id, UUID(goes), sha256="aa", raw_sha256="bb")
    deletion = await services.registry.delete(f"/datasets/{dataset_id}")
    await services.merged(stays, goes)
    assert (await services.registry.post(deletion.headers["Location"])).status_code == 200
    # Another process searches for recordings at its start, and then from time to time.
    await system.start(Service.COMPRESSOR, services.labs.principal("root"))
    connection = await asyncpg.connect(system.admin_url)
    query = "SELECT session_id::text FROM compressor.recordings WHERE dataset_id = $1"
    async for _ in attempts():
        if await connection.fetchval(query, dataset_id) == stays:
            break
    assert await connection.fetchval(query, dataset_id) == stays
    await connection.close()
