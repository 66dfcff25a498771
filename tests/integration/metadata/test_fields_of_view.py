"""Fields of view with their locations and stacks: created, changed, searched by brain region, deleted and restored."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.imaging import CORNERS, a_field_of_view, a_location
from tests.support.labs import Labs, a_registry, registered

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "3f1c9d6e-0000-4000-8000-000000000000"
VISP4, VISP1, CA1 = 721, 593, 382


@pytest_asyncio.fixture(loop_scope="module")
async def session(shared_labs: Labs, nickname: str) -> dict[str, Any]:
    """Session 1 of a subject."""
    await shared_labs.animal(nickname)
    return await shared_labs.session(nickname)


async def test_a_field_of_view_shows_its_locations_the_default_one_first(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    ada, body = (
        shared_labs.as_("ada"),
        {"session": session["id"], "name": "FOV_00", "imaging_type": "mesoscope"},
    )
    created = await ada.post("/fields-of-view", body)
    assert created.status_code == 201, created.text
    fov = created.json()
    assert fov == body | {"id": fov["id"], "location": [], "json": None, "stack": None, "datasets": []}
    estimate = {
        "field_of_view": fov["id"],
        "provenance": "E",
        "default_provenance": True,
        "brain_region": [VISP1, 0],
    }
    made = await ada.post("/fov-location", estimate | CORNERS)
    assert made.status_code == 201, made.text
    location = made.json()
    assert {name: location[name] for name in (*estimate, *CORNERS)} == estimate | CORNERS
    assert (location["coordinate_system"], location["json"]) == ("IBL-Allen", None)
    second = (await ada.post("/fov-location", estimate | CORNERS | {"provenance": "Histology"})).json()
    assert (await ada.get(f"/fov-location/{location['id']}")).json()["default_provenance"] is False
    [shown] = (await ada.get(f"/sessions/{session['id']}")).json()["field_of_view"]
    assert [(row["provenance"], row["default_provenance"]) for row in shown["location"]] == [
        ("H", True),
        ("E", False),
    ]
    assert shown["location"][0] == {
        name: second[name] for name in second if name not in {"json", "field_of_view"}
    }
    assert shown == (await shared_labs.as_("eve").get(f"/fields-of-view/{fov['id']}")).json()


async def test_names_are_unique_in_a_session_and_provenances_in_a_field_of_view(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    ada, body = shared_labs.as_("ada"), {"session": session["id"], "name": "FOV_00"}
    several = await asyncio.gather(*(ada.post("/fields-of-view", body) for _ in range(3)))
    assert sorted(response.status_code for response in several) == [201, 409, 409]
    assert (await ada.post("/fields-of-view", body | {"name": "fov_00"})).status_code == 409
    other = await a_field_of_view(shared_labs, session["id"], "FOV_01")
    assert (await ada.patch(f"/fields-of-view/{other}", {"name": "FOV_00"})).status_code == 409
    location = {"field_of_view": other, "provenance": "E", "default_provenance": True} | CORNERS
    several = await asyncio.gather(*(ada.post("/fov-location", location) for _ in range(3)))
    assert sorted(response.status_code for response in several) == [201, 400, 400]
    landmark = await a_location(shared_labs, other, provenance="L", default_provenance=False)
    taken = await ada.patch(f"/fov-location/{landmark}", {"provenance": "ESTIMATE"})
    assert (taken.status_code, "non_field_errors" in taken.json()) == (400, True)
    for path in (f"/fields-of-view/{other}", f"/fov-location/{landmark}"):
        assert (await ada.put(path, {"json": {}})).status_code == 400


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/fields-of-view", "session", NOBODY),
        ("/fields-of-view", "name", ""),
        ("/fields-of-view", "name", "a/b"),
        ("/fields-of-view", "imaging_type", "polaroid"),
        ("/fields-of-view", "stack", NOBODY),
        ("/fields-of-view", "datasets", [NOBODY]),
        ("/fov-location", "field_of_view", NOBODY),
        ("/fov-location", "provenance", "Guessed"),
        ("/fov-location", "coordinate_system", "Paxinos"),
        ("/fov-location", "brain_region", [-1]),
        ("/fov-location", "x", ["far"]),
        ("/fov-location", "y", [1.0] * 9),
        ("/fov-location", "z", None),
        ("/fov-location", "n_xyz", [512.5]),
    ],
)
async def test_an_unknown_value_is_refused_by_field(
    shared_labs: Labs, session: dict[str, Any], path: str, field: str, value: object
) -> None:
    of_location = {
        "field_of_view": await a_field_of_view(shared_labs, session["id"]),
        "provenance": "E",
    } | CORNERS
    body = {"session": session["id"], "name": "FOV_09"} if path == "/fields-of-view" else of_location
    response = await shared_labs.as_("ada").post(path, body | {field: value})
    named = {name.partition(".")[0] for name in response.json()}
    assert (response.status_code, field in named) == (400, True), response.text


async def test_a_change_keeps_what_it_does_not_name(shared_labs: Labs, session: dict[str, Any]) -> None:
    ada, fov = shared_labs.as_("ada"), await a_field_of_view(shared_labs, session["id"])
    path = f"/fov-location/{await a_location(shared_labs, fov, CA1)}"
    before = (await ada.get(path)).json()
    changed = (await ada.patch(path, {"brain_region": [VISP4], "x": [None, 1.5]})).json()
    assert changed == before | {
        "brain_region": [VISP4],
        "x": [None, 1.5],
        "auto_datetime": changed["auto_datetime"],
    }
    assert changed["auto_datetime"] > before["auto_datetime"]
    shown = (await ada.patch(f"/fields-of-view/{fov}", {"imaging_type": None, "json": {"a": 1}})).json()
    assert (shown["name"], shown["imaging_type"], shown["json"]) == ("FOV_00", None, {"a": 1})
    audit_id = (await shared_labs.metadata.get("/audit/metadata")).json()["results"][0]["id"]
    assert (await ada.post(f"/undo/metadata/{audit_id}", {})).status_code == 200
    assert (await ada.get(f"/fields-of-view/{fov}")).json()["imaging_type"] == "mesoscope"


async def test_regions_of_the_default_location_answer_searches_with_those_around_them(
    shared_labs: Labs, session: dict[str, Any], nickname: str
) -> None:
    stack = (await shared_labs.post("/imaging-stack", name=7))["id"]
    fov = await a_field_of_view(shared_labs, session["id"], stack=stack)
    await a_location(shared_labs, fov, CA1, provenance="E")
    await a_location(shared_labs, fov, VISP4, VISP1, provenance="H")
    answers = {"/sessions": session["id"], "/fields-of-view": fov, "/imaging-stack": stack}
    for path, row_id in answers.items():
        for query in ({"atlas_acronym": "visp"}, {"atlas_id": 385}, {"atlas_name": "area LAYER 4"}):
            assert row_id in await shared_labs.names(path, **query), (path, query)
        assert row_id not in await shared_labs.names(path, atlas_acronym="CA1"), path
    ours = f"session__subject__nickname,{nickname}"
    for path, django, expected in (
        ("/brain-regions", f"fovlocation__field_of_view__{ours}", {CA1, VISP4, VISP1}),
        ("/fields-of-view", f"location__brain_region__acronym,CA1,{ours}", {fov}),
        ("/imaging-stack", f"slices__location__provenance,H,slices__{ours}", {stack}),
        ("/sessions", f"field_of_view__stack__name,7,{ours[9:]}", {session["id"]}),
    ):  # fmt: skip
        assert set(await shared_labs.names(path, django=django)) == expected, django


async def test_a_stack_is_its_creators_until_it_has_slices_of_a_session(
    shared_labs: Labs, session: dict[str, Any], nickname: str
) -> None:
    ada, bob = shared_labs.as_("ada"), shared_labs.as_("bob")
    stack = (await ada.post("/imaging-stack", {"name": "s", "json": {"a": 1}})).json()
    path = f"/imaging-stack/{stack['id']}"
    assert stack == {"id": stack["id"], "name": "s", "json": {"a": 1}, "slices": []}
    assert ((await ada.get(path)).json(), (await bob.get(path)).status_code) == (stack, 404)
    foreign = await ada.post("/fields-of-view", {"session": session["id"], "name": "a", "stack": stack["id"]})
    assert foreign.status_code == 201
    assert (await bob.get(path)).json()["slices"] == [foreign.json()]
    assert stack["id"] in await shared_labs.names("/imaging-stack", key="id", username="bob", name="s")
    other = await shared_labs.session(nickname, number=2)
    body = {"session": other["id"], "name": "b", "stack": stack["id"]}
    refused = await ada.post("/fields-of-view", body)
    assert (refused.status_code, "stack" in refused.json()) == (400, True)
    deleted = await ada.delete(f"/fields-of-view/{foreign.json()['id']}")
    assert (await ada.post("/fields-of-view", body)).status_code == 201
    undo = deleted.headers["Location"]
    undone = await ada.post(undo[undo.index("/undo/") :], {})
    assert (undone.status_code, "stack" in undone.json()["detail"]) == (409, True)


async def test_datasets_are_those_of_its_folder_unless_it_names_some(
    shared_labs: Labs, nickname: str
) -> None:
    registry = await a_registry(shared_labs)
    await shared_labs.animal(nickname)
    session = await shared_labs.session(nickname)
    names = ("alf/FOV_00/mpci.times.npy", "raw_imaging_data_00/imaging.times.npy")
    files = await registered(registry, f"{nickname}/2024-03-02/001", *names)
    in_folder, outside = (file["id"] for file in files)
    fov = await a_field_of_view(shared_labs, session["id"])
    await a_location(shared_labs, fov, VISP4)
    ada, path = shared_labs.as_("ada"), f"/fields-of-view/{fov}"
    assert (await ada.get(path)).json()["datasets"] == [in_folder]
    assert (await ada.patch(path, {"datasets": [outside]})).json()["datasets"] == [outside]
    by_region = {"subject": nickname, "atlas_acronym": "VISp"}
    for query in (by_region, {"django": f"field_of_view__name,FOV_00,session__subject__nickname,{nickname}"}):
        listed = (await registry.get("/datasets", params=query)).json()["results"]
        assert [row["url"].rpartition("/")[2] for row in listed] == [outside]
    assert await shared_labs.names("/fields-of-view", datasets="imaging.times.npy") == [fov]
    assert (await ada.patch(path, {"datasets": None})).json()["datasets"] == [in_folder]
    assert (await registry.get("/datasets", params=by_region)).json()["count"] == 1
    assert (await registry.get("/datasets", params=by_region | {"atlas_acronym": "CA1"})).json()["count"] == 0


async def test_a_deletion_takes_the_locations_and_an_undo_brings_them_back(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    ada, bob = shared_labs.as_("ada"), shared_labs.as_("bob")
    fov = await a_field_of_view(shared_labs, session["id"])
    location = await a_location(shared_labs, fov, VISP4)
    paths = (f"/fields-of-view/{fov}", f"/fov-location/{location}")
    for path in paths:
        for method in ("PUT", "PATCH", "DELETE"):
            body = {"session": session["id"], "name": "x", "field_of_view": fov, "provenance": "E"} | CORNERS
            assert (await bob.request(method, path, json=body)).status_code == 403, (method, path)
    preview = (await ada.delete(paths[0], params={"dry_run": 1})).json()
    assert preview["removed"] == {"field-of-view": 1, "fov-location": 1}
    deleted = await ada.delete(paths[0], headers={"Prefer": "return=representation"})
    assert deleted.json()["removed"] == preview["removed"]
    assert [(await ada.get(path)).status_code for path in paths] == [404, 404]
    undo = deleted.headers["Location"]
    assert (await ada.post(undo[undo.index("/undo/") :], {})).json()["restored"] == preview["removed"]
    assert (await ada.get(paths[0])).json()["location"][0]["id"] == location
    assert (await ada.delete(f"/sessions/{session['id']}")).status_code == 204
    assert [(await ada.get(path)).status_code for path in paths] == [404, 404]


async def test_an_undo_makes_no_second_location_the_default(
    shared_labs: Labs, session: dict[str, Any]
) -> None:
    ada, fov = shared_labs.as_("ada"), await a_field_of_view(shared_labs, session["id"])
    first = await a_location(shared_labs, fov, provenance="E")
    second = await a_location(shared_labs, fov, provenance="H")
    entries = (await shared_labs.metadata.get("/audit/metadata", params={"object_id": first})).json()[
        "results"
    ]
    [changed] = [entry for entry in entries if entry["action"] == "fov-location.changed"]
    assert (await ada.post(f"/undo/metadata/{changed['id']}", {})).status_code == 409
    deleted = await ada.delete(f"/fov-location/{second}")
    assert (await ada.post(f"/undo/metadata/{changed['id']}", {})).status_code == 200
    undo = deleted.headers["Location"]
    undone = await ada.post(undo[undo.index("/undo/") :], {})
    assert (undone.status_code, "Another fov location" in undone.json()["detail"]) == (409, True)
