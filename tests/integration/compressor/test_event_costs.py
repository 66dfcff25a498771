"""What an event costs compressor: a read by id, and for a recording also the session's files of its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.db import Database, Transaction
from libs.common.db.tables import infrastructure
from libs.common.db.transaction import Writer
from libs.common.events import CopyVerified
from services.compressor.events import handlers_with
from services.compressor.models import Base, RecordingRow
from services.compressor.queries.indexing import (
    insert_all_pending,
    list_pending_recordings,
    update_unreadable,
)
from tests.support.lab import laboratory
from tests.support.recordings import STEM, a_recording
from tests.support.slices import verified
from tests.support.system import Cingulum

OTHERS = 20_000  # each has a row in two tables; types and formats are a hundred more


async def many_others(cingulum: Cingulum, dataset_id: UUID) -> None:
    """Datasets of other sessions with verified copies."""
    connection = await asyncpg.connect(cingulum.admin_url)
    await connection.execute(
        f"""
        INSERT INTO registry.datasets
        SELECT (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'session_id', gen_random_uuid(),
            'name', CASE WHEN n % 2 = 0 THEN d.name ELSE 'spikes.times.npy' END))).*
        FROM registry.datasets d, generate_series(1, {OTHERS}) n WHERE d.id = '{dataset_id}';
        INSERT INTO registry.versions
        SELECT (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(), 'dataset_id', d.id))).*
        FROM registry.versions v JOIN registry.datasets d ON d.id <> v.dataset_id
        WHERE v.dataset_id = '{dataset_id}'
            AND NOT EXISTS (SELECT FROM registry.versions o WHERE o.dataset_id = d.id);
        ANALYZE registry.datasets; ANALYZE registry.versions; ANALYZE registry.copies;
        """
    )
    await connection.close()


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows of tables a plan has read."""
    is_scan = "Scan" in plan["Node Type"] and "Relation Name" in plan
    per_loop = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if is_scan else 0
    n_rows = round(float(per_loop) * float(plan["Actual Loops"]))
    return n_rows + sum(map(rows_read, plan.get("Plans", [])))


class WatchedHandler:
    """The handler of CopyVerified, its statements, and how many rows they read."""

    def __init__(self, cingulum: Cingulum) -> None:
        # Without the service's loops: only the cost of the event is measured.
        self.database = Database(cingulum.environment["CINGULUM_COMPRESSOR_DATABASE_URL"], Service.COMPRESSOR)
        cingulum.stack.push_async_callback(self.database.close)
        self.writer = Writer(self.database, infrastructure(Base.metadata), lambda: None)
        self.handlers = handlers_with(lambda: None).by_subject
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def handle(self, dataset_id: UUID) -> int:
        """Handle the event; how many rows its statements read."""
        event = CopyVerified(dataset_id=dataset_id, copy_id=uuid4(), session_id=None, sha256="ab" * 32)
        return await self._rows_read_by(lambda tx: self.handlers[CopyVerified.subject](tx, event))

    async def search(self) -> int:
        """Search for recordings that no event announced; how many rows that reads."""
        return await self._rows_read_by(lambda tx: insert_all_pending(tx.session))

    async def _rows_read_by(self, act: Callable[[Transaction], Awaitable[None]]) -> int:
        self.statements = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            self.statements.append((statement, tuple(parameters)))

        engine = self.database.writing.sync_engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            async with self.writer.begin() as tx:
                await act(tx)
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        n_rows = 0
        async with self.database.begin() as session:
            connection = await session.connection()
            for statement, parameters in self.statements:
                explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                plan = (await connection.exec_driver_sql(explained, parameters)).scalar_one()
                n_rows += rows_read(plan[0]["Plan"])
            await session.rollback()
        return n_rows


@pytest.mark.parametrize("suffix", ["cbin", "cgl"])
async def test_an_event_reads_the_files_it_concerns_and_not_all(
    cingulum: Cingulum, tmp_path: Path, suffix: str
) -> None:
    lab = await laboratory(cingulum)
    recording = a_recording(tmp_path / "made", suffix=suffix)
    ids = await verified(cingulum, lab, {**recording.files, "spikes.times.npy": b"not a recording"})
    await many_others(cingulum, ids[recording.packed])
    handler = WatchedHandler(cingulum)

    assert await handler.handle(ids["spikes.times.npy"]) < 500
    assert len(handler.statements) == 1  # its name, by its id
    for name, dataset_id in ids.items():
        assert await handler.handle(dataset_id) < 1_000, name
    async with handler.database.read() as session:
        dataset_ids = set(await session.scalars(sa.select(RecordingRow.dataset_id)))
    assert ids[recording.packed] in dataset_ids
    assert {f"{STEM}.{suffix}"} == {recording.packed}


async def test_a_search_looks_up_companions_of_verified_recordings_alone(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    recording = a_recording(tmp_path / "made")
    ids = await verified(cingulum, await laboratory(cingulum), recording.files)
    await many_others(cingulum, ids[recording.packed])
    handler = WatchedHandler(cingulum)
    assert await handler.search() < 3 * OTHERS
    async with handler.database.read() as session:
        assert [row.dataset_id for row in await list_pending_recordings(session)] == [ids[recording.packed]]


async def test_a_result_is_not_written_after_its_companions_changed(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    recording = a_recording(tmp_path / "made")
    ids = await verified(cingulum, await laboratory(cingulum), recording.files)
    handler = WatchedHandler(cingulum)
    await handler.handle(ids[recording.packed])
    async with handler.writer.begin() as tx:
        [before] = await list_pending_recordings(tx.session)
        changing = sa.update(RecordingRow).values(meta_sha256="cd" * 32)
        await tx.session.execute(changing.execution_options(synchronize_session="fetch"))
        assert not await update_unreadable(tx.session, before, "broken")
        [after] = await list_pending_recordings(tx.session)
        assert await update_unreadable(tx.session, after, "broken")
