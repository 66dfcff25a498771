"""What a verified copy costs compressor: a look by id; of a recording also the session's files of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.db import Database
from libs.common.db.tables import infrastructure
from libs.common.db.transaction import Writer
from libs.common.events import CopyVerified
from services.compressor import queries
from services.compressor.events import copy_verified
from services.compressor.models import Base, RecordingRow
from tests.support.lab import laboratory
from tests.support.recordings import STEM, a_recording
from tests.support.slices import verified
from tests.support.system import Cingulum

OTHERS = 20_000  # each has a row in two tables; types and formats are a hundred more, read or not


async def many_others(cingulum: Cingulum, dataset_id: UUID) -> None:
    """Datasets of other sessions, each as proved as this one."""
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
    """How many rows of tables a plan has looked at."""
    scans = "Scan" in plan["Node Type"] and "Relation Name" in plan
    looked = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) if scans else 0
    here = round(float(looked) * float(plan["Actual Loops"]))
    return here + sum(map(rows_read, plan.get("Plans", [])))


class Watched:
    """What the handler of one event asks of the database, and how many rows that reads."""

    def __init__(self, cingulum: Cingulum) -> None:
        # Without the service's loops: only what the event costs is seen.
        self.database = Database(cingulum.environment["CINGULUM_COMPRESSOR_DATABASE_URL"], Service.COMPRESSOR)
        cingulum.stack.push_async_callback(self.database.close)
        self.writer = Writer(self.database, infrastructure(Base.metadata), lambda: None)
        self.statements: list[tuple[str, tuple[Any, ...]]] = []

    async def hear(self, dataset_id: UUID) -> int:
        """Handle the event; the rows that its statements read."""
        self.statements = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            self.statements.append((statement, tuple(parameters)))

        engine = self.database.writing.sync_engine
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            async with self.writer.begin() as tx:
                event = CopyVerified(
                    dataset_id=dataset_id, copy_id=uuid4(), session_id=None, sha256="ab" * 32
                )
                await copy_verified(tx, event)
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        read = 0
        async with self.database.begin() as session:
            connection = await session.connection()
            for statement, parameters in self.statements:
                explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                plan = (await connection.exec_driver_sql(explained, parameters)).scalar_one()
                read += rows_read(plan[0]["Plan"])
            await session.rollback()
        return read


@pytest.mark.parametrize("suffix", ["cbin", "cgl"])
async def test_an_event_reads_the_files_it_concerns_and_not_all(
    cingulum: Cingulum, tmp_path: Path, suffix: str
) -> None:
    lab = await laboratory(cingulum)
    recording = a_recording(tmp_path / "made", suffix=suffix)
    ids = await verified(cingulum, lab, {**recording.files, "spikes.times.npy": b"no recording"})
    await many_others(cingulum, ids[recording.packed])
    watched = Watched(cingulum)

    assert await watched.hear(ids["spikes.times.npy"]) < 500
    assert len(watched.statements) == 1  # its name, by its id
    for name, dataset_id in ids.items():
        assert await watched.hear(dataset_id) < 1_000, name
    async with watched.database.read() as read:
        wanted = set(await read.scalars(sa.select(RecordingRow.dataset_id)))
    assert ids[recording.packed] in wanted
    assert {f"{STEM}.{suffix}"} == {recording.packed}


async def test_what_was_found_is_not_written_over_companions_that_came_meanwhile(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    recording = a_recording(tmp_path / "made")
    ids = await verified(cingulum, await laboratory(cingulum), recording.files)
    watched = Watched(cingulum)
    await watched.hear(ids[recording.packed])
    async with watched.writer.begin() as tx:
        [row] = await queries.wanted(tx.session)
        tx.session.expunge(row)
        await tx.session.execute(sa.update(RecordingRow).values(meta_sha256="cd" * 32))
        assert not await queries.write(tx.session, row, {"ratio": 2.0})
        [row] = await queries.wanted(tx.session)
        assert await queries.write(tx.session, row, {"ratio": 2.0})
