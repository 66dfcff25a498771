"""Datasets and sessions that come from another server keep the ids they have there."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.lab import SUBJECT, Laboratory, files, made

FILE, OTHER = "alf/spikes.times.npy", "alf/spikes.amps.npy"


async def test_new_datasets_get_the_ids_that_are_sent(lab: Laboratory) -> None:
    dataset_id = str(uuid4())
    first, second = await lab.register(FILE, OTHER, filesizes=[3, 3], import_ids=[dataset_id, None])
    assert first["id"] == dataset_id != second["id"]
    again = await lab.register(FILE, filesizes=[3], import_ids=[str(uuid4())])
    assert again[0]["id"] == dataset_id


@pytest.mark.parametrize("is_twice", [True, False])
async def test_the_id_of_another_dataset_is_refused_and_nothing_is_registered(
    lab: Laboratory, is_twice: bool
) -> None:
    dataset_id = str(uuid4())
    if not is_twice:
        await lab.register(FILE, import_ids=[dataset_id])
    names = [OTHER, "alf/spikes.depths.npy"]
    refused = await lab.registry.post("/register-file", files(*names, import_ids=[dataset_id] * 2))
    assert refused.status_code == 409
    assert dataset_id in refused.text
    rows = (await lab.registry.get("/datasets", params={"name": names[0]})).json()["results"]
    assert rows == []


async def test_a_new_session_gets_the_id_that_is_sent_and_no_other_gets_it(lab: Laboratory) -> None:
    session_id = str(uuid4())
    body = {"subject": SUBJECT, "start_time": "2021-05-05T10:00:00", "number": 7, "import_id": session_id}
    assert (await made(lab.metadata, "/sessions", body))["id"] == session_id
    refused = await lab.metadata.post("/sessions", body | {"number": 8})
    assert refused.status_code == 409
    assert session_id in refused.text
