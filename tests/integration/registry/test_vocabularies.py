"""Repositories and the vocabularies of files."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import asyncpg
import pytest

from cingulum.stores import StoreKind
from libs.common.catalogue import Service
from libs.common.scopes import Permission, Scope
from libs.common.testing import Callers
from tests.support.lab import Laboratory, made
from tests.support.system import Cingulum


async def test_the_client_finds_types_and_formats_it_can_match(cingulum: Cingulum, callers: Callers) -> None:
    registry = await cingulum.start(Service.REGISTRY, callers.member)
    known = json.loads(files("services.registry.models").joinpath("vocabularies.json").read_text())
    types = (await registry.get("/dataset-types", params={"limit": 1000})).json()["results"]
    assert len(types) == len(known["dataset_types"])
    assert all(isinstance(row["filename_pattern"], str) for row in types)
    formats = (await registry.get("/data-formats")).json()["results"]
    assert {row["file_extension"] for row in formats} >= {".npy", ".pqt", ".cbin", ".json"}
    row = (await registry.get("/dataset-types/spikes.times")).json()
    assert row["description"] == "times of each row of spikes"


async def test_restarting_keeps_what_users_changed(cingulum: Cingulum, callers: Callers) -> None:
    async with cingulum.run(Service.REGISTRY, callers.administrator) as registry:
        body = {"description": "spike times, s"}
        assert (await registry.patch("/dataset-types/spikes.times", body)).status_code == 200
    registry = await cingulum.start(Service.REGISTRY, callers.member)
    assert (await registry.get("/dataset-types/spikes.times")).json()["description"] == "spike times, s"


async def test_only_administrators_create_repositories(cingulum: Cingulum, callers: Callers) -> None:
    registry = await cingulum.start(Service.REGISTRY, callers.member)
    body = {"name": "central", "store": "local", "data_url": "/data/", "globus_is_personal": False}
    assert (await registry.post("/data-repository", body)).status_code == 403
    root = registry.as_(callers.administrator)
    made = await root.post("/data-repository", body)
    assert made.status_code == 201
    assert made.json()["data_url"] == "http://cingulum.test/data/"
    assert (await root.post("/data-repository", body)).status_code == 409
    for invalid in (
        {"name": "x", "data_url": "ftp://x"},
        {"name": "y", "timezone": "Mars"},
        {"name": "y", "timezone": "Europe"},  # a folder of the time zone database
        {"store": "local"},
    ):
        assert (await root.post("/data-repository", invalid)).status_code == 400
    assert (await registry.get("/data-repository/central")).json()["store"] == "local"
    assert (await registry.get("/data-repository/aws_cortexlab")).status_code == 404
    assert (await root.delete("/data-repository/central")).status_code == 204


async def test_patterns_are_stored_in_lower_case_and_are_unique(cingulum: Cingulum, callers: Callers) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    body = {"name": "lick.times", "filename_pattern": "*Lick.Times*.npy"}
    made = await root.post("/dataset-types", body)
    assert made.json()["filename_pattern"] == "*lick.times*.npy"
    assert (await root.post("/dataset-types", body | {"name": "other"})).status_code == 409
    assert (await root.delete("/dataset-types/lick.times")).status_code == 204


async def test_revisions_and_tags(cingulum: Cingulum, callers: Callers) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    made = await root.as_(callers.member).post("/revisions", {"name": "2024-01-01a"})
    assert made.status_code == 201
    assert (await root.post("/revisions", {"name": "no spaces"})).status_code == 400
    assert (await root.get("/revisions/2024-01-01a")).json()["description"] == ""
    tag = (await root.post("/tags", {"name": "paper", "protected": True})).json()
    assert (tag["protected"], tag["public"], tag["hash"]) == (True, False, None)
    assert (await root.as_(callers.member).post("/tags", {"name": "mine"})).status_code == 403


async def test_a_name_with_a_slash_is_refused_and_a_row_that_has_it_is_reached_by_its_id(
    cingulum: Cingulum, callers: Callers
) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    for path in (
        "tags",
        "dataset-types",
        "data-formats",
        "data-repository-type",
        "revisions",
        "data-repository",
    ):
        refused = await root.post(f"/{path}", {"name": "a/b", "file_extension": ".ab"})
        assert refused.status_code == 400, path
        assert refused.json().keys() >= {"name"}
    tag = (await root.post("/tags", {"name": "earlier"})).json()
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute("UPDATE registry.tags SET name = 'a/b' WHERE name = 'earlier'")
    await connection.close()
    assert (await root.get(f"/tags/{tag['id']}")).json() == tag | {"name": "a/b"}
    assert (await root.delete(f"/tags/{tag['id']}")).status_code == 204


async def test_tokens_create_terms_without_the_scope_to_read(cingulum: Cingulum, callers: Callers) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    writer = replace(callers.member, scopes=frozenset({Scope(Permission.WRITE)}))
    assert (await root.as_(writer).post("/revisions", {"name": "2024-02-02"})).status_code == 201
    admin = replace(callers.administrator, scopes=frozenset({Scope(Permission.ADMIN)}))
    assert (await root.as_(admin).post("/tags", {"name": "paper"})).status_code == 201
    assert (await root.as_(admin).patch("/tags/paper", {"protected": True})).status_code == 200


@pytest.mark.parametrize("kind", StoreKind)
async def test_a_repository_can_be_bound_to_every_kind_of_store(
    cingulum: Cingulum, callers: Callers, kind: StoreKind
) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    made = await root.post("/data-repository", {"name": "x", "store": kind.value})
    assert (made.status_code, made.json()["store"]) == (201, kind)


async def test_a_term_that_differs_only_by_case_is_refused_with_the_existing_one(
    cingulum: Cingulum, callers: Callers
) -> None:
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    for path, name, twin in (
        ("/revisions", "Before", "before"),
        ("/tags", "PAPER", "paper"),
        ("/data-repository", "Central", "central"),
        ("/dataset-types", "Spikes.times", "spikes.times"),
    ):
        assert (await root.post(path, {"name": twin})).status_code in {201, 409}
        refused = await root.post(path, {"name": name})
        assert refused.status_code == 409
        assert f"'{twin}' already exists" in refused.json()["name"][0]
    assert (await root.patch("/tags/paper", {"name": "Paper"})).status_code == 200
    for path in ("/revisions", "/data-repository", "/tags"):
        assert (await root.post(path, {"name": ".."})).status_code == 400


@pytest.mark.parametrize("more", [{}, {"file_extension": None}, {"file_extension": ""}])
async def test_a_format_has_an_extension(lab: Laboratory, more: dict[str, str | None]) -> None:
    root = lab.registry.as_(lab.administrator)
    refused = await root.post("/data-formats", {"name": "matx"} | more)
    assert (refused.status_code, "file_extension" in refused.json()) == (400, True)
    await made(root, "/data-formats", {"name": "matx", "file_extension": ".matx"})
    refused = await root.patch("/data-formats/matx", {"file_extension": ""})
    assert (refused.status_code, "file_extension" in refused.json()) == (400, True)
