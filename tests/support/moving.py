"""Sending files to transfer, and neighbours' rows written as their owners would."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from libs.common.catalogue import Service
from libs.common.testing import Callers, Running
from tests.support.bytes import sha256
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


async def written(cingulum: Cingulum, statements: str) -> None:
    """Write rows as the database's owner."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def a_copy(cingulum: Cingulum, callers: Callers, store: str = "local", state: str = "expected") -> UUID:
    """A copy of a new dataset of the callers' lab, in a repository of that store; its id."""
    copy, dataset, session, subject = uuid4(), uuid4(), uuid4(), uuid4()
    await written(
        cingulum,
        f"""
        INSERT INTO metadata.labs (id, name) VALUES ('{callers.lab_id}', 'hilllab') ON CONFLICT DO NOTHING;
        INSERT INTO metadata.subjects (id, nickname, lab_id)
            VALUES ('{subject}', 'm{subject.hex[:6]}', '{callers.lab_id}');
        INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)
            VALUES ('{session}', 'session', '{subject}', '{callers.lab_id}', '2020-08-21T00:00:00', '2020-08-21',
            '2020-08-21', 1);
        INSERT INTO registry.dataset_types (id, name) VALUES (gen_random_uuid(), 'a.b') ON CONFLICT DO NOTHING;
        INSERT INTO registry.formats (id, name) VALUES (gen_random_uuid(), 'npy') ON CONFLICT DO NOTHING;
        INSERT INTO registry.repositories (id, name, store, globus_is_personal)
            VALUES (gen_random_uuid(), 'on_{store}', '{store}', false) ON CONFLICT DO NOTHING;
        INSERT INTO registry.datasets (id, session_id, lab_path, name, dataset_type_id, format_id)
            SELECT '{dataset}', '{session}', 'hilllab/Subjects/m/2020-08-21/001', '{dataset}.npy', t.id, f.id
            FROM registry.dataset_types t, registry.formats f WHERE t.name = 'a.b' AND f.name = 'npy';
        INSERT INTO registry.versions (id, dataset_id, generation) VALUES (gen_random_uuid(), '{dataset}', 1);
        INSERT INTO registry.copies (id, dataset_id, repository_id, generation, state)
            SELECT '{copy}', '{dataset}', id, 1, '{state}' FROM registry.repositories WHERE name = 'on_{store}';
        """,
    )
    return copy


async def an_attempt(cingulum: Cingulum, token: int) -> dict[str, Any]:
    """A running attempt of a new job: what an upload of its output says."""
    job = uuid4()
    await written(
        cingulum,
        f"""
        INSERT INTO scheduler.jobs (id, task, state, token, arguments)
            VALUES ('{job}', 't', 'Started', {token}, '{job}');
        INSERT INTO scheduler.attempts (token, job_id, state) VALUES ({token}, '{job}', 'running');
        """,
    )
    return {"job_id": str(job), "token": token}


async def attempt_ends(cingulum: Cingulum, token: int, state: str, uploads: Sequence[Any] = ()) -> None:
    """The attempt's end, with the uploads that its completion named."""
    outputs = json.dumps(
        [{"name": "a.b.npy", "upload_id": str(upload), "sha256": "ab" * 32} for upload in uploads]
    )
    await written(
        cingulum,
        f"UPDATE scheduler.attempts SET state = '{state}', outputs = '{outputs}' WHERE token = {token}",
    )


async def start(cingulum: Cingulum, callers: Callers) -> Running:
    """Transfer, asked by a worker of the lab."""
    return await cingulum.start(Service.TRANSFER, callers.worker)
