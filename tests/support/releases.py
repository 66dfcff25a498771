"""A release of one dataset, on its way from a draft to the public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from cingulum.manifests.signatures import SecretKey, generate_key, sign
from libs.common.permissions import Principal
from libs.common.testing import Running
from tests.support.bytes import md5, random_bytes, sha256
from tests.support.lab import Laboratory, made

NAMES = ("alf/spikes.times.npy", "alf/#v1#/spikes.times.npy")
PUBLIC = Principal(uuid4(), "public", is_public=True)
CONTENT = random_bytes(1_000)


@dataclass
class Paper:
    """A release of one dataset, called as the member who made it."""

    lab: Laboratory
    dataset: str
    key: SecretKey

    @property
    def registry(self) -> Running:
        return self.lab.registry

    @property
    def public(self) -> Running:
        return self.registry.as_(PUBLIC)

    @property
    def anonymous(self) -> Running:
        return self.registry.as_(None)

    async def prove(self) -> None:
        """The agent of the lab reads the file."""
        (copy,) = (await self.registry.get(f"/copies?dataset={self.dataset}&repository=lab_server")).json()[
            "results"
        ]
        agent = await self.lab.agent_of("lab_server")
        body = {"size_bytes": len(CONTENT), "md5": md5(CONTENT), "sha256": sha256(CONTENT)}
        proof = await agent.post(f"/copies/{copy['id']}/proof", body)
        assert proof.json()["state"] == "verified", proof.text

    async def check(self) -> httpx.Response:
        return await self.registry.post("/releases/paper/check", {"accept": ["qc"]})

    async def publish(self, **values: Any) -> httpx.Response:
        manifest = (await self.registry.get("/releases/paper/manifest")).content
        return await self.registry.post(
            "/releases/paper/publish", {"signature": sign(manifest, self.key, "")} | values
        )

    async def state(self) -> str:
        return str((await self.registry.get("/releases/paper")).json()["state"])

    async def visible_datasets(self, caller: Running) -> list[str]:
        return [row["url"][-36:] for row in (await caller.get("/datasets")).json()["results"]]

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.registry.app.state.database.begin() as session:
            await session.execute(sa.text(statement), values)


async def a_paper(lab: Laboratory) -> Paper:
    """A draft of a file that was never read."""
    (row,) = await lab.register(NAMES[0], hashes=[md5(CONTENT)], filesizes=[len(CONTENT)], name="lab_server")
    draft = {"name": "paper", "title": "Spikes", "sessions": [lab.session_id], "license": "CC-BY-4.0"}
    created = await made(lab.registry, "/releases", draft)
    assert (created["state"], created["datasets"], created["sessions"]) == ("draft", 1, 1)
    assert (created["size_bytes"], created["created_by"]) == (len(CONTENT), "ada")
    key = generate_key()
    public_key = {"name": "hilllab", "public_key": key.public.to_text()}
    await made(lab.registry.as_(lab.administrator), "/release-keys", public_key)
    return Paper(lab, row["id"], key)
