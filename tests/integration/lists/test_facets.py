"""Facets count the sessions that the list finds by each of their values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.testing import Running
from tests.support.labs import shared_two_labs
from tests.support.list_filters.world import World, make_world

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Rows of all lists."""
    async with shared_two_labs(postgres, template, str(tmp_path_factory.mktemp("facets") / "home")) as labs:
        yield await make_world(labs)


async def facets(caller: Running, **query: Any) -> dict[str, Any]:
    answer = await caller.get("/facets", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def counts(answer: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        facet["name"]: {each["label"]: each["count"] for each in facet["values"]}
        for facet in answer["facets"]
    }


async def test_a_stranger_is_refused(world: World) -> None:
    assert (await world.labs.metadata.as_(None).get("/facets")).status_code == 403


async def test_each_value_counts_the_sessions_that_have_it(world: World) -> None:
    answer = await facets(world.labs.metadata)
    assert answer["count"] == 3
    assert counts(answer) == {
        "lab": {"hilllab": 2, "coastlab": 1},
        "subject": {"KS001": 2, "NY001": 1},
        "project": {"maze": 2, "Maze two": 1},
        "task_protocol": {"_iblrig_ephysChoiceWorld": 1},
        "dataset_type": {"spikes.times": 2, "clusters.depths": 1, "spikes.amps": 1},
        "brain_region": {
            "Field CA1": 1,
            "Primary motor area": 1,
            "Primary motor area Layer 1": 1,
            "Primary visual area layer 1": 1,
        },
        "qc": {"NOT_SET": 2, "FAIL": 1},
        "year": {"2024": 3},
    }


@pytest.mark.parametrize("username", ["root", "public", "bob"])
@pytest.mark.parametrize("query", [{}, {"subject": "KS001"}, {"search": "calm"}, {"number": "9"}])
async def test_the_list_finds_as_many_by_the_parameter_of_a_facet(
    world: World, username: str, query: dict[str, str]
) -> None:
    caller = world.labs.as_(username)
    answer = await facets(caller, **query)
    listed = (await caller.get("/sessions", params=query)).json()["count"]
    assert answer["count"] == listed
    for facet in answer["facets"]:
        for each in facet["values"]:
            narrowed = {**query, facet["parameter"]: each["value"]}
            n_sessions = (await caller.get("/sessions", params=narrowed)).json()["count"]
            assert n_sessions == each["count"], (facet["name"], each)


async def test_most_limits_the_values_and_all_are_counted(world: World) -> None:
    answer = await facets(world.services[Service.METADATA], most=1)
    [types] = [facet for facet in answer["facets"] if facet["name"] == "dataset_type"]
    assert ([each["value"] for each in types["values"]], types["n_values"]) == (["spikes.times"], 3)
    assert (await world.labs.metadata.get("/facets?most=0")).status_code == 400


async def test_sessions_of_hidden_projects_are_not_counted(world: World) -> None:
    labs = world.labs
    await labs.project("closed", "ada", is_private=True)
    await labs.session("KS001", number=9, projects=["closed"], task_protocol="closedProtocol")
    assert "closed" not in str(await facets(labs.as_("bob")))
    member = labs.as_("ada", projects=frozenset({labs.project_ids["closed"]}))
    assert counts(await facets(member))["project"]["closed"] == 1
