"""A compressed recording with verified copies in the central store, and a compressor that has indexed it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from libs.common.catalogue import Service
from libs.common.events import CopyVerified
from libs.common.storage import LocalStore
from libs.common.testing import Running
from tests.support.lab import Laboratory
from tests.support.recordings import Compressed
from tests.support.system import Cingulum
from tests.support.waiting import attempts

FOLDER = "raw_ephys_data/probe00"


async def verified(
    cingulum: Cingulum, lab: Laboratory, files: dict[str, bytes], **about: Any
) -> dict[str, UUID]:
    """Register files with verified copies in the central store; their dataset ids by name."""
    store = LocalStore(Path(cingulum.environment["CINGULUM_HOME"]) / "store")
    datasets = await lab.register(*(f"{FOLDER}/{name}" for name in files), **about)
    ids = {name: UUID(dataset["id"]) for name, dataset in zip(files, datasets, strict=True)}
    connection = await asyncpg.connect(cingulum.admin_url)
    for name, data in files.items():
        digest = await store.put(data)
        await connection.execute(
            "UPDATE registry.versions SET sha256 = $2, size_bytes = $3 WHERE dataset_id = $1",
            ids[name],
            digest.sha256,
            len(data),
        )
        await connection.execute(
            "UPDATE registry.copies SET state = 'verified', proved_at = now() WHERE dataset_id = $1"
            " AND repository_id = (SELECT id FROM registry.repositories WHERE name = 'central')",
            ids[name],
        )
    await connection.close()
    await store.close()
    for dataset_id in ids.values():
        await lab.registry.say(
            CopyVerified(dataset_id=dataset_id, copy_id=uuid4(), session_id=None, sha256="ab" * 32)
        )
    return ids


async def indexed(compressor: Running, n: int = 1) -> list[dict[str, Any]]:
    """The listed recordings, once there are so many."""
    async for _ in attempts():
        listed = (await compressor.get("/slices")).json()
        if listed["count"] >= n:
            return list(listed["results"])
    raise AssertionError(listed)


async def proved(compressor: Running) -> dict[str, Any]:
    """The only recording, once it is proved or has a problem."""
    async for _ in attempts():
        [recording] = await indexed(compressor)
        if recording["proved_at"] or recording["proof_problem"]:
            return recording
    raise AssertionError(recording)


async def ready(cingulum: Cingulum, lab: Laboratory, recording: Compressed) -> tuple[Running, str]:
    """A compressor (as a member) that has indexed the recording, and the path of its slices."""
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    ids = await verified(cingulum, lab, recording.files)
    await indexed(compressor)
    return compressor, f"/slices/{ids[recording.packed]}"
