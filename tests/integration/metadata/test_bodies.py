"""What bodies need, what their fields are by default, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(shared_labs: Labs) -> dict[str, str]:
    """Paths of one row of each kind, and the names that they need."""
    await shared_labs.animal("KS001")
    session = await shared_labs.session("KS001", narrative="calm")
    await shared_labs.post("/locations", name="rig", lab="hilllab")
    await shared_labs.project("maze", "ada")
    ids = {
        "water": await shared_labs.post("/water-administrations", subject="KS001", water_administered=1),
        "surgery": await shared_labs.post("/surgeries", subject="KS001", start_time="2024-03-01"),
        "probe": await shared_labs.post("/insertions", session=session["id"], name="probe00"),
    }
    return {name: row["id"] for name, row in ids.items()} | {"session": session["id"]}


NEEDED = (
    ("/sessions/{session}", "subject", "KS001", "narrative"),
    ("/subjects/KS001", "lab", "hilllab", "description"),
    ("/water-administrations/{water}", "subject", "KS001", "adlib"),
    ("/surgeries/{surgery}", "subject", "KS001", "narrative"),
    ("/insertions/{probe}", "name", "probe00", "serial"),
    ("/labs/coastlab", "name", "coastlab", "institution"),
    ("/projects/maze", "name", "maze", "description"),
    ("/locations/rig", "name", "rig", "json"),
    ("/users/eve", "username", "eve", "email"),
)


@pytest.mark.parametrize(("path", "needed", "value", "other"), NEEDED)
async def test_put_names_what_it_lacks_and_changes_nothing(
    shared_labs: Labs, rows: dict[str, str], path: str, needed: str, value: str, other: str
) -> None:
    path = path.format_map(rows)
    before = (await shared_labs.metadata.get(path)).json()
    change: dict[str, Any] = {other: {"a": 1} if other == "json" else True if other == "adlib" else "x@y.org"}
    refused = [await shared_labs.metadata.put(path, change | lacking) for lacking in ({}, {needed: None})]
    assert [(response.status_code, needed in response.json()) for response in refused] == [(400, True)] * 2
    assert (await shared_labs.metadata.get(path)).json() == before
    response = await shared_labs.metadata.put(path, change | {needed: value})
    assert (response.status_code, response.json()[other]) == (200, change[other])
    changed = {name for name in before if response.json()[name] != before[name]}
    assert changed <= {other, "auto_datetime"}


async def test_a_put_of_a_missing_row_is_404_whatever_it_lacks(shared_labs: Labs) -> None:
    for path in ("/sessions/00000000-0000-4000-8000-00000000dead", "/subjects/nobody", "/labs/nolab"):
        assert (await shared_labs.metadata.put(path, {})).status_code == 404
