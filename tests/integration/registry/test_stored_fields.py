"""Every field of a body of registry is shown again: none is accepted and lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from libs.common.schemas.files.data_notices import DataNoticeIn
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.files.files import FileRecordIn
from libs.common.schemas.files.repositories import RepositoryIn, RepositoryTypeIn
from libs.common.schemas.files.vocabularies import DataFormatIn, DatasetTypeIn, RevisionIn, TagIn
from services import gateway
from tests.support.cleared import find_lost_values
from tests.support.lab import DAY, SUBJECT, Laboratory, made

SHOWN_ELSEWHERE = object()
ENDPOINT = "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"
# Of each body: where it goes, every field with a value that is not its default, and fields shown otherwise than sent.
BODIES: tuple[tuple[str, type[BaseModel], dict[str, Any], dict[str, Any]], ...] = (
    (
        "/data-formats",
        DataFormatIn,
        {
            "name": "matx", "description": "MATLAB", "file_extension": ".matx", "matlab_loader_function": "load",
            "python_loader_function": "scipy.io.loadmat", "json": {"a": 1},
        },
        {},
    ),
    (
        "/dataset-types",
        DatasetTypeIn,
        {
            "name": "lick.times", "description": "s", "filename_pattern": "*lick.times*.x", "created_by": "ada",
            "needs_review": True,
        },
        {},
    ),
    (
        "/revisions",
        RevisionIn,
        {
            "name": "2020-02-02", "description": "better", "created_datetime": "2020-01-02T03:04:05", "json": {"a": 1},
        },
        {},
    ),
    (
        "/tags",
        TagIn,
        {"name": "paper", "description": "first", "protected": True, "public": True, "hash": None, "json": {"a": 1}},
        {},
    ),
    ("/data-repository-type", RepositoryTypeIn, {"name": "tape", "json": {"a": 1}}, {}),
    (
        "/data-repository",
        RepositoryIn,
        {
            "name": "new", "timezone": "Asia/Tokyo", "globus_path": "/mnt/", "hostname": "server.lab",
            "data_url": "https://data.lab/", "repository_type": "Fileserver", "globus_endpoint_id": ENDPOINT,
            "globus_is_personal": False, "json": {"a": 1}, "store": "agent",
        },
        {},
    ),
    (
        "/datasets",
        DatasetIn,
        {
            "name": "spikes.times.npy", "created_by": "eve", "created_datetime": "2020-01-02T03:04:05",
            "dataset_type": "spikes.times", "data_format": "npy", "collection": "alf",
            "session": "SESSION", "subject": SUBJECT, "date": DAY, "number": 1, "content_type": None,
            "object_id": None, "file_size": 3,
            "hash": "a" * 32, "version": "1.2", "revision": "2020-01-01", "default_dataset": True, "tags": ["old"],
            "qc": "PASS", "json": {"a": 1},
        },
        {"session": ("session", "http://cingulum.test/sessions/SESSION"), "json": ("json", SHOWN_ELSEWHERE)},
    ),
    (
        "/data-notices",
        DataNoticeIn,
        {
            "created_by": "eve", "datasets": ["DATASET"], "name": "drift", "json": {"a": 1}, "description": "calm",
            "importance": 40, "version_affected": "1.2", "affected_date_start": "2024-01-01",
            "affected_date_end": "2024-02-01",
        },
        {},
    ),
    (
        "/files",
        FileRecordIn,
        {
            "dataset": "DATASET", "data_repository": "outside", "name": "spikes.amps.npy",
            "relative_path": f"{SUBJECT}/{DAY}/001/alf/spikes.amps.npy", "exists": False, "json": {"a": 1},
        },
        {"dataset": ("dataset", "http://cingulum.test/datasets/DATASET")},
    ),
)  # fmt: skip


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, known in ids.items():
            value = value.replace(name, known)
    return [_filled(item, ids) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("path", "schema", "body", "shown_as"), BODIES, ids=[path.strip("/") for path, *_ in BODIES]
)
async def test_every_field_of_a_body_is_shown_again(
    lab: Laboratory, path: str, schema: type[BaseModel], body: dict[str, Any], shown_as: dict[str, Any]
) -> None:
    assert body.keys() == {field.alias or name for name, field in schema.model_fields.items()}
    root = lab.registry.as_(lab.administrator)
    await made(root, "/tags", {"name": "old"})
    await made(root, "/data-repository", {"name": "outside"})
    if path == "/datasets":
        await made(root, "/revisions", {"name": body["revision"]})
    (dataset,) = await lab.register("alf/spikes.amps.npy")
    ids = {"SESSION": lab.session_id, "DATASET": dataset["id"]}
    shown = await made(root, path, {name: _filled(value, ids) for name, value in body.items()})
    expected = dict(shown_as.get(name, (name, value)) for name, value in body.items())
    expected = {name: _filled(value, ids) for name, value in expected.items() if value is not SHOWN_ELSEWHERE}
    assert {name: shown.get(name) for name in expected} == expected
    if SHOWN_ELSEWHERE in (value for _, value in shown_as.values()):
        listed = await root.get(path, params={"django": f"id,{shown['id']},json__a,1"})
        assert [row["id"] for row in listed.json()["results"]] == [shown["id"]]


@pytest.mark.parametrize(("path", "body"), [(path, body) for path, _, body, _ in BODIES])
async def test_null_clears_a_field_or_is_refused_by_name(
    lab: Laboratory, path: str, body: dict[str, Any]
) -> None:
    root = lab.registry.as_(lab.administrator)
    await made(root, "/tags", {"name": "old"})
    await made(root, "/data-repository", {"name": "outside"})
    if path == "/datasets":
        await made(root, "/revisions", {"name": body["revision"]})
    (dataset,) = await lab.register("alf/spikes.amps.npy")
    ids = {"SESSION": lab.session_id, "DATASET": dataset["id"]}
    shown = await made(root, path, {name: _filled(value, ids) for name, value in body.items()})
    assert await find_lost_values(root, f"{path}/{shown.get('id') or shown['name']}", body) == []


async def test_every_stored_body_is_tested_here() -> None:
    described = json.loads((Path(gateway.__file__).parent / "static" / "schema.json").read_text())
    lists = {path for path, *_ in BODIES} | {"/register-file", "/new-download"}
    tags = {"data notices", "datasets", "repositories", "vocabularies of files"}
    posted = {
        path
        for path, operations in described["paths"].items()
        if tags.intersection(operations.get("post", {}).get("tags", ()))
    }
    assert posted <= lists
