"""Two subjects of one nickname in two labs: both are reached, and a name that means both says so."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
TWIN = "KS001"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twins(shared_labs: Labs) -> dict[str, dict[str, Any]]:
    """Ada's subject in hilllab and bob's in coastlab, of one nickname."""
    here = await shared_labs.animal(TWIN)
    there = await shared_labs.animal(TWIN, lab="coastlab", responsible_user="bob")
    return {"hilllab": here, "coastlab": there}


def _shown(body: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(item["id"], item["lab"], item["url"].rpartition("/")[2]) for item in body["subjects"]}


@pytest.mark.parametrize("path", ["/subjects/{}", "/water-requirement/{}"])
async def test_a_path_with_the_name_of_two_lists_both(
    shared_labs: Labs, twins: dict[str, dict[str, Any]], path: str
) -> None:
    answer = await shared_labs.as_("bob").get(path.format(TWIN))
    assert (answer.status_code, answer.json()["type"]) == (409, "ambiguous-name")
    assert _shown(answer.json()) == {(twin["id"], lab, twin["id"]) for lab, twin in twins.items()}
    for lab, twin in twins.items():
        answer = await shared_labs.as_("bob").get(path.format(twin["id"]))
        assert answer.status_code == 200
        assert answer.json().get("lab", lab) == lab


async def test_urls_of_subjects_with_one_name_have_their_ids(
    shared_labs: Labs, twins: dict[str, dict[str, Any]]
) -> None:
    urls = await shared_labs.names("/subjects", "url", nickname=TWIN)
    assert {url.rpartition("/")[2] for url in urls} == {twin["id"] for twin in twins.values()}
    other = await shared_labs.animal("KS002")
    assert other["url"].endswith("/subjects/KS002")


BODIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/sessions", {"start_time": "2024-03-02"}),
    ("/surgeries", {"start_time": "2024-03-02"}),
    ("/water-restriction", {"start_time": "2024-03-02", "reference_weight": 20}),
    ("/weighings", {"weight": 20}),
    ("/water-administrations", {"water_administered": 1}),
)


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_a_body_names_one_of_them_by_id_or_with_the_lab(
    shared_labs: Labs, twins: dict[str, dict[str, Any]], path: str, body: dict[str, Any]
) -> None:
    refused = await shared_labs.metadata.post(path, body | {"subject": TWIN})
    assert (refused.status_code, "subject" in refused.json()) == (409, True)
    assert _shown(refused.json()) == {(twin["id"], lab, twin["id"]) for lab, twin in twins.items()}
    named: list[dict[str, Any]] = [{"subject": twins["coastlab"]["id"]}]
    if path not in {"/weighings", "/water-administrations"}:  # whose bodies have no lab
        named.append({"subject": TWIN, "lab": "coastlab"})
    for choice in named:
        made = await shared_labs.as_("bob").post(path, body | choice)
        assert (made.status_code, made.json()["subject"]) == (201, TWIN)
        more = {"ids": "true"} if path == "/water-restriction" else {}
        of_subject = f"subject__id,{twins['coastlab']['id']}"
        if "id" in made.json():
            assert made.json()["id"] in await shared_labs.names(path, django=of_subject, **more)


async def test_patch_put_and_delete_reach_each_by_id(
    shared_labs: Labs, twins: dict[str, dict[str, Any]]
) -> None:
    bob, path = shared_labs.as_("bob"), f"/subjects/{twins['coastlab']['id']}"
    assert (await bob.patch(path, {"description": "b"})).json()["description"] == "b"
    assert (await bob.put(path, {"lab": "coastlab", "description": "c"})).json()["description"] == "c"
    assert (await bob.patch(f"/subjects/{TWIN}", {"description": "d"})).status_code == 409
    third = await shared_labs.animal("KS003")
    await shared_labs.animal("KS003", lab="coastlab", responsible_user="bob")
    assert (await shared_labs.metadata.delete("/subjects/KS003")).status_code == 409
    assert (await shared_labs.metadata.delete(f"/subjects/{third['id']}")).status_code == 204
    left = await shared_labs.metadata.get("/subjects/KS003")
    assert (left.json()["lab"], left.json()["url"].rpartition("/")[2]) == ("coastlab", "KS003")


async def test_a_hidden_namesake_makes_no_name_ambiguous(shared_labs: Labs) -> None:
    await shared_labs.project("hidden", "ada", is_private=True)
    hidden = await shared_labs.animal("KS004", projects=["hidden"])
    await shared_labs.animal("KS004", lab="coastlab", responsible_user="bob")
    shown = await shared_labs.as_("bob").get("/subjects/KS004")
    assert (shown.json()["lab"], shown.json()["url"].rpartition("/")[2]) == ("coastlab", "KS004")
    weighed = await shared_labs.as_("bob").post("/weighings", {"subject": "KS004", "weight": 20})
    assert weighed.status_code == 201
    assert (await shared_labs.as_("bob").get(f"/subjects/{hidden['id']}")).status_code == 404
    assert (await shared_labs.metadata.get("/subjects/KS004")).status_code == 409


async def test_an_action_moves_to_the_subject_that_a_change_names(shared_labs: Labs) -> None:
    for nickname in ("KS005", "KS006"):
        await shared_labs.animal(nickname)
    for path in ("/surgeries", "/sessions", "/water-restriction"):
        row = await shared_labs.post(
            path, subject="KS005", start_time="2024-03-02", **{"reference_weight": 20}
        )
        moved = await shared_labs.metadata.patch(f"{path}/{row['id']}", {"subject": "KS006"})
        assert moved.json()["subject"] == "KS006"


LISTS = (
    "/sessions",
    "/surgeries",
    "/weighings",
    "/water-administrations",
    "/water-restriction",
    "/insertions",
    "/trajectories",
    "/channels",
    "/fields-of-view",
    "/chronic-insertions",
)


async def test_a_list_by_the_name_of_two_warns_and_takes_either_id(
    shared_labs: Labs, twins: dict[str, dict[str, Any]]
) -> None:
    bob = shared_labs.as_("bob")
    days = {}
    for lab, twin in twins.items():
        writer = bob if lab == "coastlab" else shared_labs.metadata
        made = await writer.post("/sessions", {"subject": twin["id"], "start_time": "2024-05-07"})
        days[lab] = made.json()["id"]
        await writer.post("/weighings", {"subject": twin["id"], "weight": 21})
        await writer.post("/insertions", {"session": days[lab], "name": "probe00"})
    for path in LISTS:
        answer = await bob.get(path, params={"subject": TWIN})
        if not answer.json()["count"] and path in {"/sessions", "/insertions"}:
            raise AssertionError(path)
        notice = answer.headers["Alyx-API-Notice"]
        assert all(f"subject={twin['id']} in {lab}" in notice for lab, twin in twins.items()), (path, notice)
        alone = await bob.get(path, params={"subject": twins["coastlab"]["id"]})
        assert "nickname of" not in alone.headers.get("Alyx-API-Notice", ""), path
    for lab, twin in twins.items():
        query = {"subject": twin["id"], "date_range": "2024-05-07,2024-05-07"}
        assert await shared_labs.names("/sessions", "id", **query) == [days[lab]]
        assert await shared_labs.names("/subjects", "id", nickname=twin["id"]) == [twin["id"]]
        narrowed = await bob.get("/sessions", params={"subject": TWIN, "lab": lab})
        assert "nickname of" not in narrowed.headers.get("Alyx-API-Notice", "")
    weights = await shared_labs.names("/weighings", "weight", subject=twins["coastlab"]["id"])
    assert list(weights).count(21) == 1
