"""The ONE client's tables, cached until something changes."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import pyarrow as pa

from cingulum.export.dataset_csv import digest_of, read_datasets, replace_sessions, sessions_of
from cingulum.export.one_tables import TableSession, ZippedTables, zip_tables
from libs.common.db import ReadSession
from libs.common.problem import NotFound
from libs.common.visibility import Visibility
from services.registry.models import TagRow
from services.registry.queries import cache_tables as queries
from services.registry.queries.cache_tables import Freshness
from services.registry.queries.vocabularies import exists_term

MOST = 8  # sets of tables in memory: those of a whole collaboration take some 100 MB
MOST_UNZIPPED = 2  # sets whose rows are in memory, too: 45 MB of 250,000 datasets
TRUSTED_S = 60.0  # then the rows are read again: not every change of a session is published


@dataclass(frozen=True)
class _Cached:
    freshness: Freshness
    read_at: float  # all rows
    digest: bytes
    tables: ZippedTables
    sessions: Sequence[TableSession]
    datasets: pa.Table | None


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
        key = visibility, tag
        async with self._lock:
            freshness, now = await queries.fetch_freshness(session), time.monotonic()
            cached = self._cached.get(key)
            is_old = cached is None or cached.read_at + TRUSTED_S < now
            if cached is None or is_old or cached.freshness != freshness:
                before = None if is_old else cached
                current = await _read_changed(session, visibility, tag, before, freshness)
                cached = current or await _read_all(session, visibility, tag, cached, freshness, now)
                self._cached[key] = cached
            self._cached.move_to_end(key)
            self._drop_oldest()
            return cached.tables

    def _drop_oldest(self) -> None:
        while len(self._cached) > MOST:
            self._cached.popitem(last=False)
        for key in list(self._cached)[:-MOST_UNZIPPED]:
            self._cached[key] = replace(self._cached[key], datasets=None)


async def _read_all(
    session: ReadSession,
    visibility: Visibility,
    tag: str | None,
    before: _Cached | None,
    freshness: Freshness,
    now: float,
) -> _Cached:
    sessions = await queries.fetch_cached_sessions(session, visibility, tag)
    rows = await queries.fetch_cached_datasets(session, visibility, tag)
    datasets = await asyncio.to_thread(read_datasets, rows)
    digest, tables = await asyncio.to_thread(_make, sessions, datasets, tag, before)
    return _Cached(freshness, now, digest, tables, sessions, datasets)


async def _read_changed(
    session: ReadSession,
    visibility: Visibility,
    tag: str | None,
    before: _Cached | None,
    freshness: Freshness,
) -> _Cached | None:
    """The tables with the sessions whose datasets have changed read again; None if all must be read."""
    if before is None or before.datasets is None:
        return None
    changed = await queries.find_changed_sessions(session, before.freshness, freshness)
    if changed is None:
        return None
    dataset_ids, session_ids = changed
    names = {str(session_id) for session_id in session_ids}
    names |= await asyncio.to_thread(sessions_of, before.datasets, [str(each) for each in dataset_ids])
    sessions = await queries.fetch_cached_sessions(session, visibility, tag)
    if _others(sessions, names) != _others(before.sessions, names):
        return None
    rows = await queries.fetch_cached_datasets(session, visibility, tag, {UUID(name) for name in names})
    datasets = await asyncio.to_thread(_replace, before.datasets, names, rows)
    digest, tables = await asyncio.to_thread(_make, sessions, datasets, tag, before)
    return _Cached(freshness, before.read_at, digest, tables, sessions, datasets)


def _others(sessions: Sequence[TableSession], names: Collection[str]) -> list[TableSession]:
    return [session for session in sessions if session.id not in names]


def _replace(datasets: pa.Table, names: Collection[str], rows: bytes) -> pa.Table:
    return replace_sessions(datasets, names, read_datasets(rows))


def _make(
    sessions: Sequence[TableSession], datasets: pa.Table, tag: str | None, before: _Cached | None
) -> tuple[bytes, ZippedTables]:
    digest = hashlib.sha256(repr(sessions).encode() + digest_of(datasets)).digest()
    if before is not None and before.digest == digest:
        return digest, before.tables
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return digest, zip_tables(sessions, datasets, now, tag)
