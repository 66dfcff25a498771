"""Objects of a private project exist for its users and administrators only."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio

from libs.common.testing import Running
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Private:
    """A project of ada's, with a subject and a session, and what belongs to them."""

    labs: Labs
    project_id: UUID
    session: str
    insertion: str
    weighing: str
    water: str

    @property
    def ada(self) -> Running:
        """Metadata as ada calls it."""
        return self.labs.as_("ada", projects=frozenset({self.project_id}))

    @property
    def bob(self) -> Running:
        """Metadata as bob calls it, who is not a user of the project."""
        return self.labs.as_("bob")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def private(shared_labs: Labs) -> Private:
    labs = shared_labs
    project_id = await labs.project("secret", "ada", is_private=True)
    await labs.animal("KS001")
    await labs.animal("KS666", projects=["secret"])
    session = await labs.session("KS001", projects=["secret"], number=6)
    await labs.session("KS001", number=1)
    insertion = await labs.post("/insertions", session=session["id"], name="probe00")
    weighing = await labs.post("/weighings", subject="KS666", weight=20)
    water = await labs.post("/water-administrations", subject="KS666", water_administered=1)
    return Private(labs, project_id, session["id"], insertion["id"], weighing["id"], water["id"])


async def test_they_are_read_by_its_users_and_administrators_only(private: Private) -> None:
    for path in (
        f"/sessions/{private.session}",
        f"/insertions/{private.insertion}",
        f"/weighings/{private.weighing}",
        f"/water-administrations/{private.water}",
        "/subjects/KS666",
        "/projects/secret",
    ):
        assert (await private.bob.get(path)).status_code == 404, path
        assert (await private.ada.get(path)).status_code == 200, path
        assert (await private.labs.metadata.get(path)).status_code == 200, path


async def test_a_session_that_moves_to_a_subject_in_private_projects_belongs_to_them(
    private: Private,
) -> None:
    labs = private.labs
    moved = await labs.session("KS001", number=11, projects=[])
    path, hidden = f"/sessions/{moved['id']}", {"subject": "KS666"}
    assert (await private.bob.get(path)).status_code == 200
    answer = await labs.metadata.patch(path, hidden)
    assert (answer.json()["projects"], (await private.bob.get(path)).status_code) == (["secret"], 404)
    assert (await labs.metadata.put(path, hidden | {"projects": []})).json()["projects"] == ["secret"]
    await labs.metadata.delete(path)


async def test_an_undo_hides_a_session_of_a_private_subject_and_no_other(private: Private) -> None:
    labs = private.labs
    await labs.project("open", "ada")
    await labs.animal("KS013")
    session = (await labs.session("KS013", projects=[]))["id"]
    await labs.metadata.patch("/subjects/KS013", {"projects": ["secret"]})
    path, move = f"/sessions/{session}", {"subject": "KS001", "projects": ["open"]}
    for change, projects in (({"narrative": "late"}, []), (move, ["secret"])):
        assert (await labs.metadata.patch(path, change)).status_code == 200
        assert (await private.bob.get(path)).status_code == 200
        entries = (await labs.metadata.get(f"/audit/metadata?object_id={session}")).json()["results"]
        undone = await labs.metadata.post(f"/undo/metadata/{entries[0]['id']}")
        assert undone.status_code == 200, undone.text
        assert sorted((await labs.metadata.get(path)).json()["projects"]) == projects
    assert (await private.bob.get(path)).status_code == 404
    for made in (path, "/subjects/KS013", "/projects/open"):
        assert (await labs.metadata.delete(made)).status_code == 204


async def test_what_a_caller_is_not_shown_survives_a_whole_row(private: Private) -> None:
    labs = private.labs
    child = await labs.session("KS001", number=12, parent_session=private.session)
    insertion = (await labs.post("/insertions", session=child["id"], name="probe00"))["id"]
    water = {"subject": "KS001", "water_administered": 1, "session": private.session}
    water_id = (await labs.post("/water-administrations", **water))["id"]
    chronic = (await labs.post("/chronic-insertions", subject="KS001", name="c"))["id"]
    await labs.metadata.patch(f"/insertions/{insertion}", {"chronic_insertion": chronic})
    ada = labs.as_("ada")  # not in the project
    for path, field, hidden in (
        (f"/sessions/{child['id']}", "parent_session", private.session),
        (f"/water-administrations/{water_id}", "session", private.session),
    ):
        whole = (await ada.get(path)).json()
        assert whole[field] is None
        body = {"subject": "KS001", field: None}
        assert (await ada.put(path, body)).status_code == 200
        assert hidden in str((await labs.metadata.get(path)).json()[field]), path
        assert (await labs.metadata.patch(path, {field: None})).json()[field] is None
    cleared = await ada.patch(f"/insertions/{insertion}", {"chronic_insertion": None})
    assert cleared.json()["chronic_insertion"] is None
    for path in (
        f"sessions/{child['id']}",
        f"water-administrations/{water_id}",
        f"chronic-insertions/{chronic}",
    ):
        await labs.metadata.delete(f"/{path}")


