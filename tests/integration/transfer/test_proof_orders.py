"""Proof orders: files whose bytes are in the central store already are proved without an upload."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from libs.common.catalogue import Service
from libs.common.storage import object_key
from libs.common.testing import Running
from tests.support.bytes import md5, sha256
from tests.support.lab import DAY, Laboratory, laboratory, made
from tests.support.moving import send
from tests.support.system import Cingulum
from tests.support.waiting import attempts

DATA = b"the bytes of a file"
CLAIM = {"hashes": [md5(DATA)], "filesizes": [len(DATA)]}
FILE, AGAIN = "alf/spikes.times.npy", "alf/probe00/spikes.times.npy"


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """One lab, one animal, one session; orders are looked for often."""
    cingulum.environment = {**cingulum.environment, "CINGULUM_ORDERS_EVERY_S": "0.1"}
    return await laboratory(cingulum)


@pytest.fixture
async def transfer(cingulum: Cingulum, lab: Laboratory) -> Running:
    """Transfer, which has brought the bytes of one file of the session to the central store."""
    transfer = await cingulum.start(Service.TRANSFER, lab.member)
    [dataset] = await lab.register(FILE, **CLAIM)
    await send(transfer, DATA, copy_id=(await central_copy(lab, dataset))["id"])
    await until(lab, dataset, "verified")
    return transfer


async def central_copy(lab: Laboratory, dataset: dict[str, Any]) -> dict[str, Any]:
    """The record of a dataset's copy in the central store."""
    params = {"dataset": dataset["id"], "repository": "central"}
    [copy] = (await lab.registry.as_(lab.administrator).get("/copies", params=params)).json()["results"]
    return dict(copy)


async def until(lab: Laboratory, dataset: dict[str, Any], state: str) -> dict[str, Any]:
    """The copy in the central store, once it is in that state."""
    async for _ in attempts():
        copy = await central_copy(lab, dataset)
        if copy["state"] == state:
            return copy
    raise AssertionError(copy)


async def orders_are_over(cingulum: Cingulum, transfer: Running) -> None:
    """Wait until transfer has heard and carried out all that was ordered."""
    await transfer.sweep()
    onlooker = await asyncpg.connect(cingulum.admin_url)
    try:
        async for _ in attempts():
            if not await onlooker.fetchval("SELECT count(*) FROM transfer.orders"):
                return
    finally:
        await onlooker.close()
    raise AssertionError("an order stands")


async def test_a_file_whose_bytes_are_in_the_store_is_verified_without_being_sent(
    lab: Laboratory, transfer: Running
) -> None:
    [dataset] = await lab.register(AGAIN, name="central", **CLAIM)
    copy = await until(lab, dataset, "verified")
    assert (copy["sha256"], copy["order_proof"]) == (sha256(DATA), False)
    served = await lab.registry.get(f"/data/{copy['relative_path']}")
    assert served.content == DATA
    uploads = (await transfer.as_(lab.administrator).get("/uploads")).json()["results"]
    assert {upload["copy_id"] for upload in uploads if upload["state"] == "landed"} >= {copy["id"]}


async def test_a_doubted_copy_is_read_again(lab: Laboratory, transfer: Running) -> None:
    [dataset] = await lab.register(AGAIN, name="central", **CLAIM)
    copy = await until(lab, dataset, "verified")
    doubted = await lab.registry.patch(f"/files/{copy['id']}", {"exists": False})
    assert doubted.json()["exists"] is False
    again = await until(lab, dataset, "verified")
    assert again["proved_at"] > copy["proved_at"]


async def test_an_object_that_the_disk_cannot_read_keeps_no_other_order_waiting(
    lab: Laboratory, transfer: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    [bad], [good] = await lab.register(FILE, **CLAIM), await lab.register("alf/spikes.amps.npy")
    await send(transfer, b"good", copy_id=(await central_copy(lab, good))["id"])
    copies = [await until(lab, dataset, "verified") for dataset in (bad, good)]
    store = transfer.app.state.upload_context.store
    prove = store.prove

    async def proved(digest: str) -> Any:
        if digest == sha256(DATA):
            raise OSError(errno.EIO, "a sector cannot be read")
        return await prove(digest)

    monkeypatch.setattr(store, "prove", proved)
    for copy in copies:
        assert (await lab.registry.patch(f"/files/{copy['id']}", {"exists": False})).status_code == 200
    await until(lab, good, "verified")
    assert (await central_copy(lab, bad))["state"] == "suspect"


async def test_a_missing_object_stays_expected(
    cingulum: Cingulum, lab: Laboratory, transfer: Running
) -> None:
    [other] = await lab.register(AGAIN, name="central", hashes=[md5(b"others")], filesizes=[6])
    [unsaid] = await lab.register("alf/spikes.clusters.npy", name="central")
    await orders_are_over(cingulum, transfer)
    for dataset in (other, unsaid):
        copy = await central_copy(lab, dataset)
        assert (copy["state"], copy["order_proof"]) == ("expected", True)


async def test_damaged_bytes_make_all_copies_by_them_suspect_until_repaired(
    cingulum: Cingulum, lab: Laboratory, transfer: Running
) -> None:
    [first] = await lab.register(FILE, **CLAIM)
    await until(lab, first, "verified")
    stored = Path(cingulum.environment["CINGULUM_HOME"]) / "store" / object_key(sha256(DATA))
    stored.chmod(0o644)
    stored.write_bytes(DATA.replace(b"bytes", b"bites"))
    [dataset] = await lab.register(AGAIN, name="central", **CLAIM)
    suspect = await until(lab, first, "suspect")
    assert "damaged" in suspect["notice"]
    assert (await central_copy(lab, dataset))["state"] == "expected"
    await send(transfer, DATA, copy_id=suspect["id"])
    assert (await until(lab, first, "verified"))["notice"] == ""
    assert stored.read_bytes() == DATA


async def test_the_hash_of_another_labs_file_opens_nothing(
    cingulum: Cingulum, lab: Laboratory, transfer: Running
) -> None:
    metadata = lab.metadata.as_(lab.administrator)
    await made(metadata, "/labs", {"name": "valelab", "repositories": ["central"]})
    await made(metadata, "/subjects", {"nickname": "VL003", "lab": "valelab", "responsible_user": "eve"})
    start = {"subject": "VL003", "lab": "valelab", "start_time": f"{DAY}T10:00:00", "number": 1, "users": []}
    await made(metadata, "/sessions", start)
    registry = lab.registry.as_(lab.administrator)
    body = {"path": f"VL003/{DAY}/001", "filenames": [FILE], "name": "central", **CLAIM}
    [dataset] = (await registry.post("/register-file", body)).json()
    await orders_are_over(cingulum, transfer)
    copy = await central_copy(lab, dataset)
    uploads = (await transfer.as_(lab.administrator).get("/uploads")).json()["results"]
    assert copy["id"] not in {upload["copy_id"] for upload in uploads}
    assert copy["state"] == "expected"
