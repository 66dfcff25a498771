"""Changes of what a record is linked to are audited with its other changes, and undone as these are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.deletions.conftest import DAY, Services
from tests.support.labs import registered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _latest(services: Services, object_id: str) -> dict[str, Any]:
    entries = await services.as_("root").metadata.get(f"/audit/metadata?object_id={object_id}")
    return dict(entries.json()["results"][0])


async def test_a_session_leaves_a_private_project_and_an_administrator_brings_it_back(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    project = f"closed-{nickname}"
    await services.labs.project(project, "ada", is_private=True)
    session = await services.labs.session(nickname, projects=[project])
    path, root, bob = (
        f"/sessions/{session['id']}",
        services.as_("root").metadata,
        services.as_("bob").metadata,
    )
    created = await _latest(services, session["id"])
    assert (created["action"], len(created["after"]["projects"])) == ("session.created", 1)
    assert (await bob.get(path)).status_code == 404

    opened = await root.patch(path, {"projects": [], "narrative": "open"})
    assert opened.status_code == 200, opened.text
    assert (await bob.get(path)).status_code == 200
    entry = await _latest(services, session["id"])
    assert entry["action"] == "session.changed"
    assert entry["before"]["projects"] == created["after"]["projects"]
    assert (entry["after"]["projects"], entry["after"]["narrative"]) == ([], "open")
    for name, status in (("ada", 403), ("public", 404)):
        assert (await services.as_(name).metadata.post(f"/undo/metadata/{entry['id']}")).status_code == status

    undone = await root.post(f"/undo/metadata/{entry['id']}")
    assert undone.status_code == 200, undone.text
    assert (await bob.get(path)).status_code == 404
    shown = (await root.get(path)).json()
    assert (shown["projects"], shown["narrative"]) == ([project], "")


async def test_the_last_entry_is_the_last_change_also_where_it_is_of_links_alone(
    services: Services, nickname: str
) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname, users=["ada"])
    path, ada = f"/sessions/{session['id']}", services.as_("ada").metadata
    assert (await ada.patch(path, {"narrative": "one"})).status_code == 200
    first = await _latest(services, session["id"])
    assert (await ada.patch(path, {"users": ["ada", "dora"], "procedures": []})).status_code == 200
    second = await _latest(services, session["id"])
    assert (second["id"] > first["id"], set(second["before"])) == (True, {"users"})
    assert (await ada.post(f"/undo/metadata/{first['id']}")).status_code == 409
    assert (await ada.post(f"/undo/metadata/{second['id']}")).status_code == 200
    shown = (await ada.get(path)).json()
    assert (shown["users"], shown["narrative"]) == (["ada"], "one")
    assert (await ada.patch(path, {"users": ["ada"]})).status_code == 200
    undo_entry = await _latest(services, session["id"])
    assert undo_entry["before"]["users"] == second["after"]["users"], "an equal list is no change"


async def test_delegates_members_and_repositories_are_audited_and_come_back(
    services: Services, nickname: str
) -> None:
    root = services.as_("root").metadata
    project = f"team-{nickname}"
    await services.labs.project(project, "ada")
    before = (await root.get("/users/dora")).json()["allowed_users"]
    changes = [
        (f"/projects/{project}", "users", ["bob"], ["ada"]),
        ("/users/dora", "allowed_users", sorted({*before, "ada"}), before),
    ]
    for path, field, value, old in changes:
        answer = await root.patch(path, {field: value})
        assert answer.status_code == 200, answer.text
        entry = await _latest(services, answer.json()["id"])
        assert set(entry["before"]) == set(entry["after"]) == {field}
        assert (await root.post(f"/undo/metadata/{entry['id']}")).status_code == 200
        assert (await root.get(path)).json()[field] == old


async def test_a_genotype_is_audited(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    root = services.as_("root").metadata
    allele = await root.post("/alleles", {"name": f"Allele-{nickname}"})
    assert allele.status_code == 201, allele.text
    zygosities = [{"allele": f"Allele-{nickname}", "zygosity": 1}]
    subject = (await root.patch(f"/subjects/{nickname}", {"zygosities": zygosities})).json()
    entry = await _latest(services, subject["id"])
    assert entry["before"] == {"zygosities": {}}
    assert list(entry["after"]["zygosities"].values()) == [1]
    changed = {"zygosities": [{"allele": f"Allele-{nickname}", "zygosity": 2}], "description": "tame"}
    assert (await root.patch(f"/subjects/{nickname}", changed)).status_code == 200
    entry = await _latest(services, subject["id"])
    ada = services.as_("ada").metadata
    assert (await ada.post(f"/undo/metadata/{entry['id']}")).status_code == 200
    shown = (await ada.get(f"/subjects/{nickname}")).json()
    assert (shown["genotype"], shown["description"]) == (subject["genotype"], "")


async def test_a_private_project_that_a_session_keeps_is_no_change(services: Services, nickname: str) -> None:
    project = f"kept-{nickname}"
    await services.labs.animal(nickname)
    await services.labs.project(project, "ada", is_private=True)
    root = services.as_("root").metadata
    assert (await root.patch(f"/subjects/{nickname}", {"projects": [project]})).status_code == 200
    session = await services.labs.session(nickname)
    path = f"/sessions/{session['id']}"
    answer = await root.patch(path, {"projects": [], "narrative": "x"})
    assert answer.json()["projects"] == [project]
    entry = await _latest(services, session["id"])
    assert set(entry["before"]) == set(entry["after"]) == {"narrative"}
    assert (await root.post(f"/undo/metadata/{entry['id']}")).status_code == 200
    latest = (await _latest(services, session["id"]))["id"]
    assert (await root.patch(path, {"projects": []})).status_code == 200
    assert (await _latest(services, session["id"]))["id"] == latest, "nothing changed"


async def test_a_user_added_meanwhile_stays_after_an_undo(services: Services, nickname: str) -> None:
    await services.labs.animal(nickname)
    session = await services.labs.session(nickname, users=["ada"])
    path, ada = f"/sessions/{session['id']}", services.as_("ada").metadata
    assert (await ada.patch(path, {"users": ["dora"], "narrative": "x"})).status_code == 200
    entry = await _latest(services, session["id"])
    await registered(services.as_("root").registry, f"{nickname}/{DAY}/001", "alf/spikes.amps.npy")
    await services.metadata.sweep()
    assert (await ada.get(path)).json()["users"] == ["dora", "root"]
    undone = await ada.post(f"/undo/metadata/{entry['id']}")
    assert undone.status_code == 200, undone.text
    shown = (await ada.get(path)).json()
    assert (shown["users"], shown["narrative"]) == (["ada", "root"], "")
