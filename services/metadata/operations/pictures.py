"""Pictures of notes: decoded in a thread, and stored by their hash before the note that shows them.

A row announces a picture, then its bytes are stored, then a note refers to both. A crash in between leaves a picture
that no note has, which is removed a month later; a note never refers to bytes that are not on stable storage.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cingulum.digests import hash_bytes
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.problem import TooManyRequests
from libs.common.storage import StorageProblem, Store
from services.metadata.domain.pictures import Picture, make_picture
from services.metadata.queries import pictures as queries

RETRY_AFTER_S: Final = 2


class PictureQueueFull(TooManyRequests):
    """More pictures than the queue holds wait to be decoded."""

    slug = "pictures-wait"
    detail = "Too many pictures are being decoded now: try again in a moment."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})


def _decoded(data: bytes, width: int | None) -> tuple[Picture, str]:
    picture = make_picture(data, width)
    return picture, hash_bytes(picture.data).sha256


@dataclass(frozen=True)
class StoredPicture:
    """A picture in the store: the name of the file that was sent, and what it became."""

    file_name: str
    sha256: str
    extension: str


class Pictures:
    """The store of pictures. One picture is decoded at a time, as each may take 240 MB of memory."""

    def __init__(self, writer: Writer, store: Store, queue: int) -> None:
        self.store = store
        self._writer = writer
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._places = threading.Semaphore(queue + 1)

    async def add(self, data: bytes, file_name: str, width: int | None) -> StoredPicture:
        """Store a picture that a client sent. Raises BadRequest and PictureQueueFull."""
        picture, sha256 = await self._decode(data, width)
        async with self._writer.begin() as tx:
            await queries.announce_picture(tx.session, sha256)
        await self.store.put(picture.data, sha256)
        return StoredPicture(file_name, sha256, picture.extension)

    async def _decode(self, data: bytes, width: int | None) -> tuple[Picture, str]:
        if not self._places.acquire(blocking=False):
            raise PictureQueueFull
        future = self._executor.submit(_decoded, data, width)
        future.add_done_callback(lambda _: self._places.release())  # also if the caller has gone
        return await asyncio.wrap_future(future)

    async def sweep(self, every_s: float) -> None:
        """Remove pictures that no note has, again and again."""
        while True:
            try:
                await self.remove_unused()
            except (StorageProblem, *DATABASE_ERRORS) as error:
                logger("pictures").info("retried later", error=str(error))
            await asyncio.sleep(every_s)

    async def remove_unused(self) -> int:
        """Remove pictures that no note has and that were neither sent nor shown for a month; returns how many."""
        n_removed = 0
        while True:
            async with self._writer.begin() as tx:
                sha256 = await queries.find_and_lock_unused_picture(tx.session)
                if sha256 is None:
                    return n_removed
                # The row goes last: until it does, no other request announces this picture.
                await self.store.delete(sha256)
                await queries.delete_picture(tx.session, sha256)
            n_removed += 1

    async def close(self) -> None:
        """End the thread, and close the store."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        await self.store.close()
