"""The store on a disk keeps the contract, survives full and failing disks, and orders its writes for power cuts."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cingulum.digests import Hasher
from libs.common.storage import (
    LocalStore,
    ObjectMissing,
    StillLinked,
    StoreFull,
    StoreUnavailable,
    object_key,
)
from tests.support.bytes import random_bytes, sha256, stream
from tests.support.store_contract import StoreContract, held, read
from tests.support.waiting import attempts


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LocalStore]:
    store = LocalStore(tmp_path / "store")
    yield store
    await store.close()


def modes(root: Path) -> dict[str, set[int]]:
    """The modes of all folders and files of a store."""
    modes: dict[str, set[int]] = {"folder": set(), "file": set()}
    for path in [root, *root.rglob("*")]:
        modes["folder" if path.is_dir() else "file"].add(path.stat().st_mode & 0o777)
    return modes


async def until_closed(root: Path) -> None:
    """Wait until all of a store has the modes of a store."""
    async for _ in attempts():
        if modes(root) == {"folder": {0o750}, "file": {0o640}}:
            return
    raise AssertionError(modes(root))


class TestLocalStore(StoreContract):
    async def test_an_object_is_a_file_that_can_be_sent_by_the_kernel(self, store: LocalStore) -> None:
        await store.put(b"bytes")
        async with store.open(sha256(b"bytes"), 1) as reading:
            assert reading.path == store.root / object_key(sha256(b"bytes"))
            assert reading.path.read_bytes() == b"bytes"

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    async def test_only_the_services_user_and_its_group_can_read_whatever_the_umask(
        self, tmp_path: Path, umask: int
    ) -> None:
        before = os.umask(umask)
        try:
            fresh = LocalStore(tmp_path / f"fresh-{umask}")
            await fresh.put(b"one")
            await fresh.put_many([b"two", b"three"])
            upload = uuid4()
            await fresh.put_part(upload, 0, stream(b"part"))
            await fresh.tree.link({"lab/Subjects/m1/2024-01-02/001/alf/a.b.npy": sha256(b"one")})
            await fresh.close()
        finally:
            os.umask(before)
        assert modes(fresh.root) == {"folder": {0o750}, "file": {0o640}}

    async def test_a_store_that_others_could_read_is_closed_when_it_is_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = LocalStore(tmp_path / "old")
        await old.put(b"bytes")
        await old.tree.link({"lab/file": sha256(b"bytes")})
        await old.close()
        for path in [old.root, *old.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o444)
        (old.root / "tree" / "elsewhere").symlink_to(tmp_path / "outside")
        (tmp_path / "outside").write_bytes(b"not of the store")
        (tmp_path / "outside").chmod(0o644)
        may_go, walk = threading.Event(), os.walk

        def slow_walk(*args: Any, **more: Any) -> Any:  # of a store with millions of files
            assert may_go.wait(60)
            return walk(*args, **more)

        monkeypatch.setattr(os, "walk", slow_walk)
        again = LocalStore(old.root)
        assert again.root.stat().st_mode & 0o777 == 0o750, "nobody else reaches a file in it any more"
        assert await read(again, sha256(b"bytes")) == b"bytes"
        may_go.set()
        (old.root / "tree" / "elsewhere").unlink()
        await until_closed(old.root)
        assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o644
        await again.close()

    async def test_a_store_that_is_closed_halfway_is_closed_further_when_it_is_opened_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = LocalStore(tmp_path / "old")
        await old.put(b"bytes")
        await old.close()
        for path in [old.root, *old.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o444)
        with monkeypatch.context() as failing:
            failing.setattr(os, "walk", refusing(errno.EIO))
            await LocalStore(old.root).close()
        assert {0o755} < modes(old.root)["folder"]
        again = LocalStore(old.root)
        await until_closed(old.root)
        await again.close()

    async def test_nothing_is_left_behind_in_tmp(self, store: LocalStore) -> None:
        upload = uuid4()
        await store.put(b"small")
        await store.put_part(upload, 0, stream(b"a"))
        await store.put_part(upload, 1, stream(b"b"))
        await store.assemble(upload, 2, sha256(b"ab"))
        assert list((store.root / "tmp").iterdir()) == []

    async def test_a_second_store_on_the_same_folder_sees_everything(self, store: LocalStore) -> None:
        upload = uuid4()
        await store.put(b"object")
        await store.put_part(upload, 0, stream(b"pa"))
        other = LocalStore(store.root)
        await other.put_part(upload, 1, stream(b"rt"))
        await other.assemble(upload, 2, sha256(b"part"))
        assert await held(other) == sorted([sha256(b"object"), sha256(b"part")])
        await other.close()

    async def test_a_damaged_object_is_repaired_by_the_next_upload(self, store: LocalStore) -> None:
        data = random_bytes(10_000)
        await store.put(data)
        damage(store, sha256(data))
        assert (await store.prove(sha256(data))).sha256 != sha256(data)
        upload = uuid4()
        await store.put_part(upload, 0, stream(data[:5000]))
        await store.put_part(upload, 1, stream(data[5000:]))
        await store.assemble(upload, 2, sha256(data))
        assert (await store.prove(sha256(data))).sha256 == sha256(data)

    async def test_a_whole_object_put_again_is_not_written_again(self, store: LocalStore) -> None:
        await store.put(b"kept")
        before = (store.root / object_key(sha256(b"kept"))).stat().st_ino
        await store.put(b"kept")
        assert (store.root / object_key(sha256(b"kept"))).stat().st_ino == before

    async def test_a_full_disk_is_reported_and_loses_nothing(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"before"))
        for name in ("write", "fsync"):
            with monkeypatch.context() as broken:
                broken.setattr(os, name, refusing(errno.ENOSPC))
                for attempt in (
                    store.put_part(upload, 0, stream(b"after")),
                    store.put_part(upload, 1, stream(b"after")),
                    store.put(b"object"),
                ):
                    with pytest.raises(StoreFull) as refusal:
                        await attempt
                    assert refusal.value.status == 507
        assert [part.sha256 for part in await store.parts(upload)] == [sha256(b"before")]
        assert await held(store) == []
        assert leftovers(store) == []

    async def test_a_disk_that_fills_while_joining_keeps_the_parts(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"a"))
        await store.put_part(upload, 1, stream(b"b"))
        with monkeypatch.context() as broken:
            broken.setattr(os, "write", refusing(errno.EDQUOT))
            with pytest.raises(StoreFull):
                await store.assemble(upload, 2, sha256(b"ab"))
        assert leftovers(store) == []
        assert (await store.assemble(upload, 2, sha256(b"ab"))).size_bytes == 2

    async def test_a_failing_disk_is_reported_as_unavailable(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "fsync", refusing(errno.EIO))
        with pytest.raises(StoreUnavailable) as refusal:
            await store.put(b"object")
        assert refusal.value.status == 503

    async def test_a_file_is_named_after_its_bytes_are_fsynced_and_before_its_folder_is(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = record_calls(monkeypatch)
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"a"))
        await store.put_part(upload, 1, stream(b"b"))
        await store.assemble(upload, 2, sha256(b"ab"))
        await store.put(b"c")
        named = [index for index, (call, path) in enumerate(calls) if call == "name"]
        assert len(named) == 4
        for index in named:
            source, final = calls[index][1]
            assert ("fsync", (source,)) in calls[:index]
            assert ("fsync", (str(Path(final).parent),)) in calls[index:]

    async def test_objects_linked_from_elsewhere_are_not_retired(self, store: LocalStore) -> None:
        await store.put(b"shown")
        await store.tree.link({"lab/Subjects/a.npy": sha256(b"shown")})
        with pytest.raises(StillLinked):
            await store.delete(sha256(b"shown"))
        await store.tree.unlink(["lab/Subjects/a.npy"])
        assert await store.delete(sha256(b"shown")) is True

    async def test_an_open_reader_finishes_while_the_object_is_retired(self, store: LocalStore) -> None:
        data = random_bytes(9 * 1024 * 1024)
        await store.put(data)
        async with store.open(sha256(data)) as reading:
            first = await anext(reading.chunks)
            await store.delete(sha256(data))
            assert first + b"".join([chunk async for chunk in reading.chunks]) == data
        with pytest.raises(ObjectMissing):
            await read(store, sha256(data))

    async def test_assemblers_of_one_upload_at_once_make_one_object(self, store: LocalStore) -> None:
        upload, data = uuid4(), random_bytes(300_000)
        for number in range(3):
            await store.put_part(upload, number, stream(data[number * 100_000 :][:100_000]))
        outcomes = await asyncio.gather(
            *(store.assemble(upload, 3, sha256(data)) for _ in range(4)), return_exceptions=True
        )
        assert any(not isinstance(outcome, BaseException) for outcome in outcomes)
        assert (await store.prove(sha256(data))).sha256 == sha256(data)
        assert leftovers(store) == []

    async def test_disk_and_hash_work_never_runs_on_the_event_loop(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: dict[str, set[str]] = {}

        def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                threads.setdefault(name, set()).add(threading.current_thread().name.partition("_")[0])
                return function(*arguments, **options)

            return call

        for name in ("open", "write", "fsync", "link", "replace", "pread", "unlink"):
            monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
        monkeypatch.setattr(Hasher, "update", noted("hash", Hasher.update))
        upload = uuid4()
        await store.put_part(upload, 0, stream(b"a"))
        await store.put_part(upload, 1, stream(b"b"))
        await store.assemble(upload, 2, sha256(b"ab"))
        await store.prove(sha256(b"ab"))
        await store.tree.link({"lab/a.npy": sha256(b"ab")})
        assert set(threads) == {"open", "write", "fsync", "link", "replace", "pread", "unlink", "hash"}
        assert all(names == {"store"} for names in threads.values()), threads


async def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreUnavailable):
        LocalStore(tmp_path / "store")


def refusing(code: int) -> object:
    """A system call that always fails so."""

    def refuse(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return refuse


def damage(store: LocalStore, name: str) -> None:
    """Flip one bit of an object on the disk."""
    path = store.root / object_key(name)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def leftovers(store: LocalStore) -> list[str]:
    """Drafts that nobody will ever name."""
    return [path.name for path in (store.root / "tmp").rglob("draft-*")]


def record_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Note every fsync (of which path) and every naming (from, to), in order."""
    calls: list[tuple[str, tuple[str, ...]]] = []
    fsync, link, replace = os.fsync, os.link, os.replace

    def noting_fsync(descriptor: int) -> None:
        calls.append(("fsync", (str(Path(f"/proc/self/fd/{descriptor}").readlink()),)))
        fsync(descriptor)

    def noting_link(source: Path, final: Path) -> None:
        calls.append(("name", (str(source), str(final))))
        link(source, final)

    def noting_replace(source: Path, final: Path) -> None:
        calls.append(("name", (str(source), str(final))))
        replace(source, final)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "link", noting_link)
    monkeypatch.setattr(os, "replace", noting_replace)
    return calls
