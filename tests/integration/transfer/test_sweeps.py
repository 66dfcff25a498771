"""Abandoned uploads are swept, and bytes that nothing needs are removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from libs.common.schemas.states import AttemptState, CopyState
from libs.common.testing import Callers, Running
from services.transfer.operations.sweeps import sweep
from tests.support.bytes import sha256
from tests.support.makers.registry import set_sha256
from tests.support.makers.transfer import touch_upload
from tests.support.moving import a_copy, an_attempt, an_upload, attempt_ends, send, start
from tests.support.system import Cingulum

TEN = b"0123456789"


async def swept(transfer: Running) -> int:
    """Sweep now; how many uploads were swept."""
    return await sweep(transfer.app.state.upload_context)


def files_in(home: Path, folder: str) -> list[str]:
    """File names in a folder of the store."""
    return sorted(path.name for path in (home / "home/store" / folder).glob("*/*"))


async def test_outputs_of_an_attempt_that_ended_without_them_are_swept(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    transfer = await start(cingulum, callers)
    lost = await send(transfer, TEN, **await an_attempt(cingulum, 1))
    part = (await transfer.post("/uploads", an_upload(**await an_attempt(cingulum, 2)))).json()
    await transfer.put(f"/uploads/{part['id']}/parts/0", content=TEN)
    named = await send(transfer, b"named", **await an_attempt(cingulum, 3))
    extra = await send(transfer, b"extra", **{"job_id": named["job_id"], "token": 3})
    running = await send(transfer, b"running", **await an_attempt(cingulum, 4))
    assert await swept(transfer) == 0
    await attempt_ends(cingulum, 1, AttemptState.LOST)
    await attempt_ends(cingulum, 2, AttemptState.FAILED)
    await attempt_ends(cingulum, 3, AttemptState.REGISTERED, [named["id"]])
    assert await swept(transfer) == 3
    assert await swept(transfer) == 0
    states = {upload["id"]: upload["state"] for upload in (await transfer.get("/uploads")).json()["results"]}
    assert [states[upload["id"]] for upload in (lost, part, extra)] == ["swept"] * 3
    assert [states[upload["id"]] for upload in (named, running)] == ["landed"] * 2
    assert files_in(tmp_path, "objects") == sorted([sha256(b"named"), sha256(b"running")])
    assert files_in(tmp_path, "tmp") == []
    gone = await transfer.post(f"/uploads/{part['id']}/complete", {"sha256": sha256(TEN)})
    assert (gone.status_code, gone.json()["type"]) == (409, "upload-swept")


async def test_bytes_are_kept_while_another_upload_or_a_copy_needs_them(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    transfer = await start(cingulum, callers)
    await send(transfer, TEN, **await an_attempt(cingulum, 1))
    await send(transfer, TEN)
    await send(transfer, b"counted on", **await an_attempt(cingulum, 2))
    copy = await a_copy(cingulum, callers, state=CopyState.LANDED)
    await set_sha256(cingulum, copy, sha256(b"counted on"))
    for token in (1, 2):
        await attempt_ends(cingulum, token, AttemptState.STOPPED)
    assert await swept(transfer) == 2
    assert files_in(tmp_path, "objects") == sorted([sha256(TEN), sha256(b"counted on")])


async def test_a_file_not_touched_for_a_week_is_swept(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    transfer = await start(cingulum, callers)
    await send(transfer, TEN)
    idle, fresh = [(await transfer.post("/uploads", an_upload())).json() for _ in range(2)]
    for upload in (idle, fresh):
        await transfer.put(f"/uploads/{upload['id']}/parts/0", content=TEN)
    await touch_upload(cingulum, idle["id"], datetime.now(UTC) - timedelta(days=8))
    assert await swept(transfer) == 1
    assert (await transfer.get(f"/uploads/{idle['id']}")).json()["state"] == "swept"
    assert len(files_in(tmp_path, "tmp")) == 1
    assert files_in(tmp_path, "objects") == [sha256(TEN)]


async def test_parts_without_an_upload_are_removed_after_a_day(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    import os

    transfer = await start(cingulum, callers)
    for age_s in (0, 2 * 86_400):
        folder = tmp_path / "home/store/tmp" / str(uuid4())
        folder.mkdir()
        (folder / "draft-x").write_bytes(TEN)
        now = folder.stat().st_mtime
        for path in (folder / "draft-x", folder):
            os.utime(path, (now - age_s, now - age_s))
    assert await swept(transfer) == 0
    assert files_in(tmp_path, "tmp") == ["draft-x"]


async def test_a_failed_removal_does_not_stop_the_others(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    transfer = await start(cingulum, callers)
    sent = [await send(transfer, bytes([n]) * 9, **await an_attempt(cingulum, n)) for n in range(1, 5)]
    odd = [tmp_path / "home/store/tmp" / upload["id"] / "a folder" for upload in sent[:2]]
    for folder in odd:
        folder.mkdir(parents=True)  # no part of an upload: removing it as a file fails
    for token in range(1, 5):
        await attempt_ends(cingulum, token, AttemptState.LOST)
    assert await swept(transfer) == 4
    assert len(files_in(tmp_path, "objects")) == 2
    for folder in odd:
        folder.rmdir()
    assert await swept(transfer) == 0
    assert files_in(tmp_path, "objects") == files_in(tmp_path, "tmp") == []
