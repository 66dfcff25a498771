"""Knowing a hash gives no access to the bytes, neither of a stored file nor of an announced one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.common.catalogue import Service
from libs.common.testing import Running
from services.transfer.operations.proof_orders import carry_out_proof_orders
from tests.support.bytes import md5, sha256
from tests.support.moving import an_upload, content_digest, send
from tests.support.places import Places
from tests.support.waiting import attempts

SECRET = b"the bytes of a private project"
DIGESTS = {"hashes": [md5(SECRET)], "filesizes": [len(SECRET)]}
OWN = ("id", "created_at")


@pytest.fixture
async def stored(places: Places) -> str:
    """Ada's file in the private project, verified in the central store; its dataset."""
    secret = places.of["secret"]
    transfer = places.services[Service.TRANSFER]
    await send(transfer, SECRET, copy_id=secret["copy"])
    await until(places, secret["copy"], "verified")
    return secret["dataset"]


async def until(places: Places, copy: str, state: str) -> None:
    """Wait until registry has received the event."""
    registry = places.services[Service.REGISTRY]
    async for _ in attempts():
        [row] = (await registry.get("/copies", params={"id": copy})).json()["results"]
        if row["state"] == state:
            return
    raise AssertionError(row)


def without_own_values(answer: Any) -> Any:
    """A response without the values that differ for each upload."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    shown = {name: value for name, value in answer.json().items() if name not in OWN}
    return answer.status_code, shown, headers


def of(places: Places, name: str, *projects: str) -> Running:
    """Transfer, as called by a user."""
    mine = frozenset(places.labs.project_ids[project] for project in projects)
    return places.services[Service.TRANSFER].as_(places.labs.principal(name, projects=mine))


async def test_bytes_of_others_and_unknown_ones_get_the_same_response(places: Places, stored: str) -> None:
    bob, copy = of(places, "bob"), places.of["away"]["copy"]
    answers = []
    for digest in (sha256(SECRET), "ab" * 32):
        body = an_upload(size_bytes=len(SECRET), sha256=digest, copy_id=copy)
        status, shown, headers = without_own_values(await bob.post("/uploads", body))
        assert shown.pop("sha256") == digest
        answers.append((status, shown, headers))
    assert answers[0] == answers[1]
    assert (answers[0][1]["state"], answers[0][1]["missing"]) == ("announced", [0])


async def test_an_upload_of_all_bytes_lands(places: Places, stored: str) -> None:
    copy = places.of["away"]["copy"]
    landed = await send(of(places, "bob"), SECRET, sha256=sha256(SECRET), copy_id=copy)
    assert landed["state"] == "landed"
    await until(places, copy, "verified")


async def test_bytes_of_a_visible_dataset_need_not_be_sent(places: Places, stored: str) -> None:
    body = an_upload(size_bytes=len(SECRET), sha256=sha256(SECRET), copy_id=places.of["open"]["copy"])
    outside = (await of(places, "ada", "openp").post("/uploads", body)).json()
    assert (outside["state"], outside["missing"]) == ("announced", [0])
    inside = (await of(places, "ada", "secretp", "openp").post("/uploads", body)).json()
    assert (inside["state"], inside["missing"]) == ("landed", [])
    narrow = places.services[Service.TRANSFER].as_(places.narrow("openp"))
    assert (await narrow.post("/uploads", body)).json()["state"] == "landed"  # it reads everything


@pytest.mark.parametrize("revision", ["", "#2024-01-01#/"])
async def test_size_and_md5_of_anothers_file_give_no_access(
    places: Places, stored: str, revision: str
) -> None:
    """Also within the lab: ada without the private project does not see its files."""
    registry, transfer = places.services[Service.REGISTRY], places.services[Service.TRANSFER]
    for name, place in (("bob", "away"), ("ada", "open")):
        here = places.of[place]
        body = {"path": f"{here['subject']}/2024-03-02/1", "filenames": [f"alf/{revision}spikes.amps.npy"]}
        caller = registry.as_(places.labs.principal(name))
        answer = await caller.post("/register-file", body | DIGESTS | {"name": "central", "exists": True})
        [dataset] = answer.json()
        for _ in range(3):
            await transfer.sweep()
            await carry_out_proof_orders(transfer.app.state.upload_context)
        [copy] = (
            await caller.get("/copies", params={"dataset": dataset["id"], "repository": "central"})
        ).json()["results"]
        assert copy["state"] == "expected", (name, copy)
        path = f"/data/{here['lab']}/Subjects/{here['subject']}/2024-03-02/001/alf/{revision}spikes.amps.npy"
        assert (await caller.get(path.replace("#", "%23"))).status_code == 404


async def test_a_hash_at_completion_lands_only_the_bytes_that_were_sent(places: Places, stored: str) -> None:
    """Also without the parts, as after a crash following their assembly, when the object is looked up instead."""
    transfer = places.services[Service.TRANSFER]
    bob, other = of(places, "bob"), b"x" * len(SECRET)
    body = an_upload(size_bytes=len(SECRET), copy_id=places.of["away"]["copy"])
    upload = (await bob.post("/uploads", body)).json()
    path = f"/uploads/{upload['id']}"
    await bob.put(f"{path}/parts/0", content=other, headers=content_digest(other))
    await transfer.app.state.upload_context.store.discard(UUID(upload["id"]))
    answers = []
    for claimed in (sha256(SECRET), "ab" * 32):
        await bob.put(f"{path}/parts/0", content=other, headers=content_digest(other))
        await transfer.app.state.upload_context.store.discard(UUID(upload["id"]))
        answer = await bob.post(f"{path}/complete", {"sha256": claimed})
        answers.append((answer.status_code, answer.text.replace(claimed, "X")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 409
    assert (await bob.get(path)).json()["state"] == "announced"
