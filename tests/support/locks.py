"""Transactions that wait for each other."""

from __future__ import annotations

import asyncpg

from tests.support.waiting import attempts

_BLOCKED = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


async def until_blocked(connection: asyncpg.Connection, n: int) -> None:
    """Wait until n transactions wait for a lock."""
    async for _ in attempts():
        if await connection.fetchval(_BLOCKED) == n:
            return
    raise AssertionError(f"not {n} transactions wait for a lock")


_QUEUE = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND NOT granted
      AND (classid::bigint << 32) | objid::bigint = hashtextextended($1, 0)
"""


async def take(connection: asyncpg.Connection, key: str) -> None:
    """Hold an advisory lock until the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)


async def until_queued(connection: asyncpg.Connection, key: str, n: int) -> None:
    """Wait until n transactions wait for an advisory lock: they get it in this order."""
    async for _ in attempts():
        if await connection.fetchval(_QUEUE, key) == n:
            return
    raise AssertionError(f"not {n} transactions wait for {key}")
