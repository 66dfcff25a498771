"""An undo moves back what a merge moved, where it still is, and nothing else."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.integration.merges.conftest import Services

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_was_added_since_stays(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    await services.fill(goes, "probe01", nickname)
    before = await services.holdings(goes)
    merge = await services.merged(stays, goes)
    await services.fill(stays, "probe02", nickname)
    await services.settle()
    await services.undone(merge)
    assert await services.holdings(goes) == before
    added = await services.holdings(stays)
    assert added["insertion"] == ["probe02"]
    assert added["dataset"] == ["alf/probe02/spikes.clusters.npy", "alf/probe02/spikes.times.npy"]
    assert added["task"] == ["Task probe02"]


async def test_what_was_moved_or_deleted_since_is_left_alone(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    other = (await services.labs.session(nickname, number=4))["id"]
    for name in ("moved", "deleted", "still"):
        await services.labs.post("/insertions", session=goes, name=name)
    await services.register(goes, "alf/spikes.times.npy", "alf/spikes.clusters.npy")
    merge = await services.merged(stays, goes)
    rows = (await services.metadata.get("/insertions", params={"session": stays})).json()["results"]
    ids = {row["name"]: row["id"] for row in rows}
    await services.metadata.patch(f"/insertions/{ids['moved']}", {"session": other})
    deletion = await services.metadata.delete(f"/insertions/{ids['deleted']}")
    datasets = (await services.registry.get("/datasets", params={"session": stays})).json()["results"]
    dataset_id = next(row["url"] for row in datasets if row["name"] == "spikes.clusters.npy").rpartition("/")[
        2
    ]
    gone = await services.registry.delete(f"/datasets/{dataset_id}")
    await services.undone(merge)
    assert await services.holdings(goes) == {"insertion": ["still"], "dataset": ["alf/spikes.times.npy"]}
    assert await services.holdings(stays) == {}
    assert await services.holdings(other) == {"insertion": ["moved"]}
    # What was deleted comes back to the session that it is of again.
    assert (await services.metadata.post(deletion.headers["Location"])).status_code == 200
    assert (await services.registry.post(gone.headers["Location"])).status_code == 200
    assert await services.holdings(goes) == {
        "insertion": ["deleted", "still"],
        "dataset": ["alf/spikes.clusters.npy", "alf/spikes.times.npy"],
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_chain_of_merges_is_undone_in_any_order(
    services: Services, nickname: str, order: tuple[int, int]
) -> None:
    a, b, c = await services.twins(nickname, 3)
    for n, session in enumerate((a, b, c)):
        await services.fill(session, f"probe0{n}", nickname)
    before = [await services.holdings(session) for session in (a, b, c)]
    merges = [await services.merged(b, a), await services.merged(c, b)]
    assert (await services.holdings(c))["insertion"] == ["probe00", "probe01", "probe02"]
    assert (await services.metadata.get(f"/sessions/{a}")).json()["merged_into"] == c
    for n in order:
        await services.undone(merges[n])
    assert [await services.holdings(session) for session in (a, b, c)] == before
    for merge in merges:
        again = await services.metadata.post(merge["undo"])
        assert (again.status_code, again.json()["detail"]) == (409, "This merge was undone already.")


async def test_a_session_is_merged_again_after_an_undo(services: Services, nickname: str) -> None:
    a, b = await services.twins(nickname)
    await services.fill(a, "probe00", nickname)
    before = await services.holdings(a)
    first = await services.merged(b, a)
    await services.undone(first)
    second = await services.merged(b, a)
    assert second["moved"] == first["moved"]
    assert await services.holdings(b) == before
    shown = await services.metadata.get("/session-merges", params={"session": a})
    assert [row["undone_at"] is None for row in shown.json()["results"]] == [True, False]
    for undone, merge in (("1", first), ("0", second)):
        rows = await services.metadata.get("/session-merges", params={"session": b, "undone": undone})
        assert [row["id"] for row in rows.json()["results"]] == [merge["id"]]


async def test_two_undos_at_once_are_one(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    merge = await services.merged(stays, goes)
    answers = await asyncio.gather(*(services.metadata.post(merge["undo"]) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_an_undo_waits_for_the_session_that_has_the_data(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    merge = await services.merged(stays, goes)
    deletion = await services.metadata.delete(f"/sessions/{stays}")
    refused = await services.as_("ada").metadata.post(merge["undo"])
    assert refused.status_code == 404, "ada did not merge them, and sees neither"
    refused = await services.metadata.post(merge["undo"])
    assert (refused.status_code, "deleted: restore it first" in refused.json()["detail"]) == (409, True)
    assert (await services.metadata.post(deletion.headers["Location"])).status_code == 200
    await services.undone(merge)


async def test_after_30_days_it_is_too_late(services: Services, nickname: str) -> None:
    stays, goes = await services.twins(nickname)
    merge = await services.merged(stays, goes)
    connection = await asyncpg.connect(services.labs.cingulum.admin_url)
    entry = int(merge["undo"].rpartition("/")[2])
    await connection.execute("UPDATE metadata.audit SET at = now() - interval '31 days' WHERE id = $1", entry)
    await connection.close()
    late = await services.metadata.post(merge["undo"])
    assert (late.status_code, "30 days" in late.json()["detail"]) == (409, True)
    assert (await services.metadata.get(f"/sessions/{goes}")).status_code == 404


async def test_users_and_projects_are_united_and_stay_so(services: Services, nickname: str) -> None:
    await services.labs.project(f"open-{nickname}")
    stays, goes = await services.twins(nickname)
    body = {"users": ["bob"], "projects": [f"open-{nickname}"], "narrative": "the better one"}
    await services.metadata.patch(f"/sessions/{goes}", body)
    merge = await services.merged(stays, goes)
    differs = {row["field"]: (row["session"], row["value"], row["current"]) for row in merge["not_taken"]}
    assert differs == {"narrative": (goes, "the better one", "")}
    await services.undone(merge)
    shown = (await services.metadata.get(f"/sessions/{stays}")).json()
    assert (sorted(shown["users"]), shown["projects"]) == (["bob", "root"], [f"open-{nickname}"])
    assert shown["narrative"] == ""


async def test_what_a_later_merge_did_with_a_row_moved_by_hand_stays(
    services: Services, nickname: str
) -> None:
    stays, goes = await services.twins(nickname)
    other, last = [(await services.labs.session(nickname, number=4))["id"] for _ in range(2)]
    probe = (await services.labs.post("/insertions", session=goes, name="probe00"))["id"]
    merge = await services.merged(stays, goes)
    await services.metadata.patch(f"/insertions/{probe}", {"session": other})
    await services.merged(last, other)
    await services.undone(merge)
    assert (await services.holdings(last), await services.holdings(goes)) == ({"insertion": ["probe00"]}, {})


async def test_an_undo_and_a_list_of_merges_open_nothing(services: Services, nickname: str) -> None:
    await services.labs.project(f"p-{nickname}", "ada", is_private=True)
    stays, goes = await services.twins(nickname)
    await services.metadata.patch(f"/sessions/{goes}", {"narrative": "secret"})
    merge = await services.merged(stays, goes)
    await services.metadata.patch(f"/sessions/{stays}", {"projects": [f"p-{nickname}"]})
    await services.undone(merge)
    bob = services.as_("bob").metadata
    assert (await services.metadata.get(f"/sessions/{goes}")).json()["projects"] == [f"p-{nickname}"]
    assert (await bob.get(f"/sessions/{goes}")).status_code == 404
    await services.metadata.patch(f"/sessions/{stays}", {"projects": []})
    assert (await services.metadata.get(f"/session-merges/{merge['id']}")).json()["not_taken"] != []
    assert (await bob.get(f"/session-merges/{merge['id']}")).json()["not_taken"] == []
