"""What makes services cheap to start and to sign in to, since tests start hundreds of them in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from services.metadata.operations import hashing


@contextmanager
def shared_statements() -> Iterator[None]:
    """All engines of this process share the SQL text of their statements, and the mappers that of their writes.

    SQLAlchemy stores the text per dialect, an object of its own in each engine; each test has new engines, which would
    spend a fifth of its CPU time on the same texts. All their dialects have the same options and the same server.
    """

    def is_same(dialect: PGDialect_asyncpg, other: object) -> bool:
        return type(dialect) is type(other)

    def engine(*words: Any, **options: Any) -> AsyncEngine:
        made = create_async_engine(*words, **options)
        made.sync_engine._compiled_cache = texts
        return made

    texts: LRUCache[Any, Any] = LRUCache(5_000)
    with (
        patch.object(PGDialect_asyncpg, "__eq__", is_same),
        patch.object(PGDialect_asyncpg, "__hash__", lambda dialect: hash(type(dialect))),
        patch("libs.common.db.engine.create_async_engine", engine),
    ):
        yield


@contextmanager
def quick_passwords() -> Iterator[None]:
    """A password is hashed at once, and such a hash is verified at once; in earnest it takes half a second."""
    with patch.object(hashing, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield
