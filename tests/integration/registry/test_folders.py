"""A session's folder, and whether a copy exists, are the same in every service."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.catalogue import Service
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, a_session, made
from tests.support.system import Cingulum

FILE = "alf/spikes.times.npy"


async def test_a_renamed_subject_renames_the_folder_in_every_service(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, lab.administrator)
    await made(
        lab.registry.as_(lab.administrator),
        "/data-repository",
        {"name": "fileserver", "globus_is_personal": False, "data_url": "https://data.lab/"},
    )
    (dataset,) = await lab.register(FILE, name="fileserver")
    job = await made(scheduler, "/tasks", {"session": lab.session_id, "name": "t"})

    renamed = await lab.metadata.patch(f"/subjects/{SUBJECT}", {"nickname": "KS999"})
    assert renamed.status_code == 200, renamed.text

    folder = f"KS999/{DAY}/001"
    shown = (await lab.registry.get(f"/datasets/{dataset['id']}")).json()
    assert {record["relative_path"] for record in shown["file_records"]} == {f"{folder}/{FILE}"}
    session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
    (of_session,) = session["data_dataset_session_related"]
    uuid_name = FILE.removesuffix(".npy") + f".{dataset['id']}.npy"
    assert of_session["data_url"] == f"https://data.lab/{folder}/{uuid_name}"
    assert (await scheduler.get(f"/jobs/{job['id']}")).json()["session_path"] == f"{LAB}/Subjects/{folder}"


async def test_the_folder_writes_a_missing_number_as_000(lab: Laboratory, cingulum: Cingulum) -> None:
    scheduler = await cingulum.start(Service.SCHEDULER, lab.administrator)
    session = await made(lab.metadata, "/sessions", a_session(number=None, start_time="2020-01-02T10:00:00"))
    job = await made(scheduler, "/tasks", {"session": session["id"], "name": "t"})
    shown = (await scheduler.get(f"/jobs/{job['id']}")).json()
    assert shown["session_path"] == f"{LAB}/Subjects/{SUBJECT}/2020-01-02/000"


async def _existing(lab: Laboratory, dataset_id: str) -> tuple[list[bool], list[Any], list[Any]]:
    """What the file record shows, and what the filters of datasets and of sessions find."""
    of_dataset = (await lab.registry.get(f"/datasets/{dataset_id}")).json()
    datasets = await lab.registry.get("/datasets", params={"django": "file_records__exists,True"})
    of_sessions = "data_dataset_session_related__file_records__exists,True"
    sessions = await lab.metadata.get("/sessions", params={"django": of_sessions})
    return (
        [record["exists"] for record in of_dataset["file_records"] if record["data_repository"] == "rig_pc"],
        [row["id"] for row in datasets.json()["results"]],
        [row["id"] for row in sessions.json()["results"]],
    )


async def test_a_claim_counts_only_where_nothing_can_be_verified(lab: Laboratory) -> None:
    (dataset,) = await lab.register(FILE)
    assert await _existing(lab, dataset["id"]) == ([True], [dataset["id"]], [lab.session_id])
    async with lab.registry.app.state.database.begin() as session:
        await session.execute(
            sa.text("UPDATE registry.repositories SET store = 'agent' WHERE name = 'rig_pc'")
        )
    assert await _existing(lab, dataset["id"]) == ([False], [], [])
