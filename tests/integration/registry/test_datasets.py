"""Datasets created and changed one by one."""

from __future__ import annotations

from typing import Any

from libs.common.events import ProofOrdered
from tests.support.lab import DAY, LAB, SUBJECT, Laboratory, made, set_state

MD5 = "a" * 32
NAME = "spikes.times.npy"


async def subject_id(lab: Laboratory) -> str:
    """The id of the lab's animal."""
    return str((await lab.metadata.get(f"/subjects/{SUBJECT}")).json()["id"])


async def test_what_is_not_sent_has_the_defaults_of_alyx(lab: Laboratory) -> None:
    dataset = await made(lab.registry, "/datasets", {"name": NAME, "session": lab.session_id})
    expected = {
        "created_by": "ada", "default_dataset": True, "qc": "NOT_SET", "hash": "", "version": "", "revision": "",
        "collection": None, "file_size": None, "file_records": [], "tags": [], "json": None,
        "dataset_type": "spikes.times", "data_format": "npy", "subject": SUBJECT, "date": DAY, "number": 1,
        "content_type": None, "object_id": None,
    }  # fmt: skip
    assert {name: dataset[name] for name in expected} == expected
    repository = await made(lab.registry.as_(lab.administrator), "/data-repository", {"name": "bare"})
    expected = {
        "hostname": "", "globus_path": "", "data_url": None, "repository_type": None, "globus_endpoint_id": None,
        "globus_is_personal": None, "json": None,
    }  # fmt: skip
    assert {name: repository[name] for name in expected} == expected


async def test_a_dataset_needs_no_session(lab: Laboratory) -> None:
    registry, other = lab.registry, lab.registry.as_(lab.visitor)
    loose = await made(registry, "/datasets", {"name": NAME, "dataset_type": "spikes.times"})
    assert {
        loose[name] for name in ("session", "subject", "date", "number", "content_type", "object_id")
    } == {None}
    of_subject = {"name": NAME, "content_type": "subject", "object_id": await subject_id(lab)}
    aggregate = await made(registry, "/datasets", of_subject | {"collection": f"Subjects/{LAB}/{SUBJECT}"})
    assert (aggregate["content_type"], aggregate["subject"]) == ("subjects.subject", SUBJECT)
    listed = await other.get("/datasets", params={"django": "session__isnull,True"})
    assert {row["id"] for row in listed.json()["results"]} == {loose["id"], aggregate["id"]}
    assert (await registry.post("/datasets", {"name": NAME})).status_code == 409
    theirs = await made(other, "/datasets", {"name": NAME})
    for caller, dataset, status in (
        (other, loose, 403), (registry, loose, 200), (registry, theirs, 403), (other, theirs, 200),
        (registry.as_(None), loose, 403), (other, aggregate, 403),
    ):  # fmt: skip
        answer = await caller.patch(f"/datasets/{dataset['id']}", {"json": {"a": 1}})
        assert answer.status_code == status, answer.text
    record = {"dataset": loose["id"], "data_repository": "central", "exists": True}
    record = await made(registry, "/files", record)
    (shown,) = (await registry.get(f"/datasets/{loose['id']}")).json()["file_records"]
    expected = f"/data/aggregates/Labmembers/{lab.member.user_id}/spikes.times.{loose['id']}.npy"
    assert shown["data_url"].removeprefix("http://cingulum.test") == expected


