"""The bytes of a zip, from any byte on: what is sent, and the checksums that it needs."""

from __future__ import annotations

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Final

from cingulum.export.layout import Checksum, Content, Directory, Literal
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.problem import TooManyRequests
from libs.common.storage import ObjectMissing, Store
from services.registry.domain.exports import refusal
from services.registry.operations.exports import ZipToSend
from services.registry.operations.zip_contents import ZippedFile
from services.registry.queries.exports import find_checksum, insert_checksums

PIECE_BYTES: Final = 1 << 20  # small records are sent together with what follows
STORED_EVERY_S: Final = 2.0
MOST_STATS: Final = (
    64  # a whole zip has thousands of objects: a later one that is lost breaks the response off
)
MOST_COMPUTED: Final = 2  # objects that are read for their checksums alone, at once
CHECK_EVERY_S: Final = 60.0
TRUSTED_S: Final = 300.0  # while the database does not respond


class DamagedObject(Exception):
    """An object of the store has other bytes than its SHA-256 says: the response is broken off."""


class _Reading:
    """CRC-32 of bytes that must have a SHA-256."""

    def __init__(self) -> None:
        self._crc32, self._sha256 = 0, hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        self._crc32 = zlib.crc32(chunk, self._crc32)
        self._sha256.update(chunk)

    def crc32_of(self, sha256: str) -> int:
        """The CRC-32, which may be remembered; raises DamagedObject, so that a wrong one never is."""
        if self._sha256.hexdigest() != sha256:
            logger("registry").error("an object of the store is damaged", sha256=sha256)
            raise DamagedObject(f"the object {sha256} has other bytes")
        return self._crc32


