"""Knowing a hash is not owning the bytes: neither of a file in the store, nor of one that is announced."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from libs.common.catalogue import Service
from libs.common.testing import Running
from services.transfer.operations.proof_orders import carry_out_proof_orders
from tests.support.bytes import md5, sha256
from tests.support.moving import an_upload, content_digest, send
from tests.support.places import Places

SECRET = b"the bytes of a private project"
SAID = {"hashes": [md5(SECRET)], "filesizes": [len(SECRET)]}
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
    """Wait until registry has heard of the bytes."""
    registry = places.services[Service.REGISTRY]
    for _ in range(600):
        [row] = (await registry.get("/copies", params={"id": copy})).json()["results"]
        if row["state"] == state:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(row)


def own_things(answer: Any) -> Any:
    """An answer without what is different for each upload."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    told = {name: value for name, value in answer.json().items() if name not in OWN}
    return answer.status_code, told, headers


def of(places: Places, name: str, *projects: str) -> Running:
    """Transfer, asked by somebody."""
    mine = frozenset(places.labs.project_ids[project] for project in projects)
    return places.services[Service.TRANSFER].as_(places.labs.principal(name, projects=mine))


async def test_foreign_bytes_and_unknown_ones_are_wanted_alike(places: Places, stored: str) -> None:
    bob, copy = of(places, "bob"), places.of["away"]["copy"]
    answers = []
    for digest in (sha256(SECRET), "ab" * 32):
        said = an_upload(size_bytes=len(SECRET), sha256=digest, copy_id=copy)
        status, told, headers = own_things(await bob.post("/uploads", said))
        assert told.pop("sha256") == digest
        answers.append((status, told, headers))
    assert answers[0] == answers[1]
    assert (answers[0][1]["state"], answers[0][1]["missing"]) == ("announced", [0])


async def test_whoever_sends_all_bytes_has_the_file_stored_once(places: Places, stored: str) -> None:
    copy = places.of["away"]["copy"]
    landed = await send(of(places, "bob"), SECRET, sha256=sha256(SECRET), copy_id=copy)
    assert landed["state"] == "landed"
    await until(places, copy, "verified")


async def test_whoever_may_see_a_dataset_of_these_bytes_need_not_send_them(
    places: Places, stored: str
) -> None:
    said = an_upload(size_bytes=len(SECRET), sha256=sha256(SECRET), copy_id=places.of["open"]["copy"])
    outside = (await of(places, "ada", "openp").post("/uploads", said)).json()
    assert (outside["state"], outside["missing"]) == ("announced", [0])
    seen = (await of(places, "ada", "secretp", "openp").post("/uploads", said)).json()
    assert (seen["state"], seen["missing"]) == ("landed", [])
    narrow = places.services[Service.TRANSFER].as_(places.narrow("openp"))
    assert (await narrow.post("/uploads", said)).json()["state"] == "landed"  # it reads everything


@pytest.mark.parametrize("revision", ["", "#2024-01-01#/"])
async def test_size_and_md5_of_a_foreign_file_open_nothing(
    places: Places, stored: str, revision: str
) -> None:
    """Also not within the lab: ada without the private project may not know of its files."""
    registry, transfer = places.services[Service.REGISTRY], places.services[Service.TRANSFER]
    for name, place in (("bob", "away"), ("ada", "open")):
        here = places.of[place]
        said = {"path": f"{here['subject']}/2024-03-02/1", "filenames": [f"alf/{revision}spikes.amps.npy"]}
        who = registry.as_(places.labs.principal(name))
        answer = await who.post("/register-file", said | SAID | {"name": "central", "exists": True})
        [dataset] = answer.json()
        for _ in range(3):
            await transfer.sweep()
            await carry_out_proof_orders(transfer.app.state.upload_context)
        [copy] = (
            await who.get("/copies", params={"dataset": dataset["id"], "repository": "central"})
        ).json()["results"]
        assert copy["state"] == "expected", (name, copy)
        path = f"/data/{here['lab']}/Subjects/{here['subject']}/2024-03-02/001/alf/{revision}spikes.amps.npy"
        assert (await who.get(path.replace("#", "%23"))).status_code == 404


async def test_a_hash_at_the_end_lands_only_the_bytes_that_were_sent(places: Places, stored: str) -> None:
    """Also where the parts are gone, as after a crash behind their assembly: then the object is looked for instead."""
    transfer = places.services[Service.TRANSFER]
    bob, other = of(places, "bob"), b"x" * len(SECRET)
    said = an_upload(size_bytes=len(SECRET), copy_id=places.of["away"]["copy"])
    upload = (await bob.post("/uploads", said)).json()
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
