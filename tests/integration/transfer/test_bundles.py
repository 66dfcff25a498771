"""Many small files in one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from libs.common.events import UploadCompleted
from libs.common.permissions import Principal
from libs.common.testing import Callers
from services.transfer.operations.upload_context import BUNDLES_AT_ONCE
from tests.support.bytes import random_bytes, sha256
from tests.support.moving import a_copy, framed, send, start
from tests.support.statements import executed_statements
from tests.support.system import Cingulum

FILES = [random_bytes(n * 37, seed=n) for n in range(30)] + [b"", b"twice", b"twice"]


def stored(home: Path) -> set[str]:
    """The objects on the disk."""
    return {path.name for path in (home / "home/store/objects").glob("*/*")}


async def test_small_files_land_together(cingulum: Cingulum, callers: Callers, tmp_path: Path) -> None:
    transfer = await start(cingulum, callers)
    copy = await a_copy(cingulum, callers)
    body = framed(FILES, about={0: {"copy_id": str(copy), "name": "a.b.npy"}})
    answer = await transfer.post("/bundles", content=body)
    assert answer.status_code == 201, answer.text
    landed = answer.json()["uploads"]
    assert [upload["sha256"] for upload in landed] == [sha256(data) for data in FILES]
    assert stored(tmp_path) == {sha256(data) for data in FILES}
    assert len(await transfer.published(UploadCompleted)) == len(FILES)
    first = (await transfer.get(f"/uploads/{landed[0]['id']}")).json()
    assert (first["state"], first["copy_id"], first["name"]) == ("landed", str(copy), "a.b.npy")


async def test_a_bundle_sent_twice_under_one_key_lands_once(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    key = {"Idempotency-Key": "monday"}
    first = await transfer.post("/bundles", content=framed(FILES), headers=key)
    again = await transfer.post("/bundles", content=framed(FILES), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert (await transfer.get("/uploads")).json()["count"] == len(FILES)
    assert len(await transfer.published(UploadCompleted)) == len(FILES)
    other = await transfer.post("/bundles", content=framed(FILES[:2]), headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "idempotency-key-reused")
    assert (await transfer.get("/uploads")).json()["count"] == len(FILES)


async def test_stalled_bundles_use_only_places_of_their_sender(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def half() -> AsyncIterator[bytes]:
        whole = framed(FILES)
        yield whole[:-1]
        begun.release()
        await go_on.wait()
        yield whole[-1:]

    sent = [asyncio.create_task(transfer.post("/bundles", content=half())) for _ in range(BUNDLES_AT_ONCE)]
    for _ in sent:
        await begun.acquire()
    fifth = asyncio.create_task(transfer.post("/bundles", content=half()))
    other = await transfer.as_(Principal(uuid4(), "another", is_superuser=True)).post(
        "/bundles", content=framed([b"other"])
    )
    assert other.status_code == 201, other.text
    assert begun.locked()  # the bytes of the fifth are not read yet
    go_on.set()
    assert {(await sending).status_code for sending in [*sent, fifth]} == {201}


async def test_one_wrong_file_leaves_nothing_of_the_bundle(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    transfer = await start(cingulum, callers)
    await send(transfer, b"twice")
    answer = await transfer.post("/bundles", content=framed(FILES, about={3: {"sha256": "ab" * 32}}))
    assert (answer.status_code, answer.json()["type"], answer.json()["files"]) == (409, "hash-differs", [3])
    assert stored(tmp_path) == {sha256(b"twice")}
    assert (await transfer.get("/uploads")).json()["count"] == 1


async def test_an_invalid_bundle_is_refused(cingulum: Cingulum, callers: Callers) -> None:
    transfer = await start(cingulum, callers)
    whole = framed(FILES)
    for body in (whole[:-1], whole + b"x", b"", b"{}\n", framed([]), b'{"files": [{"size_bytes": 1}]}\nx'):
        answer = await transfer.post("/bundles", content=body)
        assert (answer.status_code, answer.json()["type"]) == (400, "bad-bundle"), body[:40]
    answer = await transfer.post("/bundles", content=framed([b"x"], about={0: {"token": 5}}))
    assert answer.status_code == 400


async def test_a_thousand_files_take_no_more_statements_than_two(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await start(cingulum, callers)

    async def statements(n: int) -> int:
        files = [random_bytes(2_000, seed=1_000 * n + i) for i in range(n)]
        with executed_statements(transfer, "transfer.uploads", "transfer.parts") as executed:
            assert (await transfer.post("/bundles", content=framed(files))).status_code == 201
        return len(executed)

    few = await statements(2)
    assert await statements(1_000) <= few + 10
