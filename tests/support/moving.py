"""Sending files to transfer, and neighbours' rows written as their owners would."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from cingulum.stores import StoreKind
from libs.common.catalogue import Service
from libs.common.schemas.job_files import JobOutput
from libs.common.schemas.states import AttemptState, CopyState
from libs.common.testing import Callers, Running
from tests.support.bytes import sha256
from tests.support.makers.metadata import make_session
from tests.support.makers.registry import make_copy, make_dataset, make_repository
from tests.support.makers.scheduler import end_attempt, make_attempt
from tests.support.system import Cingulum


def an_upload(**values: Any) -> dict[str, Any]:
    """The body that announces a file."""
    return {"size_bytes": 10, "name": "a file"} | values


def content_digest(data: bytes) -> dict[str, str]:
    """The header that announces a part's SHA-256."""
    return {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"}


async def send(transfer: Running, data: bytes, **values: Any) -> dict[str, Any]:
    """Announce, send in order, complete; the upload at the end."""
    upload = (await transfer.post("/uploads", an_upload(size_bytes=len(data)) | values)).json()
    for number in upload["missing"]:
        start = number * upload["part_bytes"]
        piece = data[start : start + upload["part_bytes"]]
        answer = await transfer.put(
            f"/uploads/{upload['id']}/parts/{number}", content=piece, headers=content_digest(piece)
        )
        assert answer.status_code == 204, answer.text
    done = await transfer.post(f"/uploads/{upload['id']}/complete", {"sha256": sha256(data)})
    assert done.status_code == 200, done.text
    return dict(done.json())


def framed(files: Sequence[bytes], *, about: Mapping[int, Mapping[str, Any]] | None = None) -> bytes:
    """A bundle's body."""
    listed = [
        {"size_bytes": len(data), "sha256": sha256(data)} | dict((about or {}).get(i, {}))
        for i, data in enumerate(files)
    ]
    return json.dumps({"files": listed}).encode() + b"\n" + b"".join(files)


async def a_copy(
    cingulum: Cingulum,
    callers: Callers,
    store: StoreKind = StoreKind.LOCAL,
    state: CopyState = CopyState.EXPECTED,
) -> UUID:
    """A copy of a new dataset of the callers' lab, in a repository of that store."""
    dataset = await make_dataset(cingulum, await make_session(cingulum, callers.lab_id))
    repository = await make_repository(cingulum, f"on_{store}", store)
    return await make_copy(cingulum, dataset, repository, state)


async def an_attempt(cingulum: Cingulum, token: int) -> dict[str, Any]:
    """A running attempt of a new job: what an upload of its output says."""
    return {"job_id": str(await make_attempt(cingulum, token)), "token": token}


async def attempt_ends(
    cingulum: Cingulum, token: int, state: AttemptState, uploads: Sequence[Any] = ()
) -> None:
    """The attempt's end, with the uploads that its completion named."""
    outputs = [JobOutput(relative_path="a.b.npy", upload_id=upload, sha256="ab" * 32) for upload in uploads]
    await end_attempt(cingulum, token, state, outputs)


async def start(cingulum: Cingulum, callers: Callers) -> Running:
    """Transfer, asked by a worker of the lab."""
    return await cingulum.start(Service.TRANSFER, callers.worker)
