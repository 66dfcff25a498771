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
