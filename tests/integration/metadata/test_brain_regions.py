"""Brain regions: the whole tree of the atlas, of which descriptions can be changed."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from cingulum.atlas import REGIONS
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_list_has_every_region_of_the_atlas_before_its_parts(shared_labs: Labs) -> None:
    shown: list[dict[str, Any]] = []
    for offset in (0, 1000):
        page = await shared_labs.as_("eve").get("/brain-regions", params={"limit": 1000, "offset": offset})
        assert page.json()["count"] == 1328
        shown += page.json()["results"]
    with REGIONS.open(newline="") as file:
        expected = {
            (int(row["id"]), row["acronym"], row["name"], row["parent"]) for row in csv.DictReader(file)
        }
    assert {
        (r["id"], r["acronym"], r["name"], str(r["parent"] or "") if r["id"] != 997 else "0") for r in shown
    } == (expected)
    places = {region["id"]: place for place, region in enumerate(shown)}
    assert all(places[r["parent"]] < places[r["id"]] for r in shown if r["parent"] is not None)


async def test_a_region_tells_the_descriptions_around_and_inside_it(shared_labs: Labs) -> None:
    described = {
        1089: "Hippocampus and around it",
        382: "The first field",
        463: "The third field",
        0: "Outside",
    }
    for region_id, text in described.items():
        answer = await shared_labs.metadata.patch(f"/brain-regions/{region_id}", {"description": text})
        assert (answer.status_code, answer.json()["description"]) == (200, text)
    field = (await shared_labs.as_("eve").get("/brain-regions/382")).json()
    assert field == {
        "id": 382,
        "acronym": "CA1",
        "name": "Field CA1",
        "description": "The first field",
        "parent": 375,
        "related_descriptions": [{"id": 1089, "acronym": "HPF", "description": "Hippocampus and around it"}],
    }
    around = (await shared_labs.as_("eve").get("/brain-regions/375")).json()
    assert [region["acronym"] for region in around["related_descriptions"]] == ["HPF", "CA1", "CA3"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_only_the_description_changes(shared_labs: Labs, method: str) -> None:
    ada, path = shared_labs.as_("ada"), "/brain-regions/549"
    before = (await ada.get(path)).json()
    body = {"id": 1, "acronym": "XX", "name": "other", "parent": 1, "description": f"by {method}"}
    changed = await ada.request(method, path, json=body)
    assert (changed.status_code, changed.json()) == (200, before | {"description": f"by {method}"})
    cleared = await ada.request(method, path, json={"description": None})
    assert cleared.json()["description"] is None


@pytest.mark.parametrize(("region", "status"), [("1328", 404), ("9223372036854775808", 400), ("VISp", 404)])
async def test_what_is_no_region_is_refused(shared_labs: Labs, region: str, status: int) -> None:
    assert (await shared_labs.metadata.get(f"/brain-regions/{region}")).status_code == status
    assert (await shared_labs.metadata.patch(f"/brain-regions/{region}", {})).status_code == status


async def test_readers_cannot_change_a_description(shared_labs: Labs) -> None:
    for caller in (shared_labs.as_("public"), shared_labs.as_("ada", "read")):
        assert (await caller.get("/brain-regions/549")).status_code == 200
        assert (await caller.patch("/brain-regions/549", {"description": "x"})).status_code == 403


async def test_regions_are_neither_created_nor_deleted(shared_labs: Labs) -> None:
    assert (await shared_labs.metadata.post("/brain-regions", {"id": 1})).status_code == 405
    assert (await shared_labs.metadata.delete("/brain-regions/549")).status_code == 405
