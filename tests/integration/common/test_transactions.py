"""What a transaction does after its commit, what a reading session refuses, and how rows are locked and changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.db import ReadSession, Transaction
from libs.common.db.removal import lock_taken, remove
from libs.common.db.rows import (
    create_row,
    lock_by_id,
    lock_by_name,
    refuse_duplicate,
    update_row,
)
from libs.common.db.transaction import Writer
from libs.common.problem import Conflict, NotFound
from services.metadata.models import LabRow, UserRow
from services.metadata.models.dependants import DEPENDANTS
from tests.support.system import Cingulum


@pytest.fixture
async def writer(cingulum: Cingulum) -> Writer:
    metadata = await cingulum.start(Service.METADATA)
    own: Writer = metadata.app.state.writer
    return own


@pytest.fixture
async def reading(writer: Writer) -> AsyncIterator[ReadSession]:
    async with writer.database.read() as session:
        yield session


async def test_a_callback_runs_once_after_the_commit(writer: Writer) -> None:
    calls: list[str] = []
    async with writer.begin() as tx:
        tx.after_commit("ready", lambda: calls.append("ready"))
        tx.after_commit("ready", lambda: calls.append("again"))
        tx.after_commit("other", lambda: calls.append("other"))
        assert calls == []
    assert calls == ["ready", "other"]


async def test_a_transaction_that_fails_calls_nothing(writer: Writer) -> None:
    calls: list[str] = []

    async def fail() -> None:
        async with writer.begin() as tx:
            tx.after_commit("ready", lambda: calls.append("ready"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert calls == []


async def fail_within(tx: Transaction, callback: Callable[[], None]) -> None:
    async with tx.part() as part:
        part.after_commit("failed", callback)
        raise ZeroDivisionError


async def test_a_part_that_is_rolled_back_takes_its_callbacks_with_it(writer: Writer) -> None:
    calls: list[str] = []
    async with writer.begin() as tx:
        with pytest.raises(ZeroDivisionError):
            await fail_within(tx, lambda: calls.append("failed"))
        async with tx.part() as part:
            part.after_commit("kept", lambda: calls.append("kept"))
        assert calls == []
    assert calls == ["kept"]


async def test_a_callback_that_fails_leaves_the_commit_and_the_other_callbacks(writer: Writer) -> None:
    calls: list[str] = []
    async with writer.begin() as tx:
        tx.session.add(LabRow(name="lab"))
        tx.after_commit("failing", lambda: calls.extend([str(1 // 0)]))
        tx.after_commit("next", lambda: calls.append("next"))
    assert calls == ["next"]
    async with writer.database.read() as session:
        assert await session.scalar(sa.select(LabRow.name)) == "lab"


@pytest.mark.parametrize(
    "statement",
    [
        sa.insert(LabRow).values(name="x"),
        sa.update(LabRow).values(name="x"),
        sa.delete(LabRow),
        sa.select(LabRow).with_for_update(),
    ],
)
async def test_a_reading_session_refuses_to_write_or_lock(
    reading: ReadSession, statement: sa.Executable
) -> None:
    with pytest.raises(TypeError, match="only reads"):
        await reading.execute(statement)


async def test_a_reading_session_refuses_rows_and_commits(reading: ReadSession) -> None:
    with pytest.raises(TypeError, match="only reads"):
        reading.add(LabRow(name="x"))
    with pytest.raises(TypeError, match="only reads"):
        reading.begin_nested()
    with pytest.raises(TypeError, match="only reads"):
        await reading.commit()


async def test_a_reading_session_never_sends_changes_of_loaded_rows(writer: Writer) -> None:
    async with writer.begin() as tx:
        tx.session.add(LabRow(name="lab"))
    async with writer.database.read() as session:
        row = (await session.scalars(sa.select(LabRow))).one()
        row.name = "other"
        with pytest.raises(TypeError, match="only reads"):
            await session.flush()
        assert await session.scalar(sa.select(LabRow.name)) == "lab"


async def created_lab(writer: Writer) -> UUID:
    lab_id = uuid4()
    async with writer.begin() as tx:
        await create_row(tx, "lab", LabRow(id=lab_id, name="lab"), {"name": "lab", "address": None})
    return lab_id


async def actions(writer: Writer) -> list[tuple[str, dict[str, str] | None]]:
    audit = writer.tables.audit
    async with writer.database.read() as session:
        rows = await session.execute(sa.select(audit.c.action, audit.c.after).order_by(audit.c.id))
        return [(row.action, row.after) for row in rows]


async def test_a_row_is_locked_by_name_or_id(writer: Writer) -> None:
    lab_id = await created_lab(writer)
    async with writer.begin() as tx:
        assert (await lock_by_name(tx.session, LabRow, "lab")).id == lab_id
        assert (await lock_by_id(tx.session, LabRow, lab_id)).name == "lab"
        tx.session.add(UserRow(username="ada"))
        assert (await lock_by_name(tx.session, UserRow, "ada", column=UserRow.username)).username == "ada"


async def test_a_soft_deleted_row_is_missing(writer: Writer) -> None:
    lab_id = await created_lab(writer)
    async with writer.begin() as tx:
        row = await lock_by_id(tx.session, LabRow, lab_id)
        taken = await lock_taken(tx.session, DEPENDANTS, row)
        await remove(tx, Service.METADATA, "lab", row, taken, hidden={})
    async with writer.begin() as tx:
        with pytest.raises(NotFound, match="There is no lab 'lab'"):
            await lock_by_name(tx.session, LabRow, "lab")
        with pytest.raises(NotFound, match=f"There is no place {lab_id}"):
            await lock_by_id(tx.session, LabRow, lab_id, noun="place")
        await refuse_duplicate(tx.session, LabRow.name, "lab")


async def test_a_name_in_use_is_refused(writer: Writer) -> None:
    await created_lab(writer)
    async with writer.begin() as tx:
        with pytest.raises(Conflict) as refused:
            await refuse_duplicate(tx.session, LabRow.name, "lab")
    assert refused.value.fields == {"name": ["'lab' already exists."]}


async def test_only_what_changed_is_audited(writer: Writer) -> None:
    lab_id = await created_lab(writer)
    async with writer.begin() as tx:
        row = await lock_by_id(tx.session, LabRow, lab_id)
        await update_row(tx, "lab", row, {"name": "lab", "address": "Road 1"})
    async with writer.begin() as tx:
        await update_row(tx, "lab", await lock_by_id(tx.session, LabRow, lab_id), {"address": "Road 1"})
    assert await actions(writer) == [("lab.created", {"name": "lab"}), ("lab.changed", {"address": "Road 1"})]
