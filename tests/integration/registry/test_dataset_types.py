"""Dataset types that registrations create, and those that a database gets with a new version."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.testing import Callers, Running
from tests.support.lab import Laboratory, files, laboratory
from tests.support.system import Cingulum


@pytest.fixture
async def open_lab(cingulum: Cingulum) -> Laboratory:
    """A lab whose registry creates dataset types by need."""
    environment = {**cingulum.environment, "CINGULUM_CREATE_DATASET_TYPES": "true"}
    return await laboratory(replace(cingulum, environment=environment))


async def names_to_review(registry: Running) -> list[str]:
    rows = (await registry.get("/dataset-types", params={"needs_review": True})).json()["results"]
    return [row["name"] for row in rows]


async def test_a_file_without_type_is_refused_by_name_with_what_to_do(lab: Laboratory) -> None:
    answer = await lab.registry.post("/register-file", files("alf/sniffs.times.npy"))
    assert answer.status_code == 400
    (text,) = answer.json()["filenames"]
    for part in (
        "'sniffs.times.npy'",
        "add a type named 'sniffs.times'",
        "POST /dataset-types",
        "cingulum load",
    ):
        assert part in text
    assert await names_to_review(lab.registry) == []


async def test_a_file_of_two_types_is_refused_with_both_and_what_to_do(lab: Laboratory) -> None:
    root = lab.registry.as_(lab.administrator)
    for name in ("sniffs.times", "sniffs.any"):
        body = {"name": name, "filename_pattern": f"*{name.replace('any', '')}*.npy"}
        assert (await root.post("/dataset-types", body)).status_code == 201
    answer = await lab.registry.post("/register-file", files("alf/sniffs.times.npy"))
    assert answer.status_code == 400
    (text,) = answer.json()["filenames"]
    for part in ("sniffs.any ('*sniffs.*.npy')", "sniffs.times ('*sniffs.times*.npy')", "Narrow", "PATCH"):
        assert part in text


async def test_with_the_setting_a_registration_creates_types_that_an_administrator_confirms(
    open_lab: Laboratory,
) -> None:
    names = ["alf/_mylab_sniffs.times_bpod.npy", "alf/sniffs.depth.npy", "alf/sniffs.times.csv"]
    datasets = await open_lab.register(*names)
    assert [row["dataset_type"] for row in datasets] == ["sniffs.times", "sniffs.depth", "sniffs.times"]
    assert await names_to_review(open_lab.registry) == ["sniffs.depth", "sniffs.times"]
    row = (await open_lab.registry.get("/dataset-types/sniffs.times")).json()
    assert (row["filename_pattern"], row["created_by"], row["needs_review"]) == ("", "ada", True)
    confirmed = {"needs_review": False, "description": "onset of each sniff, s"}
    assert (await open_lab.registry.patch("/dataset-types/sniffs.times", confirmed)).status_code == 403
    root = open_lab.registry.as_(open_lab.administrator)
    assert (await root.patch("/dataset-types/sniffs.times", confirmed)).status_code == 200
    assert await names_to_review(open_lab.registry) == ["sniffs.depth"]
    made = await open_lab.registry.post(
        "/datasets", {"session": open_lab.session_id, "name": "sniffs.area.npy"}
    )
    assert (made.status_code, made.json()["dataset_type"]) == (201, "sniffs.area")


async def test_with_the_setting_a_name_that_is_wrong_creates_no_type(open_lab: Laboratory) -> None:
    for name, text in (
        ("spikes.times.csv", "expects names like '*spikes.times*.npy'"),
        ("Waveforms.Table.pqt", "did you mean `waveforms.table`"),
        ("notes.txt", "add a type named 'notes'"),
        ("sniffs.times.xyz", "'.xyz' is not a known data format"),
    ):
        answer = await open_lab.registry.post("/register-file", files("sniffs.depth.npy", name))
        assert answer.status_code == 400
        assert text in answer.json()["filenames"][0]
    assert await names_to_review(open_lab.registry) == []


async def test_two_registrations_at_once_create_one_type(open_lab: Laboratory) -> None:
    session: dict[str, Any] = {"subject": "KS022", "lab": "hilllab", "users": []}
    paths = []
    for number in (2, 3, 4):
        body = session | {"start_time": "2019-12-10T12:00:00", "number": number}
        assert (await open_lab.metadata.post("/sessions", body)).status_code == 201
        paths.append(f"KS022/2019-12-10/{number:03d}")
    bodies = [files("sniffs.times.npy", "sniffs.depth.npy", path=path) for path in paths]
    answers = await asyncio.gather(*(open_lab.registry.post("/register-file", body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert await names_to_review(open_lab.registry) == ["sniffs.depth", "sniffs.times"]


async def test_a_new_version_adds_types_and_keeps_what_a_lab_changed_deleted_or_has_already(
    cingulum: Cingulum, callers: Callers
) -> None:
    async with cingulum.run(Service.REGISTRY, callers.administrator) as root:
        body = {"filename_pattern": "*spikes.times*"}
        assert (await root.patch("/dataset-types/spikes.times", body)).status_code == 200
        assert (await root.delete("/dataset-types/licks.times")).status_code == 204
        for name in ("wheel.position", "wheel.timestamps", "trials.choice"):
            assert (await root.delete(f"/dataset-types/{name}")).status_code == 204
        mine = {"name": "mylab.wheel", "filename_pattern": "*wheel.position*"}
        assert (await root.post("/dataset-types", mine)).status_code == 201
    # As in a database of a version that did not ship these yet.
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        "DELETE FROM registry.shipped_terms WHERE id NOT IN (SELECT id FROM registry.dataset_types)"
        " AND id != 'e03266de-098b-493d-a52b-a8967f9c58ae'"
    )
    await connection.close()
    root = await cingulum.start(Service.REGISTRY, callers.administrator)
    statuses = {
        name: (await root.get(f"/dataset-types/{name}")).status_code
        for name in ("licks.times", "wheel.position", "wheel.timestamps", "trials.choice")
    }
    assert statuses == {
        "licks.times": 404,
        "wheel.position": 404,
        "wheel.timestamps": 200,
        "trials.choice": 200,
    }
    assert (await root.get("/dataset-types/spikes.times")).json()["filename_pattern"] == "*spikes.times*"
