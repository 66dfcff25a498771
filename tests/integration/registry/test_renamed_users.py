"""Records of a user who is renamed: they show the new name, whoever takes the old one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa

from deploy.local.servers import Postgres
from libs.common.testing import Running
from tests.support.labs import Labs, a_registry, registered, shared_two_labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "KS001/2024-03-02/001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def labs(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Labs]:
    """A session in a lab."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("labs") / "home")) as labs:
        await labs.animal("KS001")
        await labs.session("KS001")
        yield labs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(labs: Labs) -> Running:
    """Registry, called by root."""
    return await a_registry(labs)


async def _names(registry: Running, path: str = "/datasets", **query: str) -> set[str]:
    answer = await registry.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return {row["name"] for row in answer.json()["results"]}


async def test_datasets_and_types_follow_and_a_new_user_of_the_old_name_is_not_their_author(
    labs: Labs, registry: Running
) -> None:
    await labs.post("/users", username="u1")
    (first,) = await registered(registry, PATH, "alf/spikes.times.npy", created_by="u1")
    session = {"subject": "KS001", "date": "2024-03-02", "number": 1}
    body = {"name": "spikes.amps.npy", "collection": "alf", "dataset_type": "spikes.amps", "created_by": "u1"}
    assert (await registry.post("/datasets", body | session)).json()["created_by"] == "u1"
    assert (
        await registry.post("/dataset-types", {"name": "wing.beats", "created_by": "u1"})
    ).status_code == 201
    both = {"spikes.times.npy", "spikes.amps.npy"}
    renamed = await labs.metadata.patch("/users/u1", {"username": "u2"})
    assert renamed.status_code == 200, renamed.text
    await labs.post("/users", username="u1")
    assert (await registry.get(f"/datasets/{first['id']}")).json()["created_by"] == "u2"
    listed = (await registry.get("/datasets")).json()["results"]
    assert {row["name"] for row in listed if row["created_by"] == "u2"} == both
    assert (await registry.get("/dataset-types/wing.beats")).json()["created_by"] == "u2"
    for old, new in (
        ({"created_by": "u1"}, {"created_by": "u2"}),
        ({"django": "created_by__username,u1"}, {"django": "created_by__username,u2"}),
    ):
        assert (await _names(registry, **old), await _names(registry, **new)) == (set(), both)
    (again,) = await registered(registry, PATH, "alf/spikes.times.npy", created_by="u1")
    assert (again["created_by"], await _names(registry, created_by="u1")) == ("u1", {"spikes.times.npy"})
    changed = await registry.patch(f"/datasets/{first['id']}", {"created_by": "u2"})
    assert (changed.json()["created_by"], await _names(registry, created_by="u2")) == ("u2", both)


async def test_records_go_on_naming_a_user_renamed_and_deleted(labs: Labs, registry: Running) -> None:
    await labs.post("/users", username="leaver")
    (dataset,) = await registered(registry, PATH, "alf/clusters.depths.npy", created_by="leaver")
    assert (await labs.metadata.patch("/users/leaver", {"username": "left"})).status_code == 200
    assert (await labs.metadata.delete("/users/left")).status_code == 204
    assert (await registry.get(f"/datasets/{dataset['id']}")).json()["created_by"] == "left"
    for query in ({"created_by": "left"}, {"django": "created_by__username,left"}):
        assert await _names(registry, **query) == {"clusters.depths.npy"}


async def test_datasets_without_the_id_of_an_author_are_filtered_by_their_username(
    labs: Labs, registry: Running
) -> None:
    await labs.post("/users", username="early")
    names = ["alf/templates.amps.npy", "alf/templates.waveforms.npy"]
    first, second = await registered(registry, PATH, *names, created_by="early")
    async with registry.app.state.database.begin() as session:
        for row, name in ((first, "early"), (second, "unknown")):  # as earlier versions inserted them
            await session.execute(
                sa.text(
                    "UPDATE registry.datasets SET created_by_id = NULL, created_by = :name WHERE id = :id"
                ),
                {"id": row["id"], "name": name},
            )
    for row, name in ((first, "early"), (second, "unknown")):
        assert (await registry.get(f"/datasets/{row['id']}")).json()["created_by"] == name
        for query in ({"created_by": name}, {"django": f"created_by__username,{name}"}):
            assert await _names(registry, **query) == {row["name"]}
