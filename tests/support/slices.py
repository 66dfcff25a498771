"""A compressed recording that lies proved in the central store, and a compressor that has indexed it."""

from __future__ import annotations

import asyncio
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

FOLDER = "raw_ephys_data/probe00"


async def verified(
    cingulum: Cingulum, lab: Laboratory, files: dict[str, bytes], **about: Any
) -> dict[str, UUID]:
    """Register files whose bytes lie in the central store and were proved; their datasets by name."""
    store = LocalStore(Path(cingulum.environment["CINGULUM_HOME"]) / "store")
    found = await lab.register(*(f"{FOLDER}/{name}" for name in files), **about)
    ids = {name: UUID(one["id"]) for name, one in zip(files, found, strict=True)}
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
    for one in ids.values():
        await lab.registry.say(
            CopyVerified(dataset_id=one, copy_id=uuid4(), session_id=None, sha256="ab" * 32)
        )
    return ids


async def indexed(compressor: Running, n: int = 1) -> list[dict[str, Any]]:
    """What the list shows, once it shows so many."""
    for _ in range(2_400):
        found = (await compressor.get("/slices")).json()
        if found["count"] >= n:
            return list(found["results"])
        await asyncio.sleep(0.05)
    raise AssertionError(found)


async def proved(compressor: Running) -> dict[str, Any]:
    """The one recording, once it is proved or known to be another."""
    for _ in range(400):
        [one] = await indexed(compressor)
        if one["proved_at"] or one["proof_problem"]:
            return one
        await asyncio.sleep(0.05)
    raise AssertionError(one)


async def ready(cingulum: Cingulum, lab: Laboratory, recording: Compressed) -> tuple[Running, str]:
    """A compressor that has indexed the recording, asked by a member; the address of its slices."""
    compressor = await cingulum.start(Service.COMPRESSOR, lab.member)
    ids = await verified(cingulum, lab, recording.files)
    await indexed(compressor)
    return compressor, f"/slices/{ids[recording.packed]}"
