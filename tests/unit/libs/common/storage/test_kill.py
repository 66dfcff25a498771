"""SIGKILL between any two system calls of a writer: the store stays whole, and repeating the work ends it well."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.common.storage import LocalStore
from tests.support.bytes import sha256, stream
from tests.support.store_contract import held

pytestmark = pytest.mark.deep

UPLOAD = UUID("5a4d0cf9-6b1e-4b58-9d6c-0c0a37e0b1aa")
STEPS = ("open", "write", "fsync", "fchmod", "link", "replace", "unlink", "rmdir", "mkdir")
NAME = "lab/Subjects/KS022/2019-12-10/001/alf/spikes.times.npy"
NEVER = 10_000
HELD_AT_THE_END = {
    "send_and_assemble": [b"part"],
    "send_one_part": [b"whole"],
    "put_and_show": [b"v1", b"v2"],
    "hide_and_retire": [],
}

Work = Callable[[LocalStore], Coroutine[Any, Any, None]]


async def send_and_assemble(store: LocalStore) -> None:
    """Two parts, one of them sent before with other bytes; the work is repeated as a client would."""
    if await known(store, b"part"):
        return
    await store.put_part(UPLOAD, 0, stream(b"xx"))
    await store.put_part(UPLOAD, 0, stream(b"pa"))
    await store.put_part(UPLOAD, 1, stream(b"rt"))
    await store.assemble(UPLOAD, 2, sha256(b"part"))


async def send_one_part(store: LocalStore) -> None:
    """The short way of a small file."""
    if await known(store, b"whole"):
        return
    await store.put_part(UPLOAD, 0, stream(b"whole"))
    await store.assemble(UPLOAD, 1, sha256(b"whole"))


async def put_and_show(store: LocalStore) -> None:
    """A small object, its name in the tree, and the name turned to another object."""
    await store.put(b"v1")
    await store.put(b"v2")
    await store.tree.link({NAME: sha256(b"v1")})
    await store.tree.link({NAME: sha256(b"v2")})


async def hide_and_retire(store: LocalStore) -> None:
    """The way out."""
    await store.put(b"v1")
    await store.tree.link({NAME: sha256(b"v1")})
    await store.tree.unlink([NAME])
    await store.delete(sha256(b"v1"))


@pytest.mark.parametrize("work", [send_and_assemble, send_one_part, put_and_show, hide_and_retire])
def test_a_writer_killed_at_any_step_leaves_a_whole_store(tmp_path: Path, work: Work) -> None:
    n_steps = 0
    for step in range(NEVER):
        root = tmp_path / str(step)
        LocalStore(root)
        was_killed = run_killed(root, work, step)
        asyncio.run(check(root, work))
        if not was_killed:
            n_steps = step
            break
    assert n_steps > 10, "the writer was hardly ever interrupted"


async def check(root: Path, work: Work) -> None:
    """What an operator sees after the crash, and after the client has tried again."""
    store = LocalStore(root)
    for name in await held(store):
        assert (await store.prove(name)).sha256 == name, "an object is seen that is not whole"
    for part in await store.parts(UPLOAD):
        assert part.sha256 in {sha256(data) for data in (b"xx", b"pa", b"rt", b"whole")}
    for name in await store.tree.names():
        assert store.tree.path(name).read_bytes() in {b"v1", b"v2"}, "a name shows half a file"
    await work(store)
    assert await held(store) == sorted(map(sha256, HELD_AT_THE_END[work.__name__]))
    await store.sweep(datetime.now(UTC) + timedelta(minutes=1))
    assert list((root / "tmp").iterdir()) == []
    await store.close()


async def known(store: LocalStore, data: bytes) -> bool:
    """What a client asks first, so that an assembly whose answer was lost is not begun again."""
    return sha256(data) in await held(store)


def run_killed(root: Path, work: Work, step: int) -> bool:
    """Do the work in a process that kills itself before its n-th system call; whether it came to that."""
    process = multiprocessing.get_context("fork").Process(target=_work, args=(root, work, step))
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode == -signal.SIGKILL


def _work(root: Path, work: Work, step: int) -> None:
    left = [step]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return function(*arguments, **options)

        return call

    async def main() -> None:
        store = LocalStore(root)
        for name in STEPS:
            setattr(os, name, counted(getattr(os, name)))
        await work(store)

    asyncio.run(main())
