"""A store on a local disk.

    objects/ab/<sha256>                                  the bytes, once
    tree/<lab>/Subjects/…                                hard links to them, for people
    tmp/<upload>/<number>-<serial>-<sha256>[-<md5>]      acknowledged parts
    tmp/<upload>/draft-…                                 not acknowledged yet; lost in a crash, and swept

All three are in one file system, so that naming is one atomic step and no byte is moved for it. Folders are 0750 and
files 0640: the service's user writes, its group reads. A store that others may enter is closed when it is opened.
"""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from cingulum.digests import Digests, Hasher, hash_bytes
from libs.common.storage.batch import link_all, sync_files, write_drafts
from libs.common.storage.digests import agree, blocks_of
from libs.common.storage.disk import (
    FOLDER_MODE,
    Draft,
    close_to_others,
    disk_problems,
    forget_cached,
    fsync_folder,
    is_open_to_others,
    make_folders,
    read_block,
    remove_folder,
    set_mode,
)
from libs.common.storage.keys import checked_sha256, object_key
from libs.common.storage.object_files import delete_object, link_object, replace_object, sorted_names
from libs.common.storage.parts import HeldPart, held_parts, keep_part, pending_uploads
from libs.common.storage.problems import ObjectMissing, PartsMissing, StoreUnavailable
from libs.common.storage.store import (
    PendingUpload,
    Reading,
    Stat,
    StorePart,
    checked_part_number,
    checked_range,
    required_parts,
)
from libs.common.storage.sweeps import discard_old
from libs.common.storage.tree import LinkTree

T = TypeVar("T")
READ_BYTES = 1024 * 1024  # of 4 MiB, the allocator would return and fetch the memory for each: half as fast


