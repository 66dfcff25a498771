"""Sessions that have jobs, and workers that ask for them."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg

from libs.common.testing import Callers, Running
from tests.support.system import Cingulum


async def a_session_with_trials(cingulum: Cingulum, callers: Callers, sha256: str = "ab" * 32) -> UUID:
    """A session whose trials table was read and has a verified copy, written as its owners would."""
    session, subject, dataset = uuid4(), uuid4(), uuid4()
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute(
            f"""
            INSERT INTO metadata.labs (id, name) VALUES ('{callers.lab_id}', 'hilllab') ON CONFLICT DO NOTHING;
            INSERT INTO metadata.subjects (id, nickname, lab_id) VALUES ('{subject}', 'm{subject.hex[:6]}',
                '{callers.lab_id}');
            INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)
                VALUES ('{session}', 'session', '{subject}', '{callers.lab_id}', '2020-08-21T00:00:00',
                '2020-08-21', '2020-08-21', 1);
            INSERT INTO registry.dataset_types (id, name) VALUES (gen_random_uuid(), 'trials.table')
                ON CONFLICT DO NOTHING;
            INSERT INTO registry.formats (id, name) VALUES (gen_random_uuid(), 'pqt') ON CONFLICT DO NOTHING;
            INSERT INTO registry.repositories (id, name, store, globus_is_personal)
                VALUES (gen_random_uuid(), 'central', 'local', false) ON CONFLICT DO NOTHING;
            INSERT INTO registry.datasets (id, session_id, lab_path, collection, name, dataset_type_id, format_id)
                SELECT '{dataset}', '{session}', 'hilllab/Subjects/m/2020-08-21/001', 'alf', '_ibl_trials.table.pqt',
                t.id, f.id FROM registry.dataset_types t, registry.formats f
                WHERE t.name = 'trials.table' AND f.name = 'pqt';
            INSERT INTO registry.versions (id, dataset_id, generation, size_bytes, md5, sha256)
                VALUES (gen_random_uuid(), '{dataset}', 1, 10, 'aa', '{sha256}');
            INSERT INTO registry.copies (id, dataset_id, repository_id, generation, state, proved_at)
                SELECT gen_random_uuid(), '{dataset}', id, 1, 'verified', now() FROM registry.repositories
                WHERE name = 'central';
            """
        )
    finally:
        await connection.close()
    return session


async def look_at(scheduler: Running, session: UUID) -> None:
    """Tell the scheduler, as registry would, that files were registered."""
    from services.scheduler.operations.graph import look_at as look

    async with scheduler.app.state.writer.begin() as tx:
        await look(tx, session)


def a_claim(**more: object) -> dict[str, object]:
    return {
        "claim_id": str(uuid4()),
        "worker": "w1",
        "tasks": ["trial_summary", "psychometric_fit"],
        "wait_s": 5,  # the look at all sessions after a start may hold the row just now: a claim waits for it
        **more,
    }
