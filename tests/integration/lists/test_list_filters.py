"""Every filter of every list shows the rows that match it, and no others."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from string import Template

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.db.query_parameters import NOTICE, query_parameters
from tests.support.labs import shared_two_labs
from tests.support.list_filters import TABLES, metadata
from tests.support.list_filters.requests import REQUESTS, ClientRequest
from tests.support.list_filters.tables import FilterTable
from tests.support.list_filters.world import World, make_world
from tests.support.oracle.data import fetch_data
from tests.support.oracle.evaluate import holds
from tests.support.oracle.generate import Generator, text_of
from tests.support.oracle.kinds import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


@pytest.mark.parametrize("table", [table for table in TABLES if table.refused], ids=lambda table: table.path)
async def test_a_refused_parameter_is_named_with_its_reason(world: World, table: FilterTable) -> None:
    for name in table.refused:
        response = await world.services[table.service].get(table.path, params={name: "x"})
        assert response.status_code == 400, name
        assert response.json()[name][0].startswith("Refused: "), name
        assert (await shown_rows(world, table, **{name: ""})) == sorted((table.rows or "").split()), name


@pytest.mark.parametrize(
    ("service", "path"),
    [
        (Service.METADATA, "/sessions"),
        (Service.METADATA, "/insertions"),
        (Service.REGISTRY, "/datasets"),
        (Service.SCHEDULER, "/tasks"),
    ],
)
async def test_rows_of_a_list_show_what_the_record_shows(world: World, service: Service, path: str) -> None:
    """The JSON of these lists is built by the database, that of the record is not."""
    client = world.services[service]
    whole = (await client.get(path)).json()
    assert whole["count"] == len(whole["results"]) > 1
    for row in whole["results"]:
        record = (await client.get(f"{path}/{row['id']}")).json()
        if path == "/insertions":  # the record shows its datasets whole
            record["datasets"] = sorted(dataset["id"] for dataset in record["datasets"])
        assert {name: record[name] for name in row} == row
    pages = [
        (await client.get(path, params={"limit": 1, "offset": n})).json() for n in (0, 1, whole["count"])
    ]
    assert [page["results"] for page in pages] == [whole["results"][:1], whole["results"][1:2], []]
    assert {page["count"] for page in pages} == {whole["count"]}


async def test_a_value_that_is_neither_true_nor_false_is_ignored_and_named(world: World) -> None:
    for service, path, name in (
        (Service.METADATA, "/subjects", "alive"),
        (Service.METADATA, "/users", "is_active"),
        (Service.REGISTRY, "/datasets", "public"),
    ):
        everything = (await world.services[service].get(path)).json()["count"]
        response = await world.services[service].get(path, params={name: "perhaps"})
        assert (response.status_code, response.json()["count"]) == (200, everything)
        assert response.headers[NOTICE] == f"ignored: {name}"
        strict = {"params": {name: "perhaps"}, "headers": {"Cingulum-Strict": "1"}}
        assert name in (await world.services[service].get(path, **strict)).json()


MALFORMED = (
    (Service.METADATA, "/subjects", {"id": "x", "birth_date": "spring", "json": "{'a': "}),
    (Service.METADATA, "/surgeries", {"implant_weight": "heavy", "outcome_type": "x", "start_time": "now"}),
    (Service.METADATA, "/labs", {"id": "x", "zscore_weight_pct": "nan"}),
    (Service.METADATA, "/users", {"id": "x", "date_joined": "2024-13-01"}),
    (Service.METADATA, "/sessions", {"auto_datetime": "9999-99-99", "end_time": "late", "search": "- %"}),
    (Service.METADATA, "/sessions", {"search": "a b c d e f g h i j k"}),
    (Service.REGISTRY, "/datasets", {"created_datetime": "0001-01-01T00:00:00+14:00"}),
    (Service.REGISTRY, "/datasets", {"date": "2024-03-02,2024-03-01", "created_date": "2024-03-02garbage"}),
    (Service.REGISTRY, "/data-notices", {"affected_date_start": "2024-03-02x12:00"}),
    (Service.METADATA, "/insertions", {"date": "2024-03-02,2024-03-01"}),
    (Service.METADATA, "/trajectories", {"date": "2024-03-02garbage"}),
    (Service.METADATA, "/subjects", {"birth_date": "2024-03-02,2024-03-01", "death_date": "2024-03-02,12"}),
    (
        Service.SCHEDULER,
        "/tasks",
        {"arguments": "pname", "parents": "x", "io_charge": "1.5", "datetime": "x"},
    ),
)


@pytest.mark.parametrize(("service", "path", "query"), MALFORMED)
async def test_a_value_of_the_wrong_kind_is_refused_by_name(
    world: World, service: Service, path: str, query: dict[str, str]
) -> None:
    for name, value in query.items():
        response = await world.services[service].get(path, params={name: value})
        assert response.status_code == 400, (name, response.text)
        assert name in response.text


SUBJECTS: tuple[tuple[dict[str, str], str], ...] = (
    ({"responsible_user": "ada", "sex": "F"}, "KS001"),
    ({"project": "Maze two", "projects": "maze"}, ""),
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
                isinstance(route, APIRoute) and {"limit", "offset"} <= query_parameters(route).declared.keys()
            ):
                continue
            if "{name}" in route.path:
                continue  # a list of one object, which is not in this world
            response = await running.get(route.path.format(service=service), params={"no_such_filter": "x"})
            is_refused = response.status_code == 400 and "no_such_filter" in response.json()
            if not is_refused and response.headers.get(NOTICE) != "ignored: no_such_filter":
                silent.append((service, route.path, response.status_code, response.text[:200]))
    assert silent == []


TEXTS = int(os.environ.get("CINGULUM_DJANGO_TEXTS", "500"))
SEED = int(os.environ.get("CINGULUM_DJANGO_SEED", "20240302"))
GENERATED = (
    (Service.METADATA, "/sessions", "session", "id"),
    (Service.METADATA, "/subjects", "subject", "id"),
    (Service.METADATA, "/insertions", "insertion", "id"),
    (Service.METADATA, "/fields-of-view", "field of view", "id"),
    (Service.METADATA, "/labs", "lab", "name"),
    (Service.METADATA, "/users", "user", "id"),
    (Service.REGISTRY, "/datasets", "dataset", "id"),
    (Service.REGISTRY, "/files", "file", "id"),
    (Service.SCHEDULER, "/tasks", "task", "id"),
)


BELOW_SESSION = (
    "qc,0", "extended_qc__behavior,1", "procedures__name,Nothing", "json__a,1", "location__name,rig_1",
    "location__lab__name,hilllab", "narrative__icontains,calm", "end_time__year,2024", "n_trials__gt,1",
    "n_correct_trials__gt,1", "parent_session__parent_session__isnull,True", "users__email,x",
    "users__lab__name,hilllab", "notes__text,calm", "notes__user__username,ada", "tasks__status,20",
    "tasks__name,first", "tasks__isnull,True", "tasks__arguments__pname,probe00", "tasks__parents__name,first",
    "subject__projects__name,maze", "subject__line__name,x", "subject__line__strain__name,x",
    "subject__death_date__isnull,True", "subject__json__a,1", "subject__litter__birth_date__year,2024",
    "subject__genotype__name,x", "subject__species__name,x", "subject__notes__text,calm",
    "subject__lab__institution,x", "subject__lab__locations__name,x", "probe_insertion__json__a,1",
    "probe_insertion__model__name,x", "field_of_view__imaging_type__name,x",
    "data_dataset_session_related__name,spikes.times.npy", "projects__users__username,ada", "session__number,1",
)  # fmt: skip
BELOW_DATASET = ("data_notices__name,drift", "downloads__count__gte,1", "downloads__user__username,ada")
LONG_PATHS = (
    *((Service.METADATA, "/sessions", text) for text in BELOW_SESSION),
    *((Service.METADATA, "/sessions", f"data_dataset_session_related__{text}") for text in BELOW_DATASET),
    *((Service.METADATA, "/insertions", f"session__{text}") for text in BELOW_SESSION),
    *((Service.REGISTRY, "/datasets", f"session__{text}") for text in BELOW_SESSION),
    *((Service.REGISTRY, "/datasets", text) for text in BELOW_DATASET),
    *((Service.REGISTRY, "/files", f"dataset__session__{text}") for text in BELOW_SESSION),
    *((Service.REGISTRY, "/files", f"dataset__{text}") for text in BELOW_DATASET),
    *((Service.SCHEDULER, "/tasks", f"session__{text}") for text in BELOW_SESSION),
    (Service.SCHEDULER, "/tasks", "parents__parents__parents__name,first"),
    (Service.METADATA, "/brain-regions", "parent__parent__parent__acronym,root"),
    (Service.METADATA, "/brain-regions", "children__children__channels__isnull,False"),
    (Service.METADATA, "/labs", "labmembership__role,x"),
    (Service.METADATA, "/users", "labmembership__lab__name,hilllab"),
)


async def test_a_path_goes_on_alike_whatever_list_it_begins_at(world: World) -> None:
    refused = []
    for service, path, text in LONG_PATHS:
        response = await world.services[service].get(path, params={"django": text, "limit": "1"})
        if response.status_code != 200:
            refused.append((path, response.text))
    assert refused == []


@pytest.mark.parametrize(("service", "path", "kind", "key"), GENERATED, ids=[case[1] for case in GENERATED])
async def test_generated_texts_of_django_keep_the_rows_that_plain_python_keeps(
    world: World, service: Service, path: str, kind: str, key: str
) -> None:
    data = await fetch_data(world.labs.cingulum.admin_url)
    shown_ids = {str(row["id"]) for row in await every_row(world, service, path, {})} if key == "id" else None
    rows = [
        row
        for row in data.rows(KINDS[kind].table, **KINDS[kind].values)
        if shown_ids is None or str(row["id"]) in shown_ids
    ]
    generator, wrong, n_telling = Generator(data, kind, SEED), [], 0
    for _ in range(TEXTS // len(GENERATED)):
        conditions = generator.conditions()
        expected = sorted(
            str(row[key])
            for row in rows
            if all(holds(data, kind, row, condition) for condition in conditions)
        )
        n_telling += 0 < len(expected) < len(rows)
        text = text_of(conditions)
        shown = sorted(str(row[key]) for row in await every_row(world, service, path, {"django": text}))
        if shown != expected:
            wrong.append((text, shown, expected))
    assert wrong == []
    assert n_telling > TEXTS // len(GENERATED) // 6


SHOWN = (
    *GENERATED,
    (Service.METADATA, "/surgeries", "surgery", "id"),
    (Service.METADATA, "/trajectories", "trajectory", "id"),
    (Service.METADATA, "/channels", "channel", "id"),
    (Service.METADATA, "/notes", "note", "id"),
)


@pytest.mark.parametrize(("service", "path", "kind", "key"), SHOWN, ids=[case[1] for case in SHOWN])
async def test_a_field_is_null_for_django_where_its_list_shows_null(
    world: World, service: Service, path: str, kind: str, key: str
) -> None:
    shown = await every_row(world, service, path, {})
    wrong = []
    for name in shown[0]:
        if name == "revision" or any(isinstance(row[name], list | dict) for row in shown):
            continue  # relations: a file without a revision shows "", as with Alyx, but has none
        for lookup, expected in (
            (f"{name}__isnull,True", [row[key] for row in shown if row[name] is None]),
            (f"{name},", [row[key] for row in shown if row[name] == ""]),
        ):
            answer = await world.services[service].get(path, params={"django": lookup, "limit": "1000"})
            if answer.status_code != 200:
                continue  # not in the map, or no text
            matching = [row[key] for row in answer.json()["results"]]
            if sorted(map(str, matching)) != sorted(map(str, expected)):
                wrong.append((lookup, len(matching), len(expected)))
    assert wrong == []


async def every_row(
    world: World, service: Service, path: str, query: dict[str, str]
) -> list[dict[str, object]]:
    """The rows of a list; a refusal as a row with its text."""
    response = await world.services[service].get(path, params={"limit": "1000", **query})
    if response.status_code != 200:
        return [{"id": response.text, "name": response.text}]
    return list(response.json()["results"])
