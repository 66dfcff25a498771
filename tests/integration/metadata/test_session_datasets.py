"""The datasets, water and insertions of a session, and the filters by datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs, a_registry, registered

pytestmark = pytest.mark.asyncio(loop_scope="module")
LISTED = {"id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol"}
DATASET = {
    "id", "name", "dataset_type", "data_url", "url", "file_size", "hash", "version", "collection", "revision",
    "default_revision", "qc",
}  # fmt: skip
INSERTION = {
    "id", "session", "model", "session_info", "name", "json", "serial", "auto_datetime", "chronic_insertion", "datasets"
}  # fmt: skip
MD5 = "900150983cd24fb0d6963f7d28e17f72"


@dataclass(frozen=True)
class Recorded:
    """A session with an insertion, water, three datasets on a server and one without a file."""

    labs: Labs
    session_id: str
    insertion_id: str
    spikes_id: str
    data_url: str

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """What ada reads."""
        answer: dict[str, Any] = (await self.labs.as_("ada").get(path, params=query)).json()
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(shared_labs: Labs) -> Recorded:
    """Session 7 of KS001, of whose datasets one is of a probe and one is critical."""
    await shared_labs.animal()
    session = await shared_labs.session(number=7)
    insertion = await shared_labs.post(
        "/insertions", session=session["id"], name="probe00", model="3B2", serial="18005"
    )
    await shared_labs.post(
        "/water-administrations", subject="KS001", session=session["id"], water_administered=1.2
    )
    registry = await a_registry(shared_labs)
    path = "KS001/2024-03-02/007"
    spikes, _, licks = await registered(
        registry, path,
        "alf/probe00/#2024-05-01#/spikes.times.npy", "alf/_ibl_trials.table.pqt", "alf/licks.times.npy",
        hashes=[MD5, MD5, MD5], filesizes=[10, 20, 30],
    )  # fmt: skip
    await registered(registry, path, "alf/camera.times.npy", exists=False)
    await registry.patch(f"/datasets/{licks['id']}", {"qc": "CRITICAL"})
    url = "http://files.example.org/KS001/2024-03-02/007/alf/probe00/#2024-05-01#"
    return Recorded(
        shared_labs, session["id"], insertion["id"], spikes["id"], f"{url}/spikes.times.{spikes['id']}.npy"
    )


async def test_a_session_shows_the_datasets_that_a_server_has(recorded: Recorded) -> None:
    session = await recorded.get(f"/sessions/{recorded.session_id}")
    names = {dataset["name"] for dataset in session["data_dataset_session_related"]}
    assert names == {"spikes.times.npy", "_ibl_trials.table.pqt", "licks.times.npy"}


async def test_a_dataset_is_shown_with_its_address_and_hash(recorded: Recorded) -> None:
    session = await recorded.get(f"/sessions/{recorded.session_id}")
    [spikes] = [row for row in session["data_dataset_session_related"] if row["id"] == recorded.spikes_id]
    assert spikes.keys() == DATASET
    assert spikes["data_url"] == recorded.data_url
    assert (spikes["hash"], spikes["file_size"], spikes["qc"]) == (MD5, 10, "NOT_SET")
    assert (spikes["revision"], spikes["default_revision"]) == ("2024-05-01", "True")


async def test_a_session_shows_its_water(recorded: Recorded) -> None:
    session = await recorded.get(f"/sessions/{recorded.session_id}")
    [water] = session["wateradmin_session_related"]
    assert water.keys() == {"id", "name", "water_type", "water_administered"}
    assert water["water_administered"] == 1.2


async def test_a_session_shows_its_insertions_with_the_ids_of_their_datasets(recorded: Recorded) -> None:
    session = await recorded.get(f"/sessions/{recorded.session_id}")
    [insertion] = session["probe_insertion"]
    assert insertion.keys() == INSERTION
    assert insertion["datasets"] == [recorded.spikes_id]
    assert insertion["session_info"].keys() == LISTED


async def test_a_list_of_insertions_shows_ids_of_datasets(recorded: Recorded) -> None:
    listed = await recorded.get("/insertions", subject="KS001", date="2024-03-02")
    assert [insertion["datasets"] for insertion in listed["results"]] == [[recorded.spikes_id]]


async def test_an_insertion_shows_its_datasets(recorded: Recorded) -> None:
    insertion = await recorded.get(f"/insertions/{recorded.insertion_id}")
    assert insertion.keys() == INSERTION
    assert [dataset["data_url"] for dataset in insertion["datasets"]] == [recorded.data_url]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"datasets": "spikes.times.npy"}, 1),
        ({"datasets": "spikes.times.npy,_ibl_trials.table.pqt"}, 1),
        ({"datasets": "spikes.times.npy,camera.times.npy"}, 0),
        ({"datasets": "licks.times.npy"}, 0),  # critical: worse than FAIL, the limit unless stated
        ({"datasets": "licks.times.npy", "dataset_qc_lte": "CRITICAL"}, 1),
        ({"datasets": ","}, 1),
        ({"dataset_types": "spikes.times,camera.times"}, 1),
        ({"dataset_qc_lte": "PASS"}, 1),
        ({"tag": "paper"}, 0),
    ],
)
async def test_sessions_are_filtered_by_datasets(
    recorded: Recorded, query: dict[str, str], count: int
) -> None:
    assert (await recorded.get("/sessions", **query))["count"] == count


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"datasets": "spikes.times.npy"}, 1),
        ({"datasets": "_ibl_trials.table.pqt"}, 0),
        ({"dataset_types": "spikes.times"}, 1),
        ({"dataset_types": "licks.times"}, 0),
        ({"name": "probe00", "subject": "ks001"}, 1),
        ({"experiment_number": "007", "lab": "hilllab", "serial": "1800", "model": "Neuropixel 3B2"}, 1),
        ({"experiment_number": "8"}, 0),
        ({"date": "2024-03-03"}, 0),
        ({"atlas_acronym": "VISp"}, 0),
    ],
)
async def test_insertions_are_filtered(recorded: Recorded, query: dict[str, str], count: int) -> None:
    assert (await recorded.get("/insertions", **query))["count"] == count


async def test_insertions_are_filtered_by_session_and_id(recorded: Recorded) -> None:
    assert (await recorded.get("/insertions", session=recorded.session_id))["count"] == 1
    assert (await recorded.get("/insertions", id=recorded.insertion_id))["count"] == 1
