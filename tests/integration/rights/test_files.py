"""Who may know of files: those of a deleted private project, aggregates of a hidden animal; at every door of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.published import PROJECTS, table
from libs.common.scopes import Permission, Scope
from libs.common.testing import Running
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, a_session, files, laboratory, made
from tests.support.recordings import a_recording
from tests.support.slices import FOLDER, ready
from tests.support.system import Cingulum

NOBODY = str(uuid4())
TRIALS = "_ibl_subjectTrials.table.pqt"


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session."""
    return await laboratory(cingulum)


async def _in_private_project(lab: Laboratory, *paths: str) -> Principal:
    """Put what lies at the paths into a private project of ada's; she with it."""
    await made(lab.metadata, "/projects", {"name": "secret", "users": ["ada"], "is_private": True})
    for path in paths:
        assert (await lab.metadata.patch(path, {"projects": ["secret"]})).status_code == 200
    async with lab.metadata.app.state.database.read() as session:
        project = await session.scalar(
            sa.select(table(PROJECTS).c.id).where(table(PROJECTS).c.name == "secret")
        )
    return replace(lab.member, projects=frozenset({project}))


async def _answers(
    services: dict[str, Running], caller: Principal, doors: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """What each door says: a status, or how many rows a list has."""
    answers = {}
    for service, path in doors:
        answer = await services[service].as_(caller).get(path)
        listed = (
            answer.json() if answer.headers.get("content-type", "").startswith("application/json") else None
        )
        counted = isinstance(listed, dict) and "count" in listed
        answers[path] = f"{listed['count']} rows" if counted and listed else str(answer.status_code)
    return answers


async def test_deleting_a_private_project_opens_nothing_at_any_door(
    cingulum: Cingulum, lab: Laboratory, tmp_path: Path
) -> None:
    recording = a_recording(tmp_path / "made")
    compressor, slices = await ready(cingulum, lab, recording)
    scheduler = await cingulum.start(Service.SCHEDULER, lab.administrator)
    services = {
        "registry": lab.registry,
        "compressor": compressor,
        "scheduler": scheduler,
        "metadata": lab.metadata,
    }
    dataset = slices.rpartition("/")[2]
    (copy, *_) = (await lab.registry.get("/copies", params={"dataset": dataset})).json()["results"]
    task = await made(scheduler, "/tasks", {"session": lab.session_id, "name": "t"})
    await made(lab.registry.as_(lab.administrator), "/new-download", {"datasets": [dataset], "user": "eve"})
    details = (
        ("registry", f"/datasets/{dataset}"), ("registry", f"/copies/{copy['id']}/retirement"),
        ("registry", f"/data/{LAB}/Subjects/{SUBJECT}/{DAY}/001/{FOLDER}/{recording.packed}"),
        ("compressor", slices), ("compressor", f"{slices}/bin"), ("metadata", f"/sessions/{lab.session_id}"),
        *(("scheduler", path.format(task["id"])) for path in ("/jobs/{}", "/jobs/{}/log", "/tasks/{}")),
    )  # fmt: skip
    lists = (
        ("registry", f"/datasets?session={lab.session_id}"), ("registry", f"/copies?dataset={dataset}"),
        ("registry", f"/files?dataset={dataset}"), ("registry", "/downloads"), ("compressor", "/slices"),
        ("scheduler", "/jobs"), ("scheduler", f"/tasks?session={lab.session_id}"), ("metadata", "/sessions"),
    )  # fmt: skip
    ada = await _in_private_project(lab, f"/sessions/{lab.session_id}")
    for deleted in (False, True):
        if deleted:
            assert (await lab.metadata.delete("/projects/secret")).status_code == 204
        for caller in (lab.visitor, lab.member, replace(lab.visitor, is_public=True)):
            assert set((await _answers(services, caller, details)).values()) == {"404"}, deleted
            assert set((await _answers(services, caller, lists)).values()) == {"0 rows"}, deleted
        for caller in (ada, lab.administrator):
            answers = await _answers(services, caller, (*details, *lists))
            answers.pop("/downloads" if caller is ada else "") if caller is ada else None
            assert not {"404", "403", "0 rows"} & set(answers.values()), answers


async def test_an_aggregate_is_as_visible_as_its_object(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"]
    body = {
        "path": f"Subjects/{LAB}/{SUBJECT}",
        "content_type": "actions.subject",
        "object_id": subject,
        "name": "rig_pc",
    }
    (dataset,) = await lab.register(TRIALS, **body)
    services, doors = {"registry": lab.registry}, (
        ("registry", "/datasets?django=session__isnull,True"), ("registry", f"/files?dataset={dataset['id']}"),
        ("registry", f"/copies?dataset={dataset['id']}"), ("registry", f"/datasets/{dataset['id']}"),
    )  # fmt: skip
    narrow = replace(lab.member, scopes=frozenset({Scope(Permission.READ, lab_id=uuid4())}))
    visible_answers = {"1 rows", "3 rows", "200"}  # one dataset; a record in each repository of the lab
    assert set((await _answers(services, lab.visitor, doors)).values()) == visible_answers
    assert not visible_answers & set((await _answers(services, narrow, doors)).values())
    ada = await _in_private_project(lab, f"/subjects/{SUBJECT}")
    for deleted in (False, True):
        if deleted:
            assert (await lab.metadata.delete("/projects/secret")).status_code == 204
        for caller in (lab.visitor, lab.member, replace(lab.visitor, is_public=True)):
            assert set((await _answers(services, caller, doors)).values()) == {"0 rows", "404"}
        for caller in (ada, lab.administrator):
            assert set((await _answers(services, caller, doors)).values()) == visible_answers


async def test_a_public_tag_on_an_aggregate_shows_it_and_its_animal_and_no_more(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"]
    body = {
        "path": f"Subjects/{LAB}/{SUBJECT}",
        "content_type": "subject",
        "object_id": subject,
        "name": "rig_pc",
    }
    (dataset,) = await lab.register(TRIALS, **body)
    await lab.register("alf/spikes.times.npy")
    public = Principal(uuid4(), "public", is_public=True)
    assert (await lab.registry.as_(public).get("/datasets")).json()["count"] == 0
    assert (await lab.metadata.as_(public).get("/subjects")).json()["count"] == 0
    root = lab.registry.as_(lab.administrator)
    await made(root, "/tags", {"name": "paper", "public": True})
    assert (await root.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})).status_code == 200
    shown = (await lab.registry.as_(public).get("/datasets")).json()["results"]
    assert [row["url"].rpartition("/")[2] for row in shown] == [dataset["id"]]
    assert (await lab.metadata.as_(public).get(f"/subjects/{SUBJECT}")).status_code == 200
    assert (await lab.metadata.as_(public).get("/sessions")).json()["count"] == 0
    await _in_private_project(lab, f"/subjects/{SUBJECT}")
    assert (await lab.registry.as_(public).get("/datasets")).json()["count"] == 0
    assert (await lab.metadata.as_(public).get(f"/subjects/{SUBJECT}")).status_code == 404


async def test_files_cannot_be_registered_on_what_their_sender_may_not_know_of(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"]
    session = (await made(lab.metadata, "/sessions", a_session(number=2)))["id"]
    (dataset,) = await lab.register("alf/spikes.times.npy", path=f"{SUBJECT}/{DAY}/002")
    (record,) = (await lab.registry.get("/files", params={"dataset": dataset["id"]})).json()["results"][:1]
    record_id = record["id"]
    await _in_private_project(lab, f"/subjects/{SUBJECT}", f"/sessions/{session}")
    folder = {"path": f"Subjects/{LAB}/{SUBJECT}", "name": "rig_pc"}
    bodies: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
        (
            "POST",
            "/register-file",
            files(TRIALS, **folder, content_type="subject", object_id="ID"),
            subject,
            NOBODY,
        ),
        ("POST", "/register-file", files(TRIALS, content_type="session", object_id="ID"), session, NOBODY),
        ("POST", "/register-file", files(TRIALS, path="ID"), f"{SUBJECT}/{DAY}/002", f"{SUBJECT}/{DAY}/009"),
        (
            "GET",
            "/check-protected",
            files(TRIALS, **folder, content_type="subject", object_id="ID"),
            subject,
            NOBODY,
        ),
        ("POST", "/datasets", {"session": "ID", "name": TRIALS}, session, NOBODY),
        ("POST", "/files", {"dataset": "ID", "data_repository": "central"}, dataset["id"], NOBODY),
        ("PATCH", "/files/ID", {"exists": True}, record_id, NOBODY),
        ("DELETE", "/files/ID", {}, record_id, NOBODY),
        ("PATCH", "/datasets/ID", {"qc": "PASS"}, dataset["id"], NOBODY),
        ("DELETE", "/datasets/ID", {}, dataset["id"], NOBODY),
        ("POST", "/new-download", {"datasets": ["ID"]}, dataset["id"], NOBODY),
    )
    for caller in (lab.member, lab.visitor, Principal(uuid4(), "stock", is_stock_manager=True)):
        for method, path, body, hidden, missing in bodies:
            texts = []
            for name in (hidden, missing):
                filled = {key: [text.replace("ID", name) for text in value] if isinstance(value, list)
                          else value.replace("ID", name) if isinstance(value, str) else value
                          for key, value in body.items()}  # fmt: skip
                answer = await lab.registry.as_(caller).request(method, path.replace("ID", name), json=filled)
                texts.append((answer.status_code, answer.text.replace(name, "…")))
            assert texts[0] == texts[1], (caller.username, method, path)
            assert texts[0][0] in {400, 404}, (caller.username, method, path, texts)


async def test_files_of_an_object_lie_in_the_objects_own_folder(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"]
    await made(lab.metadata, "/subjects", {"nickname": f"{SUBJECT}0", "lab": LAB, "responsible_user": "ada"})
    body = {"content_type": "subject", "object_id": subject, "name": "rig_pc"}
    for path in (
        f"Subjects/{LAB}/{SUBJECT}0",
        f"Subjects/other/{SUBJECT}",
        "Projects/x",
        f"Subjects/{LAB}",
        "x",
    ):
        answer = await lab.registry.post("/register-file", files(TRIALS, path=path, **body))
        assert answer.status_code == 400, path
        assert f"Subjects/{LAB}/{SUBJECT}" in answer.json()["path"][0]
    for path in (f"Subjects/{LAB}/{SUBJECT}", f"Subjects/{LAB}/{SUBJECT}/alf", f"Subjects/{subject}"):
        await lab.register(TRIALS, path=path, **body)
    odd = await lab.registry.post(
        "/register-file", files(TRIALS, path="Cats/x", **body | {"content_type": "cat"})
    )
    assert odd.status_code == 400
    assert list(odd.json())[:1] == ["content_type"]


async def test_bytes_cannot_be_uploaded_to_a_hidden_copy(cingulum: Cingulum, lab: Laboratory) -> None:
    transfer = await cingulum.start(Service.TRANSFER, lab.member)
    (dataset,) = await lab.register("alf/spikes.times.npy", name="central")
    query = {"dataset": dataset["id"], "repository": "central"}
    (copy,) = (await lab.registry.get("/copies", params=query)).json()["results"]
    body = {"size_bytes": 3, "copy_id": copy["id"]}
    mine = await made(transfer, "/uploads", body)
    ada = await _in_private_project(lab, f"/sessions/{lab.session_id}")
    for caller in (lab.member, lab.visitor, Principal(uuid4(), "stock", is_stock_manager=True)):
        answers = [
            await transfer.as_(caller).post("/uploads", body | {"copy_id": copy_id})
            for copy_id in (copy["id"], NOBODY)
        ]
        assert [answer.status_code for answer in answers] == [400, 400], caller.username
        assert answers[0].text.replace(copy["id"], NOBODY) == answers[1].text
    # what a former member had begun is not there any more, for reading and for sending
    for method, path, more in (
        ("GET", "", {}),
        ("PUT", "/parts/0", {"content": b"abc"}),
        ("POST", "/complete", {"json": {"sha256": "ab" * 32}}),
    ):
        answers = [
            await transfer.request(method, f"/uploads/{upload_id}{path}", **more)
            for upload_id in (mine["id"], NOBODY)
        ]
        assert [answer.status_code for answer in answers] == [404, 404], path
        assert answers[0].text.replace(mine["id"], NOBODY) == answers[1].text
    assert (await transfer.get("/uploads")).json()["count"] == 0
    assert (await transfer.as_(ada).get(f"/uploads/{mine['id']}")).status_code == 200
    assert (await transfer.as_(ada).post("/uploads", body)).status_code == 201
