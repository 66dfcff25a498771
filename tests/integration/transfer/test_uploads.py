"""Uploads of one file: announced, sent in parts, landed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from cingulum.stores import StoreKind
from libs.common.events import UploadCompleted
from libs.common.schemas.states import AttemptState
from libs.common.testing import Callers
from tests.support.bytes import md5, random_bytes, sha256
from tests.support.moving import a_copy, an_attempt, an_upload, attempt_ends, content_digest, send, start
from tests.support.system import Cingulum

TEN = b"0123456789"
PART = 8 * 2**20
WAYS = (
    ("GET", "/uploads"),
    ("POST", "/uploads"),
    ("GET", "/uploads/00000000-0000-4000-8000-00000000dead"),
    ("PUT", "/uploads/00000000-0000-4000-8000-00000000dead/parts/0"),
    ("POST", "/uploads/00000000-0000-4000-8000-00000000dead/complete"),
    ("POST", "/bundles"),
)


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_anonymous_callers_and_public_readers_are_refused(
    cingulum: Cingulum, callers: Callers, method: str, path: str
) -> None:
    transfer = await start(cingulum, callers)
    for caller in (None, callers.public_reader, callers.narrow_reader):
        answer = await transfer.as_(caller).request(
            method, path, json={"size_bytes": 1, "sha256": sha256(b"")}
        )
        assert answer.status_code == 403


async def test_a_part_sent_twice_is_stored_once(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    upload = (await transfer.post("/uploads", an_upload(size_bytes=10))).json()
    assert (upload["state"], upload["missing"]) == ("announced", [0])
    for _ in range(2):
        answer = await transfer.put(f"/uploads/{upload['id']}/parts/0", content=TEN)
        assert answer.status_code == 204
    for _ in range(2):
        done = await transfer.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(TEN)})
        assert (done.status_code, done.json()["state"]) == (200, "landed")
        assert (done.json()["sha256"], done.json()["md5"]) == (sha256(TEN), md5(TEN))
    events = await transfer.published(UploadCompleted)
    assert [(str(e.upload_id), e.sha256, e.md5, e.size_bytes) for e in events] == [
        (upload["id"], sha256(TEN), md5(TEN), 10)
    ]


async def test_parts_are_accepted_in_any_order_and_at_once(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    data = random_bytes(3 * PART + 5)
    upload = (await transfer.post("/uploads", an_upload(size_bytes=len(data)))).json()
    assert (upload["part_bytes"], upload["part_count"], upload["missing"]) == (PART, 4, [0, 1, 2, 3])

    async def put(number: int) -> None:
        piece = data[number * PART : (number + 1) * PART]
        path = f"/uploads/{upload['id']}/parts/{number}"
        assert (await transfer.put(path, content=piece, headers=content_digest(piece))).status_code == 204

    await put(3)
    assert (await transfer.get(f"/uploads/{upload['id']}")).json()["missing"] == [0, 1, 2]
    early = await transfer.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(data)})
    assert (early.status_code, early.json()["type"], early.json()["missing"]) == (
        409,
        "part-missing",
        [0, 1, 2],
    )
    await asyncio.gather(put(2), put(0), put(1))
    done = await transfer.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(data)})
    assert (done.json()["state"], done.json()["md5"]) == ("landed", md5(data))


async def test_an_empty_file_has_no_parts(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    assert (await send(transfer, b""))["state"] == "landed"


async def test_damaged_parts_are_refused_and_the_good_one_is_kept(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await start(cingulum, callers)
    upload = (await transfer.post("/uploads", an_upload())).json()
    path = f"/uploads/{upload['id']}/parts/0"
    wrong = await transfer.put(path, content=TEN, headers=content_digest(b"9876543210"))
    assert (wrong.status_code, wrong.json()["type"]) == (400, "digest-mismatch")
    assert (await transfer.get(f"/uploads/{upload['id']}")).json()["missing"] == [0]
    for body in (b"short", b"much too long"):
        answer = await transfer.put(path, content=body)
        assert (answer.status_code, answer.json()["type"]) == (400, "bad-part")
    assert (
        await transfer.put(path, content=TEN, headers={"Content-Digest": "sha-256=:AAAA:"})
    ).status_code == 400
    assert (await transfer.put(path, content=TEN)).status_code == 204
    other = await transfer.put(path, content=b"9876543210")
    assert (other.status_code, other.json()["type"]) == (409, "part-differs")
    assert (await transfer.put(f"/uploads/{upload['id']}/parts/1", content=TEN)).status_code == 400
    done = await transfer.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(TEN)})
    assert done.json()["state"] == "landed"


async def test_another_hash_at_the_end_requires_all_parts_again(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    upload = (await transfer.post("/uploads", an_upload())).json()
    path = f"/uploads/{upload['id']}"
    await transfer.put(f"{path}/parts/0", content=TEN)
    wrong = await transfer.post(f"{path}/complete", {"sha256": sha256(b"other")})
    assert (wrong.status_code, wrong.json()["type"]) == (409, "hash-differs")
    assert ((await transfer.get(path)).json()["missing"], await transfer.published(UploadCompleted)) == (
        [0],
        [],
    )
    await transfer.put(f"{path}/parts/0", content=b"9876543210")
    done = await transfer.post(f"{path}/complete", {"sha256": sha256(b"9876543210")})
    assert done.json()["state"] == "landed"


async def test_known_bytes_are_not_sent_again(cingulum: Cingulum, callers: Callers, tmp_path: Path) -> None:
    transfer = await start(cingulum, callers)
    await send(transfer, TEN)
    again = (await transfer.post("/uploads", an_upload(sha256=sha256(TEN)))).json()
    assert (again["state"], again["missing"], again["md5"]) == ("landed", [], md5(TEN))
    assert len(await transfer.published(UploadCompleted)) == 2
    (tmp_path / f"home/store/objects/{sha256(TEN)[:2]}/{sha256(TEN)}").unlink()
    lost = (await transfer.post("/uploads", an_upload(sha256=sha256(TEN)))).json()
    assert (lost["state"], lost["missing"]) == ("announced", [0])


async def test_an_upload_is_visible_to_its_sender_only(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    upload = await send(transfer, TEN)
    other = transfer.as_(callers.visitor)
    answers = [
        await other.get(f"/uploads/{upload['id']}"),
        await other.put(f"/uploads/{upload['id']}/parts/0", content=TEN),
        await other.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(TEN)}),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await other.get("/uploads")).json()["count"] == 0
    mine = (await transfer.get("/uploads?state=landed")).json()
    assert [upload["id"] for upload in mine["results"]] == [upload["id"]]
    assert (await transfer.get("/uploads?state=flying")).status_code == 400


async def test_a_copy_is_uploaded_to_the_central_store_by_its_own_lab(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await start(cingulum, callers)
    central, elsewhere = (
        await a_copy(cingulum, callers),
        await a_copy(cingulum, callers, store=StoreKind.AGENT),
    )
    assert (await send(transfer, TEN, copy_id=str(central)))["copy_id"] == str(central)
    for copy_id, caller, status in (
        (elsewhere, callers.worker, 400),
        (uuid4(), callers.worker, 400),
        (central, callers.visitor, 403),
    ):
        answer = await transfer.as_(caller).post("/uploads", an_upload(copy_id=str(copy_id)))
        assert answer.status_code == status, answer.text
    listed = (await transfer.get(f"/uploads?copy_id={central}")).json()
    assert listed["count"] == 1


async def test_outputs_are_taken_only_while_their_attempt_runs(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    attempt = await an_attempt(cingulum, token=7)
    assert (await send(transfer, TEN, **attempt))["token"] == 7
    assert (await transfer.as_(callers.member).post("/uploads", an_upload(**attempt))).status_code == 403
    for wrong in (attempt | {"token": 8}, attempt | {"job_id": str(uuid4())}):
        late = await transfer.post("/uploads", an_upload(**wrong))
        assert (late.status_code, late.json()["type"]) == (409, "late-token")
    assert (await transfer.post("/uploads", an_upload(token=7))).status_code == 400
    await attempt_ends(cingulum, 7, AttemptState.LOST)
    late = await transfer.post("/uploads", an_upload(**attempt))
    assert (late.status_code, late.json()["type"]) == (409, "late-token")


async def test_a_file_larger_than_ten_thousand_parts_is_refused(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    assert (await transfer.post("/uploads", an_upload(size_bytes=10**12))).status_code == 400
    hour = (await transfer.post("/uploads", an_upload(size_bytes=83_000_000_000))).json()
    assert hour["part_count"] == 9_895
    assert (await transfer.post("/uploads", an_upload(colour="red"))).status_code == 400


async def test_an_announcement_repeated_under_its_key_is_one_upload(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await start(cingulum, callers)
    answers = [
        await transfer.post("/uploads", an_upload(), headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