INVALID: tuple[tuple[dict[str, Any], str], ...] = (
    ({"revision": "2000-01-01"}, "revision"),
    ({"revision": "two parts"}, "revision"),
    ({"dataset_type": "no.such"}, "dataset_type"),
    ({"data_format": "zzz"}, "data_format"),
    ({"created_by": "nobody"}, "created_by"),
    ({"tags": ["nothing"]}, "tags"),
    ({"collection": "../up"}, "collection"),
    ({"collection": "alf/with space"}, "collection"),
    ({"created_datetime": "yesterday"}, "created_datetime"),
    ({"qc": "SPLENDID"}, "qc"),
    ({"hash": "short"}, "hash"),
    ({"session": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, "session"),
    ({"session": "nonsense"}, "session"),
    ({"name": "a/b.npy"}, "name"),
)
UNKNOWN_OBJECTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"subject": SUBJECT}, "date"),
    ({"date": DAY}, "subject"),
    ({"content_type": "subject"}, "object_id"),
    ({"content_type": "planet", "object_id": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, "content_type"),
    ({"content_type": "labmember", "object_id": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, "content_type"),
    ({"content_type": "tag", "object_id": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, "object_id"),
    ({"object_id": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, "content_type"),
    ({"content_type": "subject", "object_id": "SUBJECT", "collection": "Subjects/hilllab/M1"}, "collection"),
)


async def test_unknown_and_invalid_values_are_refused_by_name(lab: Laboratory) -> None:
    whole = {"name": NAME, "session": lab.session_id}
    dataset = await made(lab.registry, "/datasets", whole | {"name": "spikes.amps.npy"})
    path = f"/datasets/{dataset['id']}"
    for body, field in INVALID:
        for refused in (
            await lab.registry.post("/datasets", whole | body),
            await lab.registry.patch(path, body),
        ):
            assert (refused.status_code, field in refused.json()) == (400, True), (body, refused.text)
    assert (await lab.registry.get(path)).json() == dataset


async def test_an_object_that_is_not_known_is_refused_by_its_field(lab: Laboratory) -> None:
    for body, field in UNKNOWN_OBJECTS:
        if body.get("object_id") == "SUBJECT":
            body["object_id"] = await subject_id(lab)
        refused = await lab.registry.post("/datasets", {"name": NAME} | body)
        assert (refused.status_code, field in refused.json()) == (400, True), (body, refused.text)


async def test_a_dataset_moves_to_another_collection_and_revision(lab: Laboratory) -> None:
    (dataset, taken) = await lab.register(f"alf/{NAME}", f"alf/probe00/{NAME}", hashes=[MD5, MD5])
    await made(lab.registry.as_(lab.administrator), "/revisions", {"name": "2020-01-01"})
    for repository in ("lab_server", "central"):
        await set_state(lab, dataset["id"], repository, "verified")
    path = f"/datasets/{dataset['id']}"
    refused = await lab.registry.patch(path, {"collection": "alf/probe00"})
    assert (refused.status_code, "collection" in refused.json()) == (409, True)
    body = {"collection": "alf/probe01", "revision": "2020-01-01", "created_datetime": "2020-02-03T04:05:06"}
    moved = (await lab.registry.patch(path, body)).json()
    assert {name: moved[name] for name in body} == body
    assert {r["relative_path"].partition("/001/")[2] for r in moved["file_records"]} == {
        f"alf/probe01/#2020-01-01#/{NAME}"
    }
    listed = (await lab.registry.get("/copies", params={"dataset": dataset["id"]})).json()["results"]
    assert {c["repository"]: c["state"] for c in listed} == {
        "rig_pc": "claimed", "central": "verified", "lab_server": "suspect",
    }  # fmt: skip
    assert len(await lab.registry.published(ProofOrdered)) == 1
    assert moved["default_dataset"] is True
    back = (await lab.registry.patch(path, {"collection": None, "revision": ""})).json()
    assert (back["collection"], back["revision"]) == (None, "")
    assert (await lab.registry.get(f"/datasets/{taken['id']}")).json()["collection"] == "alf/probe00"
    (newer,) = await lab.register(f"#2020-01-01#/{NAME}", hashes=[MD5])
    for collection, is_default in ((None, False), ("alf/probe01", True)):  # a default remains where it was
        await lab.registry.patch(f"/datasets/{newer['id']}", {"collection": collection})
        assert (await lab.registry.get(path)).json()["default_dataset"] is is_default


async def test_what_identifies_a_dataset_cannot_change_but_may_be_repeated(lab: Laboratory) -> None:
    (dataset,) = await lab.register(f"alf/{NAME}", hashes=[MD5])
    path = f"/datasets/{dataset['id']}"
    for body in (
        {"name": "spikes.amps.npy"}, {"subject": "M1"}, {"date": "2001-01-01"}, {"number": 2},
        {"session": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"}, {"content_type": "subject"},
        {"object_id": "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"},
    ):  # fmt: skip
        refused = await lab.registry.patch(path, body)
        assert (refused.status_code, refused.json().keys() & body.keys()) == (400, body.keys()), refused.text
    shown = (await lab.registry.get(path)).json()
    again = await lab.registry.put(path, shown)
    assert again.status_code == 200, again.text
    assert {**again.json(), "auto_datetime": ""} == {**shown, "auto_datetime": ""}


async def test_a_new_dataset_is_of_one_session_or_object(lab: Laboratory) -> None:
    other = "4d4bf1a9-6c4e-4ff1-9e7c-0a6c4a3f6b11"
    new = {"name": NAME, "dataset_type": "spikes.times", "session": lab.session_id}
    contradictions: tuple[dict[str, Any], ...] = (
        {"subject": "B1"}, {"date": "2001-01-01"}, {"number": 2}, {"content_type": "subject"}, {"object_id": other},
    )  # fmt: skip
    for body in contradictions:
        refused = await lab.registry.post("/datasets", new | body)
        assert (refused.status_code, refused.json().keys() & body.keys()) == (400, body.keys()), refused.text
    for body in ({"number": 2}, {"subject": SUBJECT, "date": DAY, "content_type": "lab"}):
        refused = await lab.registry.post("/datasets", new | {"session": None} | body)
        assert refused.status_code == 400, refused.text
    same = {
        "subject": SUBJECT,
        "date": DAY,
        "number": 1,
        "content_type": "session",
        "object_id": lab.session_id,
    }
    await made(lab.registry, "/datasets", new | same)


async def test_protected_datasets_do_not_move(lab: Laboratory) -> None:
    admin = lab.registry.as_(lab.administrator)
    await made(admin, "/tags", {"name": "paper", "protected": True})
    (dataset,) = await lab.register(f"alf/{NAME}")
    await admin.patch(f"/datasets/{dataset['id']}", {"tags": ["paper"]})
    refused = await lab.registry.patch(f"/datasets/{dataset['id']}", {"collection": "other"})
    assert (refused.status_code, refused.json()["type"]) == (403, "protected")
