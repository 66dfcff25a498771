"""Doubted bytes are uploaded again; folders of others in the store stop no sweep."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from libs.common.testing import Callers
from services.transfer.operations.sweeps import sweep
from tests.support.bytes import sha256
from tests.support.moving import a_copy, an_upload, send, start, written
from tests.support.system import Cingulum

TEN = b"0123456789"


async def doubted(cingulum: Cingulum, copy: UUID, state: str) -> None:
    """The copy was proved to hold TEN, and is doubted now."""
    await written(
        cingulum,
        f"""
        UPDATE registry.versions v SET sha256 = '{sha256(TEN)}' FROM registry.copies c
            WHERE c.id = '{copy}' AND v.dataset_id = c.dataset_id;
        UPDATE registry.copies SET state = '{state}', proved_at = now() WHERE id = '{copy}';
        """,
    )


@pytest.mark.parametrize("state", ["suspect", "expected"])
async def test_doubted_bytes_are_uploaded_again_and_repair_the_object(
    cingulum: Cingulum, callers: Callers, tmp_path: Path, state: str
) -> None:
    transfer = await start(cingulum, callers)
    copy = await a_copy(cingulum, callers)
    body = {"sha256": sha256(TEN), "copy_id": str(copy)}
    await send(transfer, TEN, **body)
    known = (await transfer.post("/uploads", an_upload(**body))).json()
    assert known["state"] == "landed"
    (stored,) = (tmp_path / "home/store/objects").glob(f"*/{sha256(TEN)}")
    stored.chmod(0o644)
    stored.write_bytes(b"012345678X")
    await doubted(cingulum, copy, state)
    again = (await transfer.post("/uploads", an_upload(**body))).json()
    assert (again["state"], again["missing"]) == ("announced", [0])
    assert (await send(transfer, TEN, **body))["state"] == "landed"
    (stored,) = (tmp_path / "home/store/objects").glob(f"*/{sha256(TEN)}")
    assert stored.read_bytes() == TEN


async def test_an_unknown_folder_stops_no_sweep(cingulum: Cingulum, callers: Callers, tmp_path: Path) -> None:
    transfer = await start(cingulum, callers)
    (tmp_path / "home/store/tmp/lost+found").mkdir()
    assert await sweep(transfer.app.state.upload_context) == 0
    assert (await send(transfer, TEN))["state"] == "landed"


async def test_a_copy_belongs_to_its_sessions_lab_whatever_its_folder_is_called(
    cingulum: Cingulum, callers: Callers
) -> None:
    transfer = await start(cingulum, callers)
    copy, session, subject = await a_copy(cingulum, callers), uuid4(), uuid4()
    await written(
        cingulum,
        f"""
        INSERT INTO metadata.subjects (id, nickname, lab_id) VALUES ('{subject}', 'm1', '{callers.lab_id}');
        INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)
            VALUES ('{session}', 'session', '{subject}', '{callers.lab_id}', '2020-08-21T00:00:00',
            '2020-08-21', '2020-08-21', 1);
        UPDATE registry.datasets SET session_id = '{session}', lab_path = 'oldname/Subjects/m1/2020-08-21/001';
        """,
    )
    body = an_upload(copy_id=str(copy))
    assert (await transfer.as_(callers.visitor).post("/uploads", body)).status_code == 403
    assert (await transfer.post("/uploads", body)).status_code == 201
