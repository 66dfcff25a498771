"""SIGKILL between any two requests of a writer: the bucket stays whole, and repeating the work ends it well."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from aiobotocore.client import AioBaseClient

from libs.common.storage import ObjectMissing
from libs.common.storage.s3 import S3Store
from libs.common.storage.s3_bucket import S3Place
from tests.support.bytes import random_bytes, sha256, stream
from tests.support.forks import FORK
from tests.support.store_contract import held
from tests.support.weed import make_bucket

UPLOAD = UUID("5a4d0cf9-6b1e-4b58-9d6c-0c0a37e0b1aa")
DATA = random_bytes(5 * 1024 * 1024 + 10)
CUT = 5 * 1024 * 1024
MOST_STEPS = 100


async def send_and_assemble(store: S3Store) -> None:
    """Two parts, the second sent before with other bytes; the work is repeated as a client would."""
    try:
        await store.stat(sha256(DATA))
    except ObjectMissing:
        await store.put_part(UPLOAD, 0, stream(DATA[:CUT]))
        await store.put_part(UPLOAD, 1, stream(b"xx"))
        await store.put_part(UPLOAD, 1, stream(DATA[CUT:]))
        await store.assemble(UPLOAD, 2, sha256(DATA))


def test_a_writer_killed_at_any_request_leaves_a_whole_bucket(server: S3Place) -> None:
    make_bucket(server)
    for step in range(MOST_STEPS):
        place = replace(server, prefix=f"{uuid4()}/")
        # Not forked from this process: a thread of an earlier test may hold a lock, which a fork would never get.
        writer = FORK.Process(target=write_until, args=(place, step))
        writer.start()
        writer.join()
        assert writer.exitcode in {0, -signal.SIGKILL}
        asyncio.run(check(place))
        if writer.exitcode == 0:
            break
    assert 10 < step < MOST_STEPS


async def check(place: S3Place) -> None:
    store = await S3Store.connect(place)
    for name in await held(store):
        assert (await store.prove(name)).sha256 == name
    await send_and_assemble(store)
    await store.sweep(datetime.now(UTC) + timedelta(minutes=1))
    assert await held(store) == [sha256(DATA)]
    assert await store.uploads() == []
    await store.close()


def write_until(place: S3Place, step: int) -> None:
    """Do the work, and die before the n-th request."""
    left = [step]
    send = AioBaseClient._make_api_call

    async def counted(client: Any, *arguments: Any) -> Any:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return await send(client, *arguments)

    AioBaseClient._make_api_call = counted

    async def main() -> None:
        store = await S3Store.connect(place)
        await send_and_assemble(store)
        await store.close()

    asyncio.run(main())
