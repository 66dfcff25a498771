"""Every filter of every list shows the rows that match it, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from string import Template

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from deploy.local.servers import Postgres
from libs.common.db.routes import declared_parameters
from tests.support.labs import shared_two_labs
from tests.support.list_filters import TABLES, metadata
from tests.support.list_filters.requests import REQUESTS, ClientRequest
from tests.support.list_filters.tables import FilterTable
from tests.support.list_filters.world import World, make_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOTICE = "Alyx-API-Notice"


class Value(Template):
    """A value with labels of rows for their ids, such as `$a@central`."""

    idpattern = r"(?a:\w+(?:@\w+)?)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Rows of all lists."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("lists") / "home")) as labs:
        yield await make_world(labs)


async def shown_rows(world: World, table: FilterTable, **query: str) -> list[str]:
    """The labels of a list's rows."""
    values = {name: Value(value).substitute(world.ids) for name, value in query.items()}
    response = await world.services[table.service].get(table.path, params=values)
    assert response.status_code == 200, response.text
    assert NOTICE not in response.headers
    labels = world.labels
    values_of_rows = (str(row[table.key]) for row in response.json()["results"])
    return sorted(labels.get(value, value) for value in values_of_rows)


@pytest.mark.parametrize("table", [table for table in TABLES if table.rows], ids=lambda table: table.path)
async def test_a_list_without_filters_shows_all_rows(world: World, table: FilterTable) -> None:
    assert await shown_rows(world, table) == sorted((table.rows or "").split())


@pytest.mark.parametrize(
    ("table", "name"),
    [
        pytest.param(table, name, id=f"{table.path.strip('/')}-{name}")
        for table in TABLES
        for name in table.cases
    ],
)
async def test_a_filter_shows_the_rows_that_match(world: World, table: FilterTable, name: str) -> None:
    shown = {value: await shown_rows(world, table, **{name: value}) for value in table.cases[name]}
    assert shown == {value: sorted(labels.split()) for value, labels in table.cases[name].items()}


@pytest.mark.parametrize("request_of_client", REQUESTS, ids=lambda sent: sent.path)
async def test_a_request_of_a_known_client_gets_the_rows_that_it_means(
    world: World, request_of_client: ClientRequest
) -> None:
    path = Value(request_of_client.path).substitute(world.ids)
    response = await world.services[request_of_client.service].get(path)
    assert (response.status_code, NOTICE in response.headers) == (200, False), response.text
    rows = [str(row[request_of_client.key]) for row in response.json()["results"]]
    assert sorted(world.labels.get(row, row) for row in rows) == sorted(request_of_client.rows.split())


SUBJECTS: tuple[tuple[dict[str, str], str], ...] = (
    ({"responsible_user": "ada", "sex": "F"}, "KS001"),
    ({"project": "Maze two", "projects": "maze"}, ""),  # `project` counts
    ({"nickname": ""}, "KS001 KS002 NY001"),
)


@pytest.mark.parametrize(("query", "labels"), SUBJECTS)
async def test_filters_sent_together_are_all_applied_and_empty_ones_are_absent(
    world: World, query: dict[str, str], labels: str
) -> None:
    assert await shown_rows(world, metadata.SUBJECTS, **query) == labels.split()


async def test_every_list_names_a_parameter_that_it_does_not_know(world: World) -> None:
    silent = []
    for service, running in world.services.items():
        for route in running.app.routes:
            if not (
                isinstance(route, APIRoute) and {"limit", "offset"} <= (declared_parameters(route) or set())
            ):
                continue
            response = await running.get(route.path.format(service=service), params={"no_such_filter": "x"})
            is_refused = response.status_code == 400 and "no_such_filter" in response.json()
            if not is_refused and response.headers.get(NOTICE) != "ignored: no_such_filter":
                silent.append((service, route.path, response.status_code, response.text[:200]))
    assert silent == []
