"""Filters of the list of subjects."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colony(shared_labs: Labs) -> Labs:
    """KS001 in a project, KS002 that died, both restricted; NY001 of a stock manager in the other lab."""
    await shared_labs.project("maze", "ada")
    await shared_labs.animal("KS001", projects=["maze"], sex="F")
    await shared_labs.animal("KS002", death_date="2020-05-05")
    await shared_labs.animal("NY001", lab="coastlab", responsible_user="stock")
    for nickname in ("KS001", "KS002"):
        await shared_labs.post(
            "/water-restriction", subject=nickname, start_time="2020-01-01", reference_weight=20.0
        )
    return shared_labs


@pytest.mark.parametrize(
    ("query", "nicknames"),
    [
        ({}, ["KS001", "KS002", "NY001"]),
        ({"alive": "True"}, ["KS001", "NY001"]),
        ({"alive": "false"}, ["KS002"]),
        ({"alive": "perhaps"}, ["KS001", "KS002", "NY001"]),
        ({"stock": "true"}, ["NY001"]),
        ({"stock": "False"}, ["KS001", "KS002"]),
        ({"water_restricted": "True"}, ["KS001"]),
        ({"water_restricted": "False"}, ["NY001"]),
        ({"lab": "coastlab"}, ["NY001"]),
        ({"responsible_user": "ada", "sex": "F"}, ["KS001"]),
        ({"project": "maze"}, ["KS001"]),
        ({"projects": "maze"}, ["KS001"]),
        ({"nickname": "KS001"}, ["KS001"]),
        ({"nickname": ""}, ["KS001", "KS002", "NY001"]),
        ({"unknown": "x"}, ["KS001", "KS002", "NY001"]),
    ],
)
async def test_subjects_are_filtered(colony: Labs, query: dict[str, str], nicknames: list[str]) -> None:
    assert await colony.names("/subjects", "nickname", **query) == nicknames
