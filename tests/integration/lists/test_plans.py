"""The statements of measured requests find their rows by indices, on the rows of `bench/api`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy import event

from bench.api.cases import Call, cases
from bench.api.loading import load_rows
from deploy.local.servers import Postgres
from libs.common.catalogue import Service, service_of
from libs.common.db import prepared
from libs.common.db.engine import PLANNER
from libs.common.observability import request_id
from libs.common.testing import Running
from tests.support.labs import Labs, shared_two_labs

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSIONS = 400
NO_REQUEST = "-"
# Of others there are too few here: the planner rightly reads them whole.
OTHERS = (Service.REGISTRY, Service.SCHEDULER)
LARGE = ("datasets", "copies", "versions")
READS = {case.name: case for case in cases(SESSIONS, "root") if case.next_call().method == "GET"}

Services = dict[Service, Running]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def labs(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Labs]:
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("plans"))) as labs:
        await load_rows(labs.cingulum.admin_url, SESSIONS)
        yield labs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(labs: Labs) -> Services:
    root = labs.principal("root")
    others = {service: await labs.cingulum.start(service, root) for service in OTHERS}
    return {Service.METADATA: labs.metadata, **others}


@contextmanager
def statements() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """The statements that requests run meanwhile, with their parameters."""
    run: list[tuple[str, tuple[Any, ...]]] = []
    fetch = prepared._fetch

    async def watched(session: Any, text: str, arguments: list[Any]) -> Any:
        run.append((text, tuple(arguments)))
        return await fetch(session, text, arguments)

    def remember(_conn: object, _cursor: object, text: str, parameters: Any, *_: object) -> None:
        if request_id.get() != NO_REQUEST:  # else it is of a sweep
            run.append((text, tuple(parameters)))

    event.listen(sa.Engine, "before_cursor_execute", remember)
    try:
        with patch.object(prepared, "_fetch", watched):
            yield run
    finally:
        event.remove(sa.Engine, "before_cursor_execute", remember)


async def large_scans(url: str, run: list[tuple[str, tuple[Any, ...]]]) -> list[str]:
    """The lines of the plans that read a large table whole."""
    connection = await asyncpg.connect(url, server_settings=PLANNER)
    try:
        plans = [
            str(row[0])
            for text, arguments in run
            if text.lstrip().startswith(("SELECT", "WITH"))
            for row in await connection.fetch(f"EXPLAIN {text}", *arguments)
        ]
    finally:
        await connection.close()
    return [line for line in plans if any(f"Seq Scan on {name}" in line for name in LARGE)]


async def sent(services: Services, call: Call) -> Any:
    service = service_of(call.path.partition("?")[0])
    assert service is not None
    return await services[service].get(call.path)


@pytest.mark.parametrize("name", READS)
async def test_a_measured_read_scans_no_large_table(labs: Labs, services: Services, name: str) -> None:
    with statements() as run:
        answer = await sent(services, READS[name].next_call())
    assert answer.status_code == 200
    assert len(run) >= 1
    assert await large_scans(labs.cingulum.admin_url, run) == []


async def test_sessions_by_the_name_of_a_dataset_are_planned_once(labs: Labs, services: Services) -> None:
    with statements() as run:
        assert (await sent(services, READS["sessions_with_datasets"].next_call())).status_code == 200
    [(text, arguments)] = run
    connection = await asyncpg.connect(labs.cingulum.admin_url, server_settings=PLANNER)
    try:
        prepared_statement = await connection.prepare(text, name="by_name")
        for _ in range(7):  # PostgreSQL decides after five
            await prepared_statement.fetch(*arguments)
        plans = "SELECT generic_plans FROM pg_prepared_statements WHERE name = 'by_name'"
        assert await connection.fetchval(plans) > 0
    finally:
        await connection.close()


async def test_a_change_of_a_revision_scans_no_large_table(labs: Labs, services: Services) -> None:
    registry = services[Service.REGISTRY]
    assert (await registry.post("/revisions", {"name": "planned"})).status_code == 201
    with statements() as run:
        assert (await registry.patch("/revisions/planned", {"name": "renamed"})).status_code == 200
    assert any("datasets" in text for text, _ in run)
    assert await large_scans(labs.cingulum.admin_url, run) == []
