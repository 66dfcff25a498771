"""Cache tables, kept while nothing has changed."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.problem import NotFound
from libs.common.visibility import Visibility
from services.registry.operations.parquet_tables import Tables, cache_tables
from services.registry.queries import cache_tables as queries

MOST = 8  # sets of tables in memory: a whole collaboration's take some 100 MB
TRUSTED_S = 60.0  # then the rows are looked at again: not every change of a session is told


@dataclass
class _Kept:
    newest: queries.Facts
    looked_at: float
    digest: bytes
    tables: Tables


class KeptTables:
    """The tables of the last callers; all who see the same share them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Visibility, str | None], _Kept] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def of(self, read: AsyncSession, seen: Visibility, tag: str | None = None) -> Tables:
        """The tables as they are now; the same as before if their rows are. Raises NotFound for an unknown tag."""
        if tag is not None and not await queries.tag_exists(read, tag):
            raise NotFound(f"There is no tag '{tag}'.")
        async with self._one_at_a_time:
            newest, now = await queries.newest_facts(read), time.monotonic()
            before = self._kept.get((seen, tag))
            if before is None or before.newest != newest or before.looked_at + TRUSTED_S < now:
                sessions = await queries.sessions(read, seen, tag)
                datasets = await queries.datasets(read, seen, tag)
                made = await asyncio.to_thread(_make, sessions, datasets, tag, before)
                before = self._kept[seen, tag] = _Kept(newest, now, *made)
            self._kept.move_to_end((seen, tag))
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return before.tables


def _make(
    sessions: Sequence[Any], datasets: Sequence[Any], tag: str | None, before: _Kept | None
) -> tuple[bytes, Tables]:
    digest = hashlib.sha256(repr((sessions, datasets)).encode()).digest()
    if before is not None and before.digest == digest:
        return digest, before.tables
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return digest, cache_tables(sessions, datasets, now, tag)
