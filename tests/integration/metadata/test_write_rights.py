"""Members write in their lab, delegates for their delegator, stock managers everywhere; others nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from libs.common.scopes import Permission
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Objects:
    """Ids of objects of hilllab, and of a session of coastlab."""

    labs: Labs
    ids: Mapping[str, str]

    def writes(self, probe: str) -> tuple[tuple[str, str, dict[str, Any], int], ...]:
        """Requests that write in hilllab, with the status of one that is allowed."""
        ids = self.ids
        return (
            ("POST", "/sessions", {"subject": "KS001"}, 201),
            ("PATCH", f"/sessions/{ids['session']}", {"narrative": "x"}, 200),
            ("PUT", f"/sessions/{ids['session']}", {"subject": "KS001", "narrative": "y"}, 200),
            ("POST", "/insertions", {"session": ids["session"], "name": probe}, 201),
            ("PATCH", f"/insertions/{ids['insertion']}", {"serial": "x"}, 200),
            ("PATCH", "/subjects/KS001", {"description": "x"}, 200),
            ("POST", "/weighings", {"subject": "KS001", "weight": 21}, 201),
            ("POST", "/water-administrations", {"subject": "KS001", "water_administered": 1}, 201),
            ("PATCH", f"/water-administrations/{ids['water']}", {"water_administered": 2}, 200),
            ("PATCH", f"/surgeries/{ids['surgery']}", {"narrative": "x"}, 200),
            ("PATCH", f"/water-restriction/{ids['restriction']}", {"narrative": "x"}, 200),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def objects(shared_labs: Labs) -> Objects:
    labs = shared_labs
    await labs.animal("KS001")
    await labs.animal("NY001", lab="coastlab", responsible_user="bob")
    session = await labs.session()
    start = {"subject": "KS001", "start_time": "2024-01-01"}
    created = {
        "session": session,
        "insertion": await labs.post("/insertions", session=session["id"], name="probe00"),
        "weighing": await labs.post("/weighings", subject="KS001", weight=20),
        "water": await labs.post("/water-administrations", subject="KS001", water_administered=1),
        "surgery": await labs.post("/surgeries", **start),
        "restriction": await labs.post("/water-restriction", **start, reference_weight=20),
        "coastlab_session": await labs.session("NY001"),
    }
    await labs.post("/locations", name="rig_1", lab="hilllab")
    return Objects(labs, {name: body["id"] for name, body in created.items()})


async def test_a_member_of_another_lab_is_refused(objects: Objects) -> None:
    for method, path, body, _ in objects.writes("probe01"):
        answer = await objects.labs.as_("bob").request(method, path, json=body)
        assert answer.status_code == 403, (method, path, answer.text)


async def test_an_administrators_token_for_another_lab_is_refused(objects: Objects) -> None:
    labs = objects.labs
    narrowed = labs.as_("root", "read", labs.scope("coastlab", Permission.WRITE))
    for method, path, body, _ in objects.writes("probe01"):
        answer = await narrowed.request(method, path, json=body)
        assert answer.status_code == 403, (method, path, answer.text)


@pytest.mark.parametrize("username", ["ada", "dora", "stock"])
async def test_members_delegates_and_stock_managers_write(objects: Objects, username: str) -> None:
    for method, path, body, status in objects.writes(f"probe_{username}"):
        answer = await objects.labs.as_(username).request(method, path, json=body)
        assert answer.status_code == status, (method, path, answer.text)


async def test_a_record_of_another_lab_is_neither_moved_into_ones_own_nor_deleted(objects: Objects) -> None:
    bob, ids = objects.labs.as_("bob"), objects.ids
    for path, body in (
        (f"/water-administrations/{ids['water']}", {"subject": "NY001"}),
        (f"/insertions/{ids['insertion']}", {"session": ids["coastlab_session"]}),
        (f"/sessions/{ids['session']}", {"subject": "NY001"}),
    ):
        assert (await bob.patch(path, body)).status_code == 403, path
    for path in (
        f"/weighings/{ids['weighing']}",
        f"/insertions/{ids['insertion']}",
        f"/sessions/{ids['session']}",
    ):
        assert (await bob.delete(path)).status_code == 403, path


async def test_a_location_is_updated_by_its_lab_and_stock_managers(objects: Objects) -> None:
    for username, status in (("bob", 403), ("ada", 200), ("stock", 200)):
        answer = await objects.labs.as_(username).patch("/locations/rig_1", {"json": {"by": username}})
        assert answer.status_code == status, username


async def test_nothing_is_created_in_or_moved_to_another_lab(objects: Objects) -> None:
    ada = objects.labs.as_("ada")
    assert (await ada.post("/sessions", {"subject": "KS001", "lab": "coastlab"})).status_code == 403
    assert (await ada.post("/subjects", {"nickname": "x", "lab": "coastlab"})).status_code == 403
    assert (await ada.patch("/subjects/KS001", {"lab": "coastlab"})).status_code == 403


async def test_a_subject_is_passed_on_by_its_responsible_user_only(objects: Objects) -> None:
    labs, new_owner = objects.labs, {"responsible_user": "bob"}
    await labs.animal("KS002")
    other_member = labs.as_("eve", labs=frozenset({labs.lab_ids["hilllab"]}))
    assert (await other_member.patch("/subjects/KS002", new_owner)).status_code == 403
    assert (await labs.as_("ada").patch("/subjects/KS002", new_owner)).status_code == 200


async def test_only_administrators_create_what_is_shared(objects: Objects) -> None:
    for path, body in (
        ("/labs", {"name": "x"}),
        ("/users", {"username": "x"}),
        ("/projects", {"name": "x"}),
        ("/memberships", {"user": "ada", "lab": "coastlab", "start_date": "2024-01-01"}),
        ("/locations", {"name": "x"}),
    ):
        assert (await objects.labs.as_("ada").post(path, body)).status_code == 403, path