class LocalStore:
    """Objects as files under `root`; see `Store` for what the methods promise.

    Disk and hash work runs on `threads` threads of its own, so that a long assembly never starves the program.
    """

    tree: LinkTree

    def __init__(self, root: Path, threads: int = 4) -> None:
        self.root = root
        self._tmp = root / "tmp"
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._is_over = threading.Event()
        self.tree = LinkTree(root / "tree", root, self._run)
        folders = [root / "objects", self._tmp, self.tree.top]
        with disk_problems():
            for folder in folders:
                make_folders(folder)
            if any(map(is_open_to_others, (root, *folders))):
                set_mode(root, FOLDER_MODE)  # without access to it nothing below can be reached
                self._pool.submit(close_to_others, root, self._is_over)
        if len({folder.stat().st_dev for folder in folders}) > 1:
            raise StoreUnavailable(
                f"{root}: objects, tmp and tree must lie in one file system, for hard links."
            )

    async def put_part(
        self, upload_id: UUID, number: int, chunks: AsyncIterable[bytes], expected_sha256: str | None = None
    ) -> StorePart:
        checked_part_number(number)
        draft = Draft(self._tmp / str(upload_id))
        hasher = Hasher(
            md5=number == 0
        )  # the only part of a small file: it becomes the object without another pass
        try:
            async for block in blocks_of(chunks):
                await self._run(_absorb, draft, hasher, block)
            digest = agree(hasher.digests(), expected_sha256)
            return await self._run(keep_part, draft, number, digest)
        finally:
            await self._run(draft.abandon)

    async def parts(self, upload_id: UUID) -> list[StorePart]:
        return [part.part for part in await self._held(upload_id)]

    async def assemble(self, upload_id: UUID, n_parts: int, expected_sha256: str) -> Digests:
        checked_sha256(expected_sha256)
        folder = self._tmp / str(upload_id)
        parts = await self._held(upload_id)
        required_parts([each.part for each in parts], n_parts)
        if n_parts == 1 and parts[0].md5:
            digest = parts[0].digests
            await self._land(parts[0].path, agree(digest, expected_sha256))
        else:
            digest = await self._join(folder, parts[:n_parts], expected_sha256)
        await self._run(remove_folder, folder)
        return digest

    async def discard(self, upload_id: UUID) -> bool:
        return await self._run(remove_folder, self._tmp / str(upload_id))

    async def uploads(self) -> list[PendingUpload]:
        return await self._run(pending_uploads, self._tmp)

    async def sweep(self, before: datetime) -> list[UUID]:
        return await discard_old(self, before)

    async def put(self, data: bytes, expected_sha256: str | None = None) -> Digests:
        digest = agree(await self._run(hash_bytes, data), expected_sha256)
        folder = self._tmp / str(uuid4())
        try:
            draft = Draft(folder)
            await self._run(draft.write, data)
            await self._land(await self._run(draft.seal), digest)
        finally:
            await self._run(remove_folder, folder)
        return digest

    async def put_many(self, data: Sequence[bytes]) -> list[Digests]:
        if not data:
            return []
        folder = self._tmp / str(uuid4())
        try:
            written = await self._run(write_drafts, folder, data)
            await self._run(sync_files, folder, [path for path, _ in written])
            named = [(path, self._object(digest.sha256)) for path, digest in written]
            for i in await self._run(link_all, folder, named):
                await self._land(*written[i])
        finally:
            await self._run(remove_folder, folder)
        return [digest for _, digest in written]

    async def stat(self, sha256: str) -> Stat:
        path = self._object(sha256)
        try:
            status = await self._run(path.stat)
        except FileNotFoundError:
            raise ObjectMissing(f"No object {sha256}.") from None
        return Stat(sha256, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC), path)

    @asynccontextmanager
    async def open(
        self, sha256: str, start_byte: int = 0, stop_byte: int | None = None
    ) -> AsyncIterator[Reading]:
        path = self._object(sha256)
        try:
            file = await self._run(io.FileIO, path)
        except FileNotFoundError:
            raise ObjectMissing(f"No object {sha256}.") from None
        with file:
            size_bytes = os.fstat(file.fileno()).st_size
            start, stop = checked_range(start_byte, stop_byte, size_bytes)
            yield Reading(self._read(file, start, stop), start, stop - start, size_bytes, path)

    async def prove(self, sha256: str) -> Digests:
        return await self._hash_file(self._object(sha256), sha256)

    async def delete(self, sha256: str) -> bool:
        return await self._run(delete_object, self._tmp, self._object(sha256))

    async def objects(self) -> AsyncIterator[str]:
        for folder in await self._run(sorted_names, self.root / "objects"):
            for sha256 in await self._run(sorted_names, self.root / "objects" / folder):
                yield sha256

    async def signed_url(self, sha256: str, file_name: str, lifetime_s: int = 300) -> str | None:  # noqa: ARG002
        """None: a file on a disk has no address of its own."""
        return None

    async def close(self) -> None:
        self._is_over.set()
        self._pool.shutdown(wait=True)

    async def _held(self, upload_id: UUID) -> list[HeldPart]:
        return await self._run(held_parts, self._tmp / str(upload_id))

    async def _join(self, folder: Path, parts: list[HeldPart], expected_sha256: str) -> Digests:
        """Copy the parts behind one another, hashing; the parts stay until the whole is named."""
        draft, hasher = Draft(folder), Hasher()
        try:
            for each in parts:
                try:
                    file = await self._run(io.FileIO, each.path)
                except FileNotFoundError:  # replaced or assembled by another process meanwhile
                    raise PartsMissing([each.part.number]) from None
                with file:
                    async for block in self._read(file, 0, each.part.size_bytes):
                        await self._run(_absorb, draft, hasher, block)
            digest = agree(hasher.digests(), expected_sha256)
            await self._land(await self._run(draft.seal), digest)
        finally:
            await self._run(draft.abandon)
        return digest

    async def _land(self, path: Path, digest: Digests) -> None:
        """Give a sealed file its object name; an object there already is read, and replaced if damaged."""
        final = self._object(digest.sha256)
        if await self._run(link_object, path, final):
            return
        with suppress(ObjectMissing):
            if await self._hash_file(final, digest.sha256) == digest:
                await self._run(fsync_folder, final.parent)
                return
        await self._run(replace_object, path, final)

    async def _hash_file(self, path: Path, sha256: str) -> Digests:
        try:
            file = await self._run(io.FileIO, path)
        except FileNotFoundError:
            raise ObjectMissing(f"No object {sha256}.") from None
        hasher = Hasher()
        with file:
            await self._run(forget_cached, file.fileno())
            async for block in self._read(file, 0, os.fstat(file.fileno()).st_size):
                await self._run(hasher.update, block)
        return hasher.digests()

    async def _read(self, file: io.FileIO, start_byte: int, stop_byte: int) -> AsyncIterator[bytes]:
        while start_byte < stop_byte:
            n_bytes = min(READ_BYTES, stop_byte - start_byte)
            block = await self._run(read_block, file.fileno(), start_byte, n_bytes)
            if len(block) < n_bytes:
                raise StoreUnavailable(
                    f"The file ends {n_bytes - len(block)} bytes early: it was truncated while being read."
                )
            start_byte += n_bytes
            yield block

    def _object(self, sha256: str) -> Path:
        return self.root / object_key(sha256)

    async def _run(self, function: Callable[..., T], /, *arguments: object) -> T:
        """On one of our threads; when we are cancelled, wait for it first, as it may still use an open file."""
        work = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        with disk_problems():
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                while not work.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([work])
                raise


def _absorb(draft: Draft, hasher: Hasher, block: bytes | bytearray) -> None:
    draft.write(block)
    hasher.update(block)