class Checksums:
    """CRC-32 of objects of the store: remembered by SHA-256, computed once where they are not known.

    A few at once: a caller without an account could otherwise have all objects of a public release read in parallel.
    """

    def __init__(self, most: int = MOST_COMPUTED) -> None:
        self._computing: dict[str, asyncio.Task[int]] = {}
        self._slots = asyncio.Semaphore(most)

    async def compute(self, store: Store, writer: Writer, sha256: str) -> int:
        """Read an object. Several callers wait for one read, which continues when they leave.

        A caller that leaves before its read begins leaves nothing behind.
        """
        if sha256 not in self._computing:
            await self._slots.acquire()
            if sha256 in self._computing:
                self._slots.release()
            else:
                self._begin(store, writer, sha256)
        return await asyncio.shield(self._computing[sha256])

    def _begin(self, store: Store, writer: Writer, sha256: str) -> None:
        task = asyncio.create_task(self._compute(store, writer, sha256))
        self._computing[sha256] = task

        def end(_: asyncio.Task[int]) -> None:
            del self._computing[sha256]
            self._slots.release()

        task.add_done_callback(end)

    async def _compute(self, store: Store, writer: Writer, sha256: str) -> int:
        async with writer.begin() as tx:
            known = await find_checksum(tx.session, sha256)
        if known is not None:  # a response or another process has computed it meanwhile
            return known
        reading = _Reading()
        async with store.open(sha256) as stream:
            async for chunk in stream.chunks:
                await asyncio.to_thread(reading.update, chunk)
        crc32 = reading.crc32_of(sha256)
        await remember(writer, {sha256: crc32})
        return crc32

    async def close(self) -> None:
        """Cancel what is still computed."""
        tasks = list(self._computing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def remember(writer: Writer, crc32s: dict[str, int]) -> None:
    """Store checksums, if there are any."""
    if crc32s:
        async with writer.begin() as tx:
            await insert_checksums(tx.session, crc32s)


class ZipStream:
    """One response with bytes of a zip; `record` is called with each file whose bytes begin to be sent."""

    def __init__(
        self,
        zip_: ZipToSend,
        store: Store,
        checksums: Checksums,
        writer: Writer,
        record: Callable[[ZippedFile], None] = lambda _: None,
    ) -> None:
        self._zip, self._contents = zip_, zip_.contents
        self._store, self._checksums, self._writer = store, checksums, writer
        self._record = record
        self._new: dict[str, int] = {}
        self._stored_at = self._checked_at = self._tried_at = time.monotonic()

    async def check_objects(self, start: int, stop: int) -> None:
        """Raise ExportIncomplete if one of the first objects of which bytes would be sent is not in the store."""
        n_documents = len(self._contents.documents)
        spans = (span for span in self._contents.layout.spans(start, stop) if isinstance(span, Content))
        files = (self._contents.file(span.index) for span in spans if span.index >= n_documents)
        first = list(islice(files, MOST_STATS))
        are_missing = await asyncio.gather(*(self._is_missing(file.sha256) for file in first))
        lost = [file.path for file, is_missing in zip(first, are_missing, strict=True) if is_missing]
        if lost:
            raise refusal(0, len(lost), lost)

    async def _is_missing(self, sha256: str) -> bool:
        try:
            await self._store.stat(sha256)
        except ObjectMissing:
            return True
        return False

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to `stop`, in pieces of a megabyte or more but for the last."""
        waiting: list[bytes] = []
        n_waiting = 0
        async for data in self._bytes(start, stop):
            if time.monotonic() - self._tried_at > CHECK_EVERY_S:
                await self._check_again()
            waiting.append(data)
            n_waiting += len(data)
            if n_waiting >= PIECE_BYTES:
                yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
                waiting, n_waiting = [], 0
        if waiting:
            yield b"".join(waiting)
        await self._store_new()

    async def _check_again(self) -> None:
        """Raise a Problem, which breaks the response off, once its caller may not have all files any more."""
        self._tried_at = time.monotonic()
        try:
            await self._zip.check()
        except (*DATABASE_ERRORS, TooManyRequests) as error:
            if self._tried_at - self._checked_at > TRUSTED_S:
                raise
            logger("registry").info("a download is checked later", error=str(error))
        else:
            self._checked_at = self._tried_at

    async def _bytes(self, start: int, stop: int) -> AsyncIterator[bytes]:
        contents = self._contents
        for span in contents.layout.spans(start, stop):
            match span:
                case Literal(data):
                    yield data
                case Content(index) if index < len(contents.documents):
                    yield contents.documents[index][span.start : span.stop]
                case Content():
                    async for chunk in self._content(span):
                        yield chunk
                case Checksum(index):
                    yield contents.layout.checksum(span, await self._crc32(index))
                case Directory():
                    crc32s = [await self._crc32(index) for index in range(len(contents.crc32s))]
                    yield (await contents.directory(crc32s))[span.start : span.stop]

    async def _content(self, span: Content) -> AsyncIterator[bytes]:
        """Bytes of a file of the store; if they are all of it, also its checksum."""
        file, crc32s = self._contents.file(span.index), self._contents.crc32s
        is_counted = span.start == 0 and span.stop == file.size_bytes and crc32s[span.index] is None
        reading, n_bytes = _Reading(), 0
        async with self._store.open(file.sha256, span.start, span.stop) as stream:
            self._record(file)
            async for chunk in stream.chunks:
                n_bytes += len(chunk)
                if is_counted:
                    await asyncio.to_thread(reading.update, chunk)
                yield chunk
        if n_bytes != span.stop - span.start:
            logger("registry").error("an object of the store is too short", sha256=file.sha256)
            raise DamagedObject(f"{n_bytes} bytes of the object {file.sha256} were read")
        if is_counted:
            crc32s[span.index] = self._new[file.sha256] = reading.crc32_of(file.sha256)
            if time.monotonic() - self._stored_at > STORED_EVERY_S:
                await self._store_new()

    async def _crc32(self, index: int) -> int:
        """The checksum of the file at a place of the layout."""
        known = self._contents.crc32s[index]
        if known is None:
            file = self._contents.file(index)
            known = self._new.get(file.sha256) if file.size_bytes else 0
            if known is None:
                known = await self._checksums.compute(self._store, self._writer, file.sha256)
            self._contents.crc32s[index] = known
        return known

    async def _store_new(self) -> None:
        new, self._new = self._new, {}
        await remember(self._writer, new)
        self._stored_at = time.monotonic()
