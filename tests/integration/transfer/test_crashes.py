"""After a kill before any step, a repeated upload completes: each file is stored and published once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from deploy.local.places import free_port
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.storage.disk import DRAFT_PREFIX
from libs.common.testing import Callers
from libs.common.testing.callers import identity_headers
from tests.support import crashing, crashing_sender
from tests.support.bytes import random_bytes, sha256
from tests.support.moving import an_upload, content_digest
from tests.support.system import Cingulum
from tests.support.waiting import attempts, wait_until

MOST = 120
PART = 8 * 2**20


async def is_whole(onlooker: asyncpg.Connection, store: Path, files: list[bytes], name: str) -> None:
    """The files of that name have landed once, were published once, and have the bytes that were sent."""
    rows = await onlooker.fetch("SELECT id, state, sha256 FROM transfer.uploads WHERE name = $1", name)
    assert [row["state"] for row in rows] == ["landed"] * len(files)
    assert sorted(row["sha256"] for row in rows) == sorted(map(sha256, files))
    events = await onlooker.fetch("SELECT payload ->> 'upload_id' AS id FROM transfer.events")
    assert all(sum(event["id"] == str(row["id"]) for event in events) == 1 for row in rows)
    for data in files:
        assert (store / "objects" / sha256(data)[:2] / sha256(data)).read_bytes() == data


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["file", "bundle"])
async def test_killed_before_any_step_nothing_acknowledged_is_lost(
    cingulum: Cingulum, tmp_path: Path, kind: str
) -> None:
    environment, user = dict(cingulum.environment), str(uuid4())
    onlooker = await asyncpg.connect(cingulum.admin_url)
    try:
        for n in range(1, MOST):
            code = await asyncio.to_thread(
                crashing.run, crashing_sender.send_nth, environment, user, kind, n, n
            )
            if code == -signal.SIGKILL and not (kind == "bundle" and await _landed(onlooker, n)):
                again = await asyncio.to_thread(
                    crashing.run, crashing_sender.send_nth, environment, user, kind, n, 0
                )
                assert again == 0
            files = crashing_sender.small_files(n) if kind == "bundle" else [crashing_sender.contents(n)]
            await is_whole(onlooker, tmp_path / "home/store", files, str(n))
            for data in files if kind == "file" else []:
                (tmp_path / "home/store/objects" / sha256(data)[:2] / sha256(data)).unlink()
            if code == 0:
                return
        raise AssertionError(f"more than {MOST} steps")
    finally:
        await onlooker.close()


async def _landed(onlooker: asyncpg.Connection, n: int) -> bool:
    """A bundle whose answer was lost is not sent again, so that it is there once."""
    return bool(await onlooker.fetchval("SELECT count(*) FROM transfer.uploads WHERE name = $1", str(n)))


@contextmanager
def serving(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Transfer as a process of its own, ready."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "services.transfer.app:build",
        "--port",
        str(port),
    ]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=os.environ | environment)
    try:
        wait_until(lambda: _is_ready(port))
        yield process
    finally:
        process.kill()
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=60).is_success
    except httpx.TransportError:
        return False


def _has_begun(folder: Path, upload: str) -> bool:
    """Whether the bytes of a part are being written."""
    return any(folder.rglob(f"{upload}/{DRAFT_PREFIX}*"))


async def test_a_killed_server_still_has_what_it_acknowledged(
    cingulum: Cingulum, callers: Callers, tmp_path: Path
) -> None:
    data, port = random_bytes(3 * PART + 9), free_port()
    environment = dict(cingulum.environment)
    base = f"http://127.0.0.1:{port}"

    def headers(principal: Principal = callers.worker) -> dict[str, str]:
        return identity_headers(principal, Service.TRANSFER)

    def piece(number: int) -> bytes:
        return data[number * PART : (number + 1) * PART]

    async with httpx.AsyncClient(base_url=base, timeout=60) as http:
        with serving(environment, port) as process:
            body = an_upload(size_bytes=len(data))
            upload = (await http.post("/uploads", json=body, headers=headers())).json()
            path = f"/uploads/{upload['id']}"
            for number in (3, 0):
                sent = await http.put(
                    f"{path}/parts/{number}",
                    content=piece(number),
                    headers=headers() | content_digest(piece(number)),
                )
                assert sent.status_code == 204

            async def half_a_part() -> AsyncIterator[bytes]:
                yield piece(1)[: PART // 2]
                async for _ in attempts():
                    if _has_begun(tmp_path, upload["id"]):
                        break
                process.kill()
                yield piece(1)[PART // 2 :]

            with pytest.raises(httpx.TransportError):
                await http.put(f"{path}/parts/1", content=half_a_part(), headers=headers())
        with serving(environment, port):
            assert (await http.get(path, headers=headers())).json()["missing"] == [1, 2]
            for number in (1, 2):
                await http.put(f"{path}/parts/{number}", content=piece(number), headers=headers())
            done = await http.post(f"{path}/complete", json={"sha256": sha256(data)}, headers=headers())
            assert done.json()["state"] == "landed"
