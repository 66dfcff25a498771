"""Sessions that have jobs, events of other services, and claims of workers."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg

from libs.common.events import CopyVerified, Event, FilesRegistered
from libs.common.testing import Callers, Running
from tests.support.system import Cingulum


async def a_session_with_trials(cingulum: Cingulum, callers: Callers, sha256: str = "ab" * 32) -> UUID:
    """A session whose trials table has a verified copy, with the rows that its owners would write."""
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


async def move_file_to_the_lab(cingulum: Cingulum, callers: Callers, session: UUID) -> None:
    """Only the agent repository `lab_server` has a verified copy; another one is being sent."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        await connection.execute(
            f"""
            INSERT INTO registry.repositories (id, name, store, hostname)
                VALUES (gen_random_uuid(), 'lab_server', 'agent', 'disk.hilllab') ON CONFLICT DO NOTHING;
            INSERT INTO metadata.lab_repositories (lab_id, repository_id)
                SELECT '{callers.lab_id}', id FROM registry.repositories WHERE name = 'lab_server'
                ON CONFLICT DO NOTHING;
            INSERT INTO registry.copies (id, dataset_id, repository_id, generation, state, proved_at)
                SELECT gen_random_uuid(), d.id, r.id, 1, 'verified', now()
                FROM registry.datasets d, registry.repositories r
                WHERE d.session_id = '{session}' AND r.name = 'lab_server';
            UPDATE registry.copies c SET state = 'arriving', proved_at = NULL
                FROM registry.repositories r, registry.datasets d
                WHERE r.id = c.repository_id AND r.name = 'central' AND d.id = c.dataset_id
                AND d.session_id = '{session}';
            """
        )
    finally:
        await connection.close()


async def store_file(cingulum: Cingulum, session: UUID) -> CopyVerified:
    """The copy in the central store is verified; the event that registry publishes."""
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        row = await connection.fetchrow(
            """
            UPDATE registry.copies c SET state = 'verified', proved_at = now()
                FROM registry.repositories r, registry.datasets d, registry.versions v
                WHERE r.id = c.repository_id AND r.name = 'central' AND d.id = c.dataset_id
                AND v.dataset_id = d.id AND d.session_id = $1
                RETURNING c.id, c.dataset_id, v.sha256
            """,
            session,
        )
        assert row is not None
        return CopyVerified(
            dataset_id=row["dataset_id"], copy_id=row["id"], session_id=session, sha256=row["sha256"].strip()
        )
    finally:
        await connection.close()


async def land_upload(cingulum: Cingulum, job: str, token: int, sha256: str) -> UUID:
    """A landed upload of an attempt, as transfer publishes it; where transfer has no table, by a view of one row."""
    upload = uuid4()
    connection = await asyncpg.connect(cingulum.admin_url)
    try:
        kind = await connection.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'transfer' AND table_name = 'uploads'"
        )
        assert kind in {0, 1}
        if not kind:
            columns = await connection.fetch(
                "SELECT attname, format_type(atttypid, atttypmod) AS kind FROM pg_attribute"
                " WHERE attrelid = 'transfer.published_uploads_v1'::regclass AND attnum > 0 ORDER BY attnum"
            )
            values = {
                "id": f"'{upload}'",
                "state": "'landed'",
                "sha256": f"'{sha256}'",
                "job_id": f"'{job}'",
                "token": str(token),
            }
            select = ", ".join(
                f"{values.get(c['attname'], 'NULL')}::{c['kind']} AS {c['attname']}" for c in columns
            )
            await connection.execute(
                f"CREATE OR REPLACE VIEW transfer.published_uploads_v1 AS SELECT {select}"
            )
        else:
            await connection.execute(
                "INSERT INTO transfer.uploads (id, state, sha256, job_id, token, size_bytes, part_bytes, owner_id, md5,"
                " store, created_at, touched_at, completed_at)"
                " VALUES ($1, 'landed', $2, $3, $4, 1, 8388608, $5, 'aa', 'local', now(), now(), now())",
                upload,
                sha256,
                UUID(job),
                token,
                uuid4(),
            )
    finally:
        await connection.close()
    return upload


async def deliver(scheduler: Running, event: Event) -> None:
    """Let the scheduler handle an event of another service."""
    handled = scheduler.app.state.listener.handlers.handler_of(event.subject)
    assert handled is not None
    async with scheduler.app.state.writer.begin() as tx:
        await handled[1](tx, event)


async def reconcile(scheduler: Running, session: UUID) -> None:
    """Let the scheduler derive the jobs of a session, as after a registration of files."""
    await deliver(scheduler, FilesRegistered(session_id=session, user_id=None, dataset_ids=[]))


def a_claim(**more: object) -> dict[str, object]:
    return {
        "claim_id": str(uuid4()),
        "worker": "w1",
        "tasks": ["trial_summary", "psychometric_fit"],
        "wait_s": 5,  # the sweep of all sessions after a start may have locked the row: a claim waits for it
        **more,
    }
