"""Doubted bytes are uploaded again; folders of others in the store stop no sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.common.schemas.states import CopyState
from libs.common.testing import Callers
from services.transfer.operations.sweeps import sweep
from tests.support.bytes import sha256
from tests.support.makers.metadata import make_session
from tests.support.makers.registry import doubt_copy, move_datasets
from tests.support.moving import a_copy, an_upload, send, start
from tests.support.system import Cingulum

TEN = b"0123456789"


@pytest.mark.parametrize("state", [CopyState.SUSPECT, CopyState.EXPECTED])
async def test_doubted_bytes_are_uploaded_again_and_repair_the_object(
    cingulum: Cingulum, callers: Callers, tmp_path: Path, state: CopyState
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
    await doubt_copy(cingulum, copy, state, sha256(TEN))
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
    copy = await a_copy(cingulum, callers)
    session = await make_session(cingulum, callers.lab_id)
    await move_datasets(cingulum, session, "oldname/Subjects/m1/2020-08-21/001")
    body = an_upload(copy_id=str(copy))
    assert (await transfer.as_(callers.visitor).post("/uploads", body)).status_code == 403
    assert (await transfer.post("/uploads", body)).status_code == 201
