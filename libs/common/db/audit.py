"""The audit rows as a chain: each seal holds the hash of its row and of the seal before it.

The sealer runs beside the writes, not in them; a row is chained within about two seconds of its commit. The runtime
role can add audit rows and seals, and neither change nor remove them.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert

from libs.common.db.collected import insert_arrays
from libs.common.db.conditions import Condition
from libs.common.db.pages import fetch_page
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.db.tables import Infrastructure
from libs.common.schemas.administration import AuditEntry
from libs.common.schemas.pages import PageRequest

BATCH = 500
LOOK_BACK = 100_000  # rows: a transaction that commits this late behind its neighbours does not exist
GENESIS = b"\0" * 32


def link(before: bytes, row: dict[str, Any]) -> bytes:
    """The hash of one more row behind a chain that ends in `before`.

    >>> link(GENESIS, {"id": 1, "action": "subject.created"}).hex()[:8]
    'ef816fe1'
    """
    values = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(before + text.encode()).digest()


def chain(before: bytes, rows: Iterable[dict[str, Any]]) -> list[tuple[int, bytes]]:
    """(audit id, hash) for each row, in order."""
    sealed = []
    for row in rows:
        before = link(before, row)
        sealed.append((row["id"], before))
    return sealed


async def insert_seals(session: WriteSession, tables: Infrastructure) -> bool:
    """Chain audit rows that are not chained yet; whether those were all. One sealer at a time, by advisory lock."""
    audit, seals = tables.audit, tables.audit_seals
    lock = sa.func.pg_try_advisory_xact_lock(sa.func.hashtext(f"audit-seal:{audit.schema}"))
    if not await session.scalar(sa.select(lock)):
        return False
    last = (
        await session.execute(sa.select(seals.c.n, seals.c.hash).order_by(seals.c.n.desc()).limit(1))
    ).first()
    rows = await execute_prepared(session, _select_unsealed(tables))
    if not rows:
        return True
    sealed = chain(bytes(last.hash) if last else GENESIS, (dict(row) for row in rows))
    start = last.n + 1 if last else 1
    arrays = {
        "audit_id": [audit_id for audit_id, _ in sealed],
        "n": [*range(start, start + len(sealed))],
        "hash": [value for _, value in sealed],
    }
    await execute_prepared(session, _insert_seals(tables), **arrays)
    return len(sealed) < BATCH


@cache
def _select_unsealed(tables: Infrastructure) -> sa.Select[Any]:
    audit, seals = tables.audit, tables.audit_seals
    newest = sa.select(sa.func.coalesce(sa.func.max(seals.c.audit_id), 0) - LOOK_BACK).scalar_subquery()
    return (
        sa.select(audit)
        .where(audit.c.id > newest, ~sa.exists().where(seals.c.audit_id == audit.c.id))
        .order_by(audit.c.id)
        .limit(BATCH)
    )


@cache
def _insert_seals(tables: Infrastructure) -> Insert:
    return insert_arrays(tables.audit_seals, ("audit_id", "n", "hash"))


async def find_first_broken(session: ReadSession, tables: Infrastructure) -> int | None:
    """The audit id at which the chain is broken; None if it is intact."""
    audit, seals = tables.audit, tables.audit_seals
    before, n = GENESIS, 0
    while True:
        page = (
            sa.select(seals.c.n, seals.c.audit_id.label("sealed_id"), seals.c.hash.label("seal"), *audit.c)
            .join_from(seals, audit, seals.c.audit_id == audit.c.id, isouter=True)
            .where(seals.c.n > n)
            .order_by(seals.c.n)
            .limit(10 * BATCH)
        )
        rows = (await session.execute(page)).mappings().all()
        if not rows:
            return None
        # In a thread: hashing 5,000 rows takes long enough to delay other requests.
        before, broken = await asyncio.to_thread(_follow, before, n, rows, [*audit.c.keys()])
        if broken is not None:
            return broken
        n += len(rows)


def _follow(
    before: bytes, n: int, rows: Sequence[sa.RowMapping], columns: Sequence[str]
) -> tuple[bytes, int | None]:
    """Continue a chain of `n` rows: its hash afterwards, and the audit id of the first row that breaks it."""
    for row in rows:
        stored = {name: row[name] for name in columns}
        before, n = link(before, stored), n + 1
        if stored["id"] is None or row["n"] != n or before != bytes(row["seal"]):
            return before, int(row["sealed_id"])
    return before, None


async def list_audit_entries(
    session: ReadSession, tables: Infrastructure, conditions: Sequence[Condition], paging: PageRequest
) -> tuple[int, list[AuditEntry]]:
    """The number of audit rows that fulfil the conditions, and one page of them, the latest first."""
    statement = sa.select(tables.audit).where(*conditions).order_by(tables.audit.c.id.desc())
    count, rows = await fetch_page(session, statement, paging)
    return count, [AuditEntry(**row) for row in rows]
