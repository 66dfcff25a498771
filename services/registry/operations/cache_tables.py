"""The ONE client's tables, cached until something changes."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cingulum.export.dataset_csv import digest_of, read_datasets
from cingulum.export.one_tables import TableSession, ZippedTables, zip_tables
from libs.common.db import ReadSession
from libs.common.problem import NotFound
from libs.common.visibility import Visibility
from services.registry.models import TagRow
from services.registry.queries import cache_tables as queries
from services.registry.queries.cache_tables import Freshness
from services.registry.queries.vocabularies import exists_term

MOST = 8  # sets of tables in memory: those of a whole collaboration take some 100 MB
TRUSTED_S = 60.0  # then the rows are read again: not every change of a session is published


@dataclass
class _Cached:
    freshness: Freshness
    checked_at: float
    digest: bytes
    tables: ZippedTables


class CacheTables:
    """The tables of recent callers; all who may see the same share them."""

    def __init__(self) -> None:
        self._cached: OrderedDict[tuple[Visibility, str | None], _Cached] = OrderedDict()
        self._lock = asyncio.Lock()

    async def fetch(
        self, session: ReadSession, visibility: Visibility, tag: str | None = None
    ) -> ZippedTables:
        """The current tables; the same object as before if their rows are. Raises NotFound for an unknown tag."""
        if tag is not None and not await exists_term(session, TagRow, tag):
            raise NotFound(f"There is no tag '{tag}'.")
        async with self._lock:
            freshness, now = await queries.fetch_freshness(session), time.monotonic()
            cached = self._cached.get((visibility, tag))
            if cached is None or cached.freshness != freshness or cached.checked_at + TRUSTED_S < now:
                sessions = await queries.fetch_cached_sessions(session, visibility, tag)
                datasets = await queries.fetch_cached_datasets(session, visibility, tag)
                digest, tables = await asyncio.to_thread(_make, sessions, datasets, tag, cached)
                cached = self._cached[visibility, tag] = _Cached(freshness, now, digest, tables)
            self._cached.move_to_end((visibility, tag))
            while len(self._cached) > MOST:
                self._cached.popitem(last=False)
            return cached.tables


def _make(
    sessions: Sequence[TableSession],
    datasets_csv: bytes,
    tag: str | None,
    before: _Cached | None,
) -> tuple[bytes, ZippedTables]:
    datasets = read_datasets(datasets_csv)
    digest = hashlib.sha256(repr(sessions).encode() + digest_of(datasets)).digest()
    if before is not None and before.digest == digest:
        return digest, before.tables
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return digest, zip_tables(sessions, datasets, now, tag)
