"""What the engines are told."""

from __future__ import annotations

from libs.common.db.engine import Database


async def test_errors_say_nothing_of_what_a_statement_was_about() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", "transfer")
    engines = (database.writing, database.reading, database.reading_long, database.probing)
    assert all(engine.sync_engine.hide_parameters for engine in engines)
    await database.close()
