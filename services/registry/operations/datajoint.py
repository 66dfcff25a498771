"""Fills the tables that DataJoint clients read: a comparison with their sources, every few seconds.

Sessions, animals and insertions are compared each time, since not every change of theirs is published. Datasets, of
which there are many more, are compared where an event or a changed session says so, and all of them once an hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.db.transaction import Writer
from libs.common.observability import logger
from libs.common.storage import ObjectMissing
from services.registry.domain.datajoint import MOST_BYTES, UnreadableResult, result_rows
from services.registry.operations.central_store import CentralStore
from services.registry.queries import datajoint as queries
from services.registry.queries import datajoint_values as values
from services.registry.queries.datajoint_values import ResultFile

WHOLE_EVERY: Final = timedelta(hours=1)
LATE_COMMIT: Final = timedelta(minutes=10)  # a transaction may commit long after it inserted its event
SESSIONS: Final = 200  # whose datasets are compared in one transaction
SHARE: Final = 20  # of the time at most a twentieth is spent here, apart from the comparison of all datasets


async def keep_tables(writer: Writer, central: CentralStore, every_s: float) -> None:
    """Compare again and again, until cancelled."""
    pause_s = every_s
    while True:
        await asyncio.sleep(pause_s)
        began, is_whole = time.monotonic(), False
        try:
            is_whole = await update_tables(writer, central)
        except DATABASE_ERRORS as error:
            logger("registry").info("the tables of DataJoint wait for the database", error=str(error))
        pause_s = every_s if is_whole else max(every_s, SHARE * (time.monotonic() - began))


async def update_tables(writer: Writer, central: CentralStore) -> bool:
    """Bring all tables to what their sources are now, unless another replica is doing so. Raises DATABASE_ERRORS.

    Whether all datasets were compared, which takes much longer.
    """
    await _read_results(writer, central)
    began = datetime.now(UTC)
    async with writer.begin() as tx:
        if not await queries.lock_comparison(tx.session):
            return False
        compared_at = await queries.find_compared_at(tx.session)
        is_whole = compared_at is None or compared_at < began - WHOLE_EVERY
        changed = await _update_sessions(tx)
        keys: Collection[str] = await queries.fetch_session_keys(tx.session) if is_whole else changed
        await _update_datasets(tx, [*keys][:SESSIONS])
    for start in range(SESSIONS, len(keys), SESSIONS):
        async with writer.begin() as tx:
            await _update_datasets(tx, [*keys][start : start + SESSIONS])
    await _follow_events(writer, (compared_at or began) - LATE_COMMIT)
    async with writer.begin() as tx:
        await queries.lock_comparison(tx.session)
        for name in queries.RESULTS:
            await queries.update_results(tx.session, name)
        if await queries.update_releases(tx.session) or is_whole:
            await queries.update_release_datasets(tx.session)
        if is_whole:
            await queries.update_compared_at(tx.session, began)
    return is_whole


async def _update_sessions(tx: Transaction) -> set[str]:
    await queries.update_subjects(tx.session)
    changed = await queries.update_sessions(tx.session)
    await queries.update_insertions(tx.session)
    return changed


async def _update_datasets(tx: Transaction, session_keys: Collection[str]) -> None:
    if session_keys:
        await queries.lock_comparison(tx.session)
        await queries.update_datasets(tx.session, session_keys)


async def _follow_events(writer: Writer, since: datetime) -> None:
    """Compare the datasets of sessions that events name, a batch in one transaction."""
    while True:
        async with writer.begin() as tx:
            n_events, session_ids = await values.fetch_changed_sessions(tx, since)
            await _update_datasets(tx, await queries.fetch_keys_of_sessions(tx.session, session_ids))
        if n_events < values.EVENTS:
            return


async def _read_results(writer: Writer, central: CentralStore) -> None:
    """Read JSON files of analyses that were never read. One that is missing in the store is tried again next time."""
    after = UUID(int=0)
    while True:
        async with writer.database.read_long() as session:
            files = await values.fetch_unread_results(session, after)
        for file in files:
            await _read_result(writer, central, file)
        if len(files) < values.FILES:
            return
        after = files[-1].version_id


async def _read_result(writer: Writer, central: CentralStore, file: ResultFile) -> None:
    rows, problem = None, None
    try:
        rows = result_rows(file.name, await _read(central, file))
    except ObjectMissing:
        logger("registry").warning("a result is missing in the store", name=file.name, sha256=file.sha256)
        return
    except UnreadableResult as error:
        problem = str(error)
        logger("registry").warning("a result is not as its task writes it", name=file.name, why=problem)
    async with writer.begin() as tx:
        await values.insert_value(tx.session, file.version_id, rows, problem)


async def _read(central: CentralStore, file: ResultFile) -> bytes:
    if file.size_bytes > MOST_BYTES:
        raise UnreadableResult(f"it has {file.size_bytes} bytes")
    async with central.store.open(file.sha256) as reading:
        return b"".join([chunk async for chunk in reading.chunks])