async def test_a_write_of_others_is_refused_as_of_missing_objects(private: Private) -> None:
    for method, path, body in (
        ("PATCH", f"/sessions/{private.session}", {"narrative": "x"}),
        ("DELETE", f"/sessions/{private.session}", None),
        ("PATCH", f"/insertions/{private.insertion}", {"serial": "x"}),
        ("DELETE", f"/insertions/{private.insertion}", None),
        ("DELETE", f"/weighings/{private.weighing}", None),
        ("PATCH", f"/water-administrations/{private.water}", {"adlib": True}),
        ("PATCH", "/subjects/KS666", {"description": "x"}),
    ):
        answer = await private.bob.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)


async def test_lists_of_others_do_not_count_them(private: Private) -> None:
    for path, count in (
        ("/sessions", 1),
        ("/insertions", 0),
        ("/weighings", 0),
        ("/subjects", 1),
        ("/projects", 0),
    ):
        assert (await private.bob.get(path)).json()["count"] == count, path
        assert (await private.ada.get(path)).json()["count"] > count, path


async def test_visible_objects_do_not_name_them_to_others(private: Private) -> None:
    assert (await private.bob.get("/subjects/KS001")).json()["session_projects"] == []
    assert (await private.bob.get("/users/ada")).json()["subjects_responsible"] == ["KS001"]


async def test_for_others_the_name_of_the_project_does_not_exist(private: Private) -> None:
    labs = private.labs
    session = await labs.session("KS001", number=2)
    try:
        answer = await labs.as_("ada").patch(f"/sessions/{session['id']}", {"projects": ["secret"]})
        assert answer.json()["projects"] == ["Object with name=secret does not exist."]
    finally:
        await labs.metadata.delete(f"/sessions/{session['id']}")


async def test_deleting_a_private_project_publishes_nothing(private: Private) -> None:
    labs = private.labs
    await labs.project("deleted", "ada", is_private=True)
    session = await labs.session("KS001", projects=["deleted"], number=3)
    assert (await labs.metadata.delete("/projects/deleted")).status_code == 204
    assert (await labs.metadata.get(f"/sessions/{session['id']}")).json()["projects"] == []
    assert (await private.bob.get(f"/sessions/{session['id']}")).status_code == 404


async def test_a_probe_keeps_no_hidden_chronic_insertion_of_another_subject(private: Private) -> None:
    """Root makes KS001's probe part of a chronic insertion in KS666, which is hidden; then the probe moves."""
    labs = private.labs
    await labs.project("open", is_private=False)
    first = await labs.session("KS666", number=21, projects=["open"])
    other = await labs.session("KS001", number=22)
    chronic = (await labs.post("/chronic-insertions", subject="KS666", name="hidden"))["id"]
    probe = {"session": first["id"], "name": "probe00", "chronic_insertion": chronic}
    path = f"/insertions/{(await labs.post('/insertions', **probe))['id']}"
    ada = labs.as_("ada")  # not in the project
    assert (await ada.get(path)).json()["chronic_insertion"] is None
    unchanged = await ada.put(path, {"session": first["id"], "name": "probe00", "chronic_insertion": None})
    assert unchanged.status_code == 200, unchanged.text
    assert (await labs.metadata.get(path)).json()["chronic_insertion"] == chronic
    moved = await ada.put(path, {"session": other["id"], "name": "probe00", "chronic_insertion": None})
    assert moved.status_code == 200, moved.text
    assert (await labs.metadata.get(path)).json()["chronic_insertion"] is None
    for made in (
        path,
        f"/chronic-insertions/{chronic}",
        f"/sessions/{first['id']}",
        f"/sessions/{other['id']}",
    ):
        await labs.metadata.delete(made)
