"""Files of releases: who may list them, their readers, and pull one. What is served is tested with a store."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.registry.queries.release_reads import delete_reads
from tests.support.makers.registry import make_reads
from tests.support.releases import PUBLIC, Paper
from tests.support.system import Cingulum

GONE = {"reason": "wrong clock"}


@pytest.fixture
async def published(paper: Paper) -> Paper:
    """A public release of one dataset."""
    await paper.prove()
    assert (await paper.check()).status_code == 200
    assert (await paper.publish()).status_code == 200
    return paper


async def test_pulling_and_the_log_of_reads_need_the_right_to_release(published: Paper) -> None:
    body = GONE | {"dataset": published.dataset}
    visitor = published.registry.as_(published.lab.visitor)
    for caller in (published.anonymous, published.public, visitor):
        assert (await caller.get("/releases/paper/reads")).status_code == 403
        assert (await caller.post("/releases/paper/pulled", body)).status_code == 403
        assert (await caller.get("/releases/paper/files")).json()["count"] == 1
    for path in ("files", "reads"):
        assert (await published.registry.get(f"/releases/none/{path}")).status_code == 404
    assert (await published.registry.post("/releases/none/pulled", body)).status_code == 404
    unknown = await published.registry.post("/releases/paper/pulled", GONE | {"dataset": str(uuid4())})
    assert (unknown.status_code, "dataset" in unknown.json()) == (400, True)
    assert await published.visible_datasets(published.public) == [published.dataset]


async def test_a_draft_lists_no_files_and_pulls_none(paper: Paper) -> None:
    assert (await paper.anonymous.get("/releases/paper/files")).status_code == 404
    assert (await paper.registry.get("/releases/paper/files")).status_code == 409
    pulled = await paper.registry.post("/releases/paper/pulled", GONE | {"dataset": paper.dataset})
    assert pulled.status_code == 409


async def test_a_pulled_dataset_is_public_and_protected_no_longer(published: Paper) -> None:
    pulled = await published.registry.post("/releases/paper/pulled", GONE | {"dataset": published.dataset})
    assert pulled.json()["pulled_reason"] == "wrong clock"
    assert await published.visible_datasets(published.public) == []
    (row,) = (await published.registry.get("/datasets")).json()["results"]
    assert row["protected"] is False
    assert (await published.anonymous.get("/releases/paper")).json()["state"] == "public"
    (notice,) = (await published.registry.get("/data-notices")).json()["results"]
    assert (notice["importance"], notice["description"]) == (40, "wrong clock")
    stranger = published.registry.as_(PUBLIC)
    assert (await stranger.get("/data-notices")).json()["count"] == 0


async def test_reads_are_deleted_after_their_days(published: Paper, cingulum: Cingulum) -> None:
    await make_reads(cingulum, (1825, 1828))
    async with published.registry.app.state.writer.begin() as tx:
        await delete_reads(tx.session, published.registry.app.state.settings.release_reads_days)
    assert (await published.registry.get("/releases/paper/reads")).json()["count"] == 1
