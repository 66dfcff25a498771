"""Load the rows by COPY, as the database's owner."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg

from bench.api.rows import Table, dataset_tables, session_tables, small_tables, type_names


async def load_rows(database_url: str, sessions: int) -> int:
    """Load a database without such rows; how many there are now."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            types = await _named(connection, "dataset_types", type_names())
            formats = await _named(connection, "formats", ["npy"])
            n = 0
            for table in small_tables():
                n += await _copy(connection, table)
            for table in session_tables(sessions):
                n += await _copy(connection, table)
            for table in dataset_tables(sessions, types, formats["npy"]):
                n += await _copy(connection, table)
        for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
            await connection.execute(statement)
    finally:
        await connection.close()
    return n


async def _copy(connection: asyncpg.Connection, table: Table) -> int:
    schema, _, name = table.name.partition(".")
    status = await connection.copy_records_to_table(
        name, schema_name=schema, columns=table.columns.split(), records=table.rows, timeout=600
    )
    return int(status.removeprefix("COPY "))


async def _named(connection: asyncpg.Connection, table: str, names: list[str]) -> dict[str, UUID]:
    """The ids of terms of registry, made where they do not exist."""
    insert = f"INSERT INTO registry.{table} (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"  # noqa: S608
    await connection.executemany(insert, [(uuid4(), name) for name in names])
    rows = await connection.fetch(f"SELECT id, name FROM registry.{table} WHERE name = ANY($1)", names)  # noqa: S608
    return {row["name"]: row["id"] for row in rows}
