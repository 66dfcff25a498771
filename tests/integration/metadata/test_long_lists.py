"""Long lists take one statement a page and use the indexes; that they never hold the loop is watched in all tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from libs.common.db import prepared
from libs.common.visibility import system_visibility
from services.metadata.queries.list_filters.sessions import SessionFilters
from services.metadata.queries.sessions import select_sessions
from tests.support.labs import Labs

N_ANIMALS, N_SESSIONS, N_WEIGHINGS = 250, 5_000, 100


@pytest.fixture
async def crowded(labs: Labs) -> Labs:
    """250 animals, each with 20 sessions, 100 weighings and an open restriction."""
    lab = str(labs.lab_ids["hilllab"])
    async with labs.metadata.app.state.writer.begin() as tx:
        for statement in (
            "INSERT INTO metadata.subjects (id, nickname, lab_id, sex, birth_date)"
            f" SELECT gen_random_uuid(), 'M' || n, '{lab}', 'F', '2023-01-01' FROM generate_series(1, {N_ANIMALS}) n",
            "INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, number)"
            " SELECT gen_random_uuid(), 'session', s.id, s.lab_id, '2024-01-01T10:00:00',"
            " timestamptz '2024-01-01 10:00Z' + n * interval '1 day', date '2024-01-01' + n, 1"
            f" FROM metadata.subjects s, generate_series(1, {N_SESSIONS // N_ANIMALS}) n",
            "INSERT INTO metadata.actions (id, kind, subject_id, lab_id, start_time, start_at, day, reference_weight)"
            " SELECT gen_random_uuid(), 'water-restriction', id, lab_id, '2024-01-01T10:00:00',"
            " timestamptz '2024-01-01 10:00Z', date '2024-01-01', 22 FROM metadata.subjects",
            "INSERT INTO metadata.weighings (id, subject_id, date_time, date_time_at, weight)"
            " SELECT gen_random_uuid(), s.id, '2024-01-01T10:00:00',"
            " timestamptz '2024-01-01 10:00Z' + n * interval '1 day', 20"
            f" FROM metadata.subjects s, generate_series(1, {N_WEIGHINGS}) n",
        ):
            await tx.session.execute(sa.text(statement))
    return labs


@contextmanager
def statements(labs: Labs) -> Iterator[list[str]]:
    """What is asked of the database in the block."""
    engine, sent = labs.metadata.app.state.database.reading.sync_engine, []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # The bus looks for what it missed, and for what waits, in its own time.
        if "published_events" not in statement and "dead_events" not in statement:
            sent.append(statement)

    fetch = prepared._fetch

    async def fetch_and_record(session: Any, text: str, arguments: list[Any]) -> Any:
        sent.append(text)
        return await fetch(session, text, arguments)

    sa.event.listen(engine, "before_cursor_execute", record)
    try:
        with patch.object(prepared, "_fetch", fetch_and_record):  # these go to the driver itself
            yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", record)


async def test_a_page_of_a_long_list_is_one_statement_however_long_the_list(crowded: Labs) -> None:
    with statements(crowded) as sent:
        answer = (await crowded.metadata.get("/sessions?limit=100")).json()
    assert (answer["count"], len(answer["results"])) == (N_SESSIONS, 100)
    assert len(sent) == 1, sent
    with statements(crowded) as sent:
        answer = (
            await crowded.metadata.get("/sessions?subject=M7&date_range=2024-01-03,2024-01-03&number=001")
        ).json()
    assert (answer["count"], len(sent)) == (1, 1)

    with statements(crowded) as sent:
        answer = (await crowded.metadata.get("/subjects")).json()
    assert (answer["count"], len(answer["results"])) == (N_ANIMALS, N_ANIMALS)
    assert all(row["reference_weight"] == 22 for row in answer["results"])
    assert len(sent) == 4, sent  # the page, weights, water, actions: not one an animal


async def test_notes_are_listed_by_the_rules_of_the_records_that_they_are_about(labs: Labs) -> None:
    subject = await labs.animal()
    await labs.post("/notes", text="wild", content_type="subject", object_id=subject["id"])
    with statements(labs) as sent:
        assert (await labs.as_("ada").get("/notes")).json()["count"] == 1
    assert any("published_subjects" in statement for statement in sent)
    # To plan the rules of all kinds of records takes 100 ms and more.
    assert not any("published_jobs" in statement or "metadata.lines" in statement for statement in sent)


async def test_a_session_is_looked_up_by_its_path_over_the_indexes(crowded: Labs) -> None:
    query = {"subject": "M7", "date_range": "2024-01-03,2024-01-03", "number": "001"}
    visibility = system_visibility()
    conditions = SessionFilters.model_validate(query).conditions(visibility)
    statement = select_sessions(visibility).where(*conditions)
    async with crowded.metadata.app.state.writer.begin() as tx:
        connection = await tx.session.connection()
        plain = statement.compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
        rows = await tx.session.execute(sa.text(f"EXPLAIN {plain}".replace(":", r"\:")))
        plan = "\n".join(row[0] for row in rows)
    assert "ix_actions_subject_id_day_number" in plan, plan
    assert "Seq Scan on actions" not in plan, plan
