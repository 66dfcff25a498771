"""Fresh databases: copies of one that was migrated once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg


def database_url(admin_url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))


async def run_statement(admin_url: str, statement: str) -> None:
    """Run a statement that no transaction may contain."""
    connection = await asyncpg.connect(database_url(admin_url, "postgres"), command_timeout=120)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def copy_database(admin_url: str, template: str) -> str:
    """Copy a database; the administrator's address of the copy."""
    name = f"test_{uuid4().hex}"
    # Through the write-ahead log, as is the default, a copy takes twice the CPU time.
    await run_statement(admin_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return database_url(admin_url, name)


@asynccontextmanager
async def copied_database(admin_url: str, template: str) -> AsyncIterator[str]:
    """A copy for the block; the administrator's address of it."""
    url = await copy_database(admin_url, template)
    try:
        yield url
    finally:
        await run_statement(admin_url, f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")
