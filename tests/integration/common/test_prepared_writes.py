"""A statement that the driver runs is part of the transaction, and fails as one of SQLAlchemy does."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from libs.common.catalogue import Service
from libs.common.db import Transaction, WriteSession
from libs.common.db.json_pages import request_value
from libs.common.db.prepared_writes import execute_prepared
from libs.common.db.transaction import Writer
from libs.common.events import UploadCompleted
from services.metadata.models import LabRow
from tests.support.system import Cingulum
from tests.support.waiting import attempts


@pytest.fixture
async def writer(cingulum: Cingulum) -> Writer:
    metadata = await cingulum.start(Service.METADATA)
    own: Writer = metadata.app.state.writer
    return own


@cache
def insert_statement() -> Any:
    lab, name = request_value("lab_id", sa.Uuid()), request_value("name", sa.Text())
    return sa.insert(LabRow).values(id=lab, name=name).returning(LabRow.name)


@cache
def select_names() -> Any:
    return sa.select(LabRow.name).order_by(LabRow.name)


@cache
def long_statement() -> Any:
    return sa.select(sa.cast(sa.func.pg_sleep(60), sa.Text))


async def insert_lab(session: WriteSession, name: str, lab_id: UUID | None = None) -> None:
    rows = await execute_prepared(session, insert_statement(), lab_id=lab_id or uuid4(), name=name)
    assert [row["name"] for row in rows] == [name]


async def names(session: WriteSession) -> list[str]:
    return [row["name"] for row in await execute_prepared(session, select_names())]


async def stored_names(writer: Writer) -> list[str]:
    async with writer.database.read() as session:
        return list(await session.scalars(select_names()))


async def test_what_is_pending_is_written_before(writer: Writer) -> None:
    async with writer.begin() as tx:
        tx.session.add(LabRow(name="pending"))
        assert await names(tx.session) == ["pending"]
        await insert_lab(tx.session, "prepared")
        assert list(await tx.session.scalars(select_names())) == ["pending", "prepared"]
        assert await stored_names(writer) == []
    assert await stored_names(writer) == ["pending", "prepared"]


async def fail_after(writer: Writer, *, is_orm_used: bool) -> None:
    async with writer.begin() as tx:
        await insert_lab(tx.session, "lost")
        if is_orm_used:
            tx.session.add(LabRow(name="lost too"))
            await tx.session.flush()
        tx.audit("lab.created", "lab", "lost")
        await tx.flush()
        raise ZeroDivisionError


@pytest.mark.parametrize("is_orm_used", [True, False])
async def test_it_is_rolled_back_with_its_transaction(writer: Writer, is_orm_used: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        await fail_after(writer, is_orm_used=is_orm_used)
    assert await stored_names(writer) == []
    async with writer.database.read() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(writer.tables.audit)) == 0


async def fail_in_part(tx: Transaction) -> None:
    async with tx.part() as part:
        await insert_lab(part.session, "second")
        await insert_lab(part.session, "first")


async def test_a_part_that_fails_takes_it_along(writer: Writer) -> None:
    async with writer.begin() as tx:
        await insert_lab(tx.session, "first")
        with pytest.raises(IntegrityError):
            await fail_in_part(tx)
        await insert_lab(tx.session, "third")
    assert await stored_names(writer) == ["first", "third"]


async def insert_twice(writer: Writer) -> None:
    async with writer.begin() as tx:
        await insert_lab(tx.session, "twin")
        await insert_lab(tx.session, "twin")


async def test_a_refused_row_is_an_integrity_error(writer: Writer) -> None:
    for _ in range(2):
        with pytest.raises(IntegrityError):
            await insert_twice(writer)
    assert await stored_names(writer) == []


async def test_a_value_that_cannot_be_stored_is_an_error_of_sqlalchemy(writer: Writer) -> None:
    async def insert_nul() -> None:
        async with writer.begin() as tx:
            await insert_lab(tx.session, "a\0b")

    with pytest.raises(DBAPIError):
        await insert_nul()


async def test_nothing_runs_after_a_rollback(writer: Writer) -> None:
    async with writer.database.begin() as session:
        await insert_lab(session, "lost")
        await session.rollback()
        with pytest.raises(PendingRollbackError):
            await insert_lab(session, "lost too")
    assert await stored_names(writer) == []


async def running(observer: asyncpg.Connection) -> int:
    return int(
        await observer.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%'"
            " AND pid <> pg_backend_pid()"
        )
    )


async def until_running(observer: asyncpg.Connection, number: int) -> None:
    async for _ in attempts():
        if await running(observer) == number:
            return
    raise TimeoutError


async def test_a_cancelled_statement_ends_on_the_server_and_its_connection_is_not_used_again(
    cingulum: Cingulum, writer: Writer
) -> None:
    async def wait_long() -> None:
        async with writer.begin() as tx:
            await insert_lab(tx.session, "lost")
            await execute_prepared(tx.session, long_statement())

    observer = await asyncpg.connect(cingulum.admin_url)
    for _ in range(4):  # more than there are connections
        work = asyncio.create_task(wait_long())
        await until_running(observer, 1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await until_running(observer, 0)
    await observer.close()
    async with writer.begin() as tx:
        await insert_lab(tx.session, "after")
    assert await stored_names(writer) == ["after"]


async def test_a_connection_that_the_server_ends_is_replaced(cingulum: Cingulum, writer: Writer) -> None:
    async def lose() -> None:
        async with writer.begin() as tx:
            await insert_lab(tx.session, "lost")
            await observer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            )
            await insert_lab(tx.session, "lost too")

    observer = await asyncpg.connect(cingulum.admin_url)
    with pytest.raises(DBAPIError):
        await lose()
    await observer.close()
    async with writer.begin() as tx:
        await insert_lab(tx.session, "after")
    assert await stored_names(writer) == ["after"]


async def test_audit_rows_and_events_are_stored_in_their_order(writer: Writer) -> None:
    events = [
        UploadCompleted(upload_id=uuid4(), sha256="0" * 64, md5="0" * 32, size_bytes=n) for n in range(600)
    ]
    async with writer.begin() as tx:
        for n, event in enumerate(events):
            tx.audit("lab.changed", "lab", str(n), after={"n": n} if n else None)
            tx.publish(event)
    audit, stored = writer.tables.audit, writer.tables.events
    async with writer.database.read() as session:
        audited = (
            await session.execute(sa.select(audit.c.object_id, audit.c.after).order_by(audit.c.id))
        ).all()
        payloads = list(await session.scalars(sa.select(stored.c.payload).order_by(stored.c.seq)))
    assert [(row.object_id, row.after) for row in audited] == [
        (str(n), {"n": n} if n else None) for n in range(600)
    ]
    assert [payload["size_bytes"] for payload in payloads] == list(range(600))
