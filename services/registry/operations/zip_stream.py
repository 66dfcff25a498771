"""The bytes of a zip, from any byte on: what is sent, and the checksums that it needs."""

from __future__ import annotations

import asyncio
import hashlib
import time
import zlib
from collections.abc import AsyncIterator
from typing import Final

from cingulum.export.layout import Checksum, Content, Directory, Literal
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.storage import ObjectMissing, Store
from services.registry.domain.exports import refusal
from services.registry.operations.exports import ZipToSend
from services.registry.queries.exports import insert_checksums

PIECE_BYTES: Final = 1 << 20  # small records are sent together with what follows
STORED_EVERY_S: Final = 2.0
STATS_AT_ONCE: Final = 64


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
    """CRC-32 of objects of the store: remembered by SHA-256, computed once where they are not known."""

    def __init__(self) -> None:
        self._computing: dict[str, asyncio.Task[int]] = {}

    async def compute(self, store: Store, writer: Writer, sha256: str) -> int:
        """Read an object. Several callers wait for one read, which continues when they leave."""
        if sha256 not in self._computing:
            task = asyncio.create_task(self._compute(store, writer, sha256))
            self._computing[sha256] = task
            task.add_done_callback(lambda _: self._computing.pop(sha256, None))
        return await asyncio.shield(self._computing[sha256])

    async def _compute(self, store: Store, writer: Writer, sha256: str) -> int:
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
    """One response with bytes of a zip."""

    def __init__(self, zip_: ZipToSend, store: Store, checksums: Checksums, writer: Writer) -> None:
        self._zip = zip_
        self._store, self._checksums, self._writer = store, checksums, writer
        documents = list(zip_.documents.values())
        self._documents = documents
        self._crc32s: list[int | None] = [zlib.crc32(data) for data in documents]
        self._crc32s += [file.crc32 for file in zip_.files]
        self._new: dict[str, int] = {}
        self._stored_at = time.monotonic()

    async def check_objects(self, start: int, stop: int) -> None:
        """Raise ExportIncomplete if an object of which bytes would be sent is not in the store."""
        paths = {
            self._sha256(span.index): self._zip.layout.entries[span.index].path
            for span in self._zip.layout.spans(start, stop)
            if isinstance(span, Content) and span.index >= len(self._documents)
        }
        hashes = list(paths)
        for at in range(0, len(hashes), STATS_AT_ONCE):
            batch = hashes[at : at + STATS_AT_ONCE]
            lost = [sha256 for sha256 in await asyncio.gather(*map(self._missing, batch)) if sha256]
            if lost:
                raise refusal(0, [paths[sha256] for sha256 in lost])

    async def _missing(self, sha256: str) -> str | None:
        try:
            await self._store.stat(sha256)
        except ObjectMissing:
            return sha256
        return None

    async def pieces(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to `stop`, in pieces of a megabyte or more but for the last."""
        waiting: list[bytes] = []
        n_waiting = 0
        async for data in self._bytes(start, stop):
            waiting.append(data)
            n_waiting += len(data)
            if n_waiting >= PIECE_BYTES:
                yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
                waiting, n_waiting = [], 0
        if waiting:
            yield b"".join(waiting)
        await self._store_new()

    async def _bytes(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for span in self._zip.layout.spans(start, stop):
            match span:
                case Literal(data):
                    yield data
                case Content(index) if index < len(self._documents):
                    yield self._documents[index][span.start : span.stop]
                case Content():
                    async for chunk in self._content(span):
                        yield chunk
                case Checksum(index):
                    yield self._zip.layout.checksum(span, await self._crc32(index))
                case Directory():
                    indexes = range(len(self._crc32s))
                    yield self._zip.layout.directory(span, [await self._crc32(index) for index in indexes])

    async def _content(self, span: Content) -> AsyncIterator[bytes]:
        """Bytes of a file of the store; if they are all of it, also its checksum."""
        size_bytes = self._zip.layout.entries[span.index].size_bytes
        is_whole = span.start == 0 and span.stop == size_bytes
        is_counted = is_whole and self._crc32s[span.index] is None
        sha256, reading = self._sha256(span.index), _Reading()
        async with self._store.open(sha256, span.start, span.stop) as stream:
            async for chunk in stream.chunks:
                if is_counted:
                    await asyncio.to_thread(reading.update, chunk)
                yield chunk
        if is_counted:
            self._crc32s[span.index] = self._new[sha256] = reading.crc32_of(sha256)
            if time.monotonic() - self._stored_at > STORED_EVERY_S:
                await self._store_new()

    async def _crc32(self, index: int) -> int:
        """The checksum of the file at a place of the layout."""
        known = self._crc32s[index]
        if known is None:
            sha256 = self._sha256(index)
            known = self._new.get(sha256) if self._zip.layout.entries[index].size_bytes else 0
            if known is None:
                known = await self._checksums.compute(self._store, self._writer, sha256)
            self._crc32s[index] = known
        return known

    async def _store_new(self) -> None:
        new, self._new = self._new, {}
        await remember(self._writer, new)
        self._stored_at = time.monotonic()

    def _sha256(self, index: int) -> str:
        return self._zip.files[index - len(self._documents)].sha256
