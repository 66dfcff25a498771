"""Files of a session whose bytes are in the central store, verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from libs.common.storage import LocalStore
from tests.support.bytes import md5, sha256
from tests.support.lab import PATH, Laboratory
from tests.support.system import Cingulum

BOUND = "UPDATE registry.repositories SET store = :store WHERE name = 'central'"


def store_folder(cingulum: Cingulum) -> Path:
    """The folder of the central store."""
    return Path(cingulum.environment["CINGULUM_HOME"]) / "store"


async def store_files(
    lab: Laboratory, cingulum: Cingulum, files: Mapping[str, bytes], path: str = PATH
) -> dict[str, str]:
    """Register files of a session, and have an agent verify them in the place of the store; ids by path inside it."""
    names = list(files)
    registered = await lab.register(
        *names,
        path=path,
        hashes=[md5(data) for data in files.values()],
        filesizes=[len(data) for data in files.values()],
        name="central",
    )
    ids = {name: str(dataset["id"]) for name, dataset in zip(names, registered, strict=True)}
    store = LocalStore(store_folder(cingulum))
    for data in files.values():
        await store.put(data)
    await store.close()
    agent = await lab.agent_of("central")
    await _bind(lab, "agent")
    for name, data in files.items():
        params = {"dataset": ids[name], "repository": "central"}
        copies = (await lab.registry.get("/copies", params=params)).json()["results"]
        body = {"size_bytes": len(data), "md5": md5(data), "sha256": sha256(data)}
        proof = await agent.post(f"/copies/{copies[0]['id']}/proof", body)
        assert proof.json()["state"] == "verified", proof.text
    await _bind(lab, "local")
    return ids


async def _bind(lab: Laboratory, store: str) -> None:
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(sa.text(BOUND), {"store": store})
