"""Rows of prepared statements are the same on the connection of a page, in a session and in a transaction."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.db import AnySession
from libs.common.db.conditions import any_of
from libs.common.db.json_pages import request_value
from libs.common.db.prepared import fetch_rows
from libs.common.db.transaction import Writer
from services.metadata.models import LabRow
from tests.support.system import Cingulum


@cache
def select_labs() -> sa.Select[Any]:
    label = request_value("prefix", sa.Text()) + LabRow.name
    times = sa.func.array(sa.select(LabRow.created_at).scalar_subquery())
    columns = (LabRow.id, label.label("label"), LabRow.json, LabRow.created_at, times.label("times"))
    return sa.select(*columns).order_by(LabRow.name)


@pytest.fixture
async def writer(cingulum: Cingulum) -> Writer:
    own: Writer = (await cingulum.start(Service.METADATA)).app.state.writer
    async with own.begin() as tx:
        tx.session.add_all(LabRow(id=uuid4(), name=f"lab{n}", json={"n": n}) for n in range(3))
    return own


async def labels(session: AnySession, prefix: str, *conditions: sa.ColumnElement[bool]) -> list[str]:
    return [row["label"] for row in await fetch_rows(session, select_labs(), conditions, prefix=prefix)]


async def test_rows_have_the_same_values_in_every_kind_of_session(writer: Writer) -> None:
    database = writer.database
    async with database.read_page() as page, database.read() as reading, writer.begin() as tx:
        sets = [
            [dict(row) for row in await fetch_rows(session, select_labs(), prefix="of ")]
            for session in (page, reading, tx.session)
        ]
        of_sqlalchemy = (await reading.execute(select_labs(), {"prefix": "of "})).mappings().all()
    assert all(rows == of_sqlalchemy for rows in sets)
    assert [(row["label"], row["json"]) for row in sets[0]] == [(f"of lab{n}", {"n": n}) for n in range(3)]


async def test_values_and_conditions_are_those_of_each_call(writer: Writer) -> None:
    async with writer.database.read_page() as page:
        for n in range(3):
            assert await labels(page, f"{n} ", LabRow.name == f"lab{n}") == [f"{n} lab{n}"]
        assert await labels(page, "", LabRow.name.in_(["lab0", "lab2"])) == ["lab0", "lab2"]
        assert await labels(page, "", LabRow.id == any_of([])) == []
        assert len(await labels(page, "")) == 3


async def test_a_transaction_reads_what_it_has_not_yet_written(writer: Writer) -> None:
    async with writer.begin() as tx:
        tx.session.add(LabRow(id=uuid4(), name="new"))
        assert "new" in await labels(tx.session, "")


async def test_a_statement_is_prepared_again_when_its_table_was_altered(
    writer: Writer, cingulum: Cingulum
) -> None:
    owner = await asyncpg.connect(cingulum.admin_url)
    try:
        await owner.execute("CREATE TABLE metadata.things AS SELECT 1 AS n")
        await owner.execute("GRANT SELECT ON metadata.things TO PUBLIC")
        things = sa.select(sa.table("things", sa.column("n", sa.Text()), schema="metadata"))
        async with writer.database.read_page() as page:
            assert (await fetch_rows(page, things))[0]["n"] == 1
            await owner.execute("ALTER TABLE metadata.things ALTER COLUMN n TYPE text")
            assert (await fetch_rows(page, things))[0]["n"] == "1"
    finally:
        await owner.close()
