"""Record who read files of releases: counted in memory, written in batches."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from libs.common.db import ReadSession
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.permissions import Principal
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_files import ReleaseRead
from libs.common.visibility import Visibility
from services.registry.domain.release_reads import Read
from services.registry.operations.releases import check_may_release
from services.registry.queries import release_reads as queries
from services.registry.queries import releases as release_queries

EVERY_S: Final = 1.0
DELETE_EVERY_S: Final = 3_600.0


class ReadLog:
    """Reads that are not written yet. A process that is killed loses those of its last second."""

    def __init__(self) -> None:
        self._counts: Counter[Read] = Counter()

    def add(self, reads: Iterable[Read]) -> None:
        """Count reads once each."""
        self._counts.update(reads)

    async def write(self, writer: Writer) -> None:
        """Write what was counted; it is counted still if that fails. Raises DATABASE_ERRORS."""
        counts, self._counts = self._counts, Counter()
        is_written = not counts
        try:
            if counts:
                async with writer.begin() as tx:
                    await queries.insert_reads(tx.session, counts)
                is_written = True
        finally:
            if not is_written:
                self._counts.update(counts)


async def keep_log(log: ReadLog, writer: Writer, days: int) -> None:
    """Write again and again what was read, and delete what is too old, until cancelled."""
    deleted_at = -DELETE_EVERY_S
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await log.write(writer)
            if time.monotonic() - deleted_at > DELETE_EVERY_S:
                async with writer.begin() as tx:
                    await queries.delete_reads(tx.session, days)
                deleted_at = time.monotonic()
        except DATABASE_ERRORS as error:
            logger("registry").info("the log of reads waits for the database", error=str(error))


async def list_reads(
    session: ReadSession, by: Principal, visibility: Visibility, name: str, paging: PageRequest
) -> tuple[int, list[ReleaseRead]]:
    """Who read files of a release, for those who may release it. Raises NotFound, Forbidden."""
    release_id, _ = await release_queries.fetch_draft(session, visibility, name)
    await check_may_release(session, by, release_id)
    return await queries.list_reads(session, release_id, paging)
