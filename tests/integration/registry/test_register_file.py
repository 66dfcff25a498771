"""Registering files."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from libs.common.events import FilesRegistered, ProofOrdered
from tests.support.lab import PATH, SUBJECT, Laboratory, files, made

MD5, OTHER = "a" * 32, "b" * 32


async def test_files_become_datasets_with_a_record_in_each_repository_of_the_lab(lab: Laboratory) -> None:
    found = await lab.register(
        "alf/spikes.times.npy", "alf/probe00/#2020-01-01#/spikes.times.npy", hashes=[MD5, None]
    )
    plain, revised = found
    assert (plain["name"], plain["collection"], plain["revision"]) == ("spikes.times.npy", "alf", None)
    assert (revised["collection"], revised["revision"]) == ("alf/probe00", "2020-01-01")
    assert plain["dataset_type"] == "spikes.times"
    assert plain["data_format"] == "npy"
    assert (plain["subject"], plain["session"], plain["session_number"]) == (SUBJECT, lab.session_id, 1)
    assert plain["session_users"] == "ada"
    assert plain["default"] is True
    assert plain["qc"] == 0
    assert {(r["data_repository"], r["exists"]) for r in plain["file_records"]} == {
        ("central", False), ("lab_server", False), ("rig_pc", True),
    }  # fmt: skip
    assert {r["relative_path"] for r in plain["file_records"]} == {f"{PATH}/alf/spikes.times.npy"}
    (told,) = await lab.registry.published(FilesRegistered)
    assert told.dataset_ids == [UUID(one["id"]) for one in found]
    assert told.user_id == lab.member.user_id


async def test_all_or_nothing_is_registered(lab: Laboratory) -> None:
    answer = await lab.registry.post("/register-file", files("alf/spikes.times.npy", "alf/no.such.zzz"))
    assert answer.status_code == 400
    assert "no.such.zzz" in str(answer.json()["filenames"])
    assert (await lab.registry.get("/check-protected", params=files("alf/spikes.times.npy"))).json()[
        "details"
    ] == []
    assert await lab.registry.published(FilesRegistered) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"path": f"{SUBJECT}/2001-01-01/001"}, "path"),
        ({"path": "nothing"}, "path"),
        ({"name": "nowhere"}, "name"),
        ({"labs": ["nolab"]}, "labs"),
        ({"created_by": "nobody"}, "created_by"),
        ({"hashes": [MD5, MD5]}, "hashes"),
        ({"filenames": []}, "filenames"),
        ({"filenames": ["alf/with space/spikes.times.npy"]}, "filenames"),
        ({"filenames": [f"{'c' * 256}/spikes.times.npy"]}, "filenames"),
        ({"filenames": [f"{'/'.join(['folder'] * 150)}/spikes.times.npy"]}, "filenames"),
        ({"qc": "SPLENDID"}, "qc.0"),
    ],
)
async def test_what_is_wrong_is_said_by_field(lab: Laboratory, said: dict[str, object], field: str) -> None:
    answer = await lab.registry.post("/register-file", files("alf/spikes.times.npy") | said)
    assert answer.status_code == 400
    assert field in answer.json()


async def test_strangers_visitors_and_public_readers_are_refused(lab: Laboratory) -> None:
    for caller in (None, lab.visitor):
        answer = await lab.registry.as_(caller).post("/register-file", files("alf/spikes.times.npy"))
        assert answer.status_code == 403


async def test_an_older_clients_texts_are_understood(lab: Laboratory) -> None:
    body = {
        "path": f"\\{SUBJECT}\\2019-12-10\\1\\alf", "filenames": "spikes.times.npy,spikes.clusters.npy",
        "hashes": f"{MD5},{OTHER}", "filesizes": "3,4", "hostname": "", "name": "rig_pc", "exists": "False",
        "qc": "PASS", "versions": "1.0", "projects": "hilllab",
    }  # fmt: skip
    found = (await lab.registry.post("/register-file", body)).json()
    assert [(one["name"], one["file_size"], one["qc"]) for one in found] == [
        ("spikes.times.npy", 3, 10),
        ("spikes.clusters.npy", 4, 10),
    ]
    assert not any(record["exists"] for one in found for record in one["file_records"])


async def test_server_only_leaves_personal_repositories_out(lab: Laboratory) -> None:
    (found,) = await lab.register("alf/spikes.times.npy", server_only=True, name=None)
    assert [r["data_repository"] for r in found["file_records"]] == ["central"]
    (order,) = await lab.registry.published(ProofOrdered)
    assert [str(i) for i in order.copy_ids] == [found["file_records"][0]["id"]]


async def test_a_new_revision_becomes_the_default_unless_told_otherwise(lab: Laboratory) -> None:
    (plain,) = await lab.register("alf/spikes.times.npy")
    (revised,) = await lab.register("alf/#2020-01-01#/spikes.times.npy")
    (silent,) = await lab.register("alf/#2020-02-02#/spikes.times.npy", default=False)
    assert [one["default"] for one in (plain, revised, silent)] == [True, True, False]
    (again,) = await lab.register("alf/spikes.times.npy", default=False)
    assert again["id"] == plain["id"]
    assert again["default"] is False


async def test_protected_files_are_refused_in_the_clients_words(lab: Laboratory) -> None:
    admin = lab.metadata.caller
    await made(lab.registry.as_(admin), "/tags", {"name": "2020-paper", "protected": True})
    (dataset, _) = await lab.register("alf/spikes.times.npy", "alf/spikes.clusters.npy")
    tagged = await lab.registry.as_(admin).patch(f"/datasets/{dataset['id']}", {"tags": ["2020-paper"]})
    assert tagged.status_code == 200, tagged.text
    await lab.register("alf/#2020-01-01#/spikes.times.npy")
    said = files("alf/spikes.times.npy", "alf/spikes.clusters.npy", "alf/spikes.amps.npy")
    details = [
        {"alf/spikes.times.npy": [{"2020-01-01": False}, {"": True}]},
        {"alf/spikes.clusters.npy": [{"": False}]},
        {"alf/spikes.amps.npy": []},
    ]
    asked = await lab.registry.request("GET", "/check-protected", json=said)
    assert asked.status_code == 200
    assert asked.json() == {
        "status_code": 403, "error": "One or more datasets is protected", "details": details,
    }  # fmt: skip
    refused = await lab.registry.post("/register-file", said | {"check_protected": True})
    assert refused.status_code == 403
    assert refused.json()["error"] == "One or more datasets is protected"
    assert refused.json()["details"] == details
    assert (await lab.registry.post("/register-file", said)).status_code == 403
    free = files("alf/spikes.clusters.npy", "alf/spikes.amps.npy")
    asked = await lab.registry.request("GET", "/check-protected", json=free)
    assert asked.json()["status_code"] == 200


async def test_five_thousand_files_take_no_more_statements_than_two(lab: Laboratory) -> None:
    asked: list[str] = []
    engine = lab.registry.app.state.database.writing.sync_engine
    theirs = ("registry.datasets", "registry.versions", "registry.copies")  # not the relay's and the sealer's

    def heard(*about: Any) -> None:
        if any(table in about[2] for table in theirs):
            asked.append(about[2])

    sa.event.listen(engine, "before_cursor_execute", heard)

    async def statements(n: int) -> int:
        """How many statements it takes to register files anew, and again with other bytes."""
        asked.clear()
        names = [f"alf/p{i:04d}/spikes.times.npy" for i in range(n)]
        for md5 in (MD5, OTHER):
            found = await lab.register(*names, hashes=[md5] * n, filesizes=[7] * n)
            assert [one["collection"] for one in found] == [name.rpartition("/")[0] for name in names]
        return len(asked)

    few = await statements(2)
    assert await statements(5_000) <= few + 10


async def test_who_registers_joins_the_session(lab: Laboratory) -> None:
    await lab.register("alf/spikes.times.npy")
    for _ in range(100):
        session = (await lab.metadata.get(f"/sessions/{lab.session_id}")).json()
        if session["users"]:
            break
        await asyncio.sleep(0.1)
    assert session["users"] == ["ada"]


async def test_files_of_an_animal_belong_to_no_session(lab: Laboratory) -> None:
    subject = (await lab.metadata.get(f"/subjects/{SUBJECT}")).json()
    (found,) = await lab.register(
        "_ibl_subjectTrials.table.pqt", path="Subjects/hilllab/KS022", content_type="subject",
        object_id=subject["id"], name="central",
    )  # fmt: skip
    assert found["session"] is None
    assert found["collection"] == "Subjects/hilllab/KS022"
