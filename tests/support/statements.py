"""The statements that a service sends to its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from libs.common.testing import Running


@contextmanager
def executed_statements(service: Running, *tables: str) -> Iterator[list[str]]:
    """Those of the block that name one of the tables: the relay and the sealer send others meanwhile."""
    executed: list[str] = []
    engine = service.app.state.database.writing.sync_engine

    def note(*about: Any) -> None:
        if any(table in about[2] for table in tables):
            executed.append(about[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
