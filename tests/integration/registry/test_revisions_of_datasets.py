"""The upgrade that gives each dataset the record of its revision."""

from __future__ import annotations

import importlib

import sqlalchemy as sa

from tests.support.lab import Laboratory, made

MIGRATION = importlib.import_module("services.registry.migrations.versions.0011_revisions_of_all_datasets")


async def test_a_revision_deleted_before_comes_back_as_it_was(lab: Laboratory) -> None:
    registry = lab.registry.as_(lab.metadata.caller)
    deleted = await made(registry, "/revisions", {"name": "deleted", "description": "x", "json": {"a": 1}})
    unused = await made(registry, "/revisions", {"name": "unused"})
    for row in (deleted, unused):
        assert (await registry.delete(f"/revisions/{row['name']}")).status_code == 204
    plain, other = await lab.register("alf/spikes.times.npy", "alf/spikes.amps.npy")
    async with lab.registry.app.state.database.begin() as session:
        for dataset, name in ((plain, "deleted"), (other, "renamed")):
            values = {"name": name, "id": dataset["id"]}
            await session.execute(
                sa.text("UPDATE registry.datasets SET revision = :name WHERE id = :id"), values
            )
        for statement in (MIGRATION.RESTORE, MIGRATION.CREATE):
            await session.execute(sa.text(statement))
    assert (await registry.get("/revisions/deleted")).json() == deleted
    assert (await registry.get("/revisions/renamed")).status_code == 200
    assert (await registry.get("/revisions/unused")).status_code == 404
