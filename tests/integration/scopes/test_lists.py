"""Labs, users, projects and the user's own records, as a narrowed token reads them."""

from __future__ import annotations

from typing import Any

from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from tests.support.places import Places

M, R, T = Service.METADATA, Service.REGISTRY, Service.TRANSFER


def reader(places: Places, name: str, **within: Any) -> Principal:
    """A user's token that reads and transfers within one lab or project."""
    scopes = frozenset({Scope(Permission.READ, **within), Scope(Permission.TRANSFER, **within)})
    projects = frozenset(places.labs.project_ids.values()) if name == "ada" else frozenset()
    return places.labs.principal(name, scopes=scopes, projects=projects)


async def listed(places: Places, principal: Principal, service: Service, path: str, key: str) -> set[str]:
    """One column of a list."""
    answer = await places.services[service].as_(principal).get(path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return {row[key] for row in (body["results"] if isinstance(body, dict) else body)}


# Usernames that a record shows are found; all else of a user or lab that the token does not list is absent.
RELATIONS = (
    (M, "/labs", "repositories__lab__name,coastlab", 0),
    (M, "/labs", "repositories__lab__name,hilllab", 1),
    (M, "/users", "allowed_users__username,bob", 0),
    (M, "/sessions", "users__username,bob", 1),
    (M, "/sessions", "users__is_superuser,False", 0),
    (M, "/sessions", "users__lab__name,coastlab", 0),
    (M, "/subjects", "responsible_user__lab__name,hilllab", 2),
    (M, "/subjects", "actions_sessions__users__lab__name,coastlab", 0),
    (R, "/datasets", "session__users__username,bob", 1),
    (R, "/datasets", "session__users__is_superuser,False", 0),
    (R, "/files", "data_repository__lab__name,coastlab", 0),
    (Service.SCHEDULER, "/tasks", "session__lab__repositories__lab__name,coastlab", 0),
)


async def test_a_token_for_a_lab_reads_that_lab(places: Places) -> None:
    labs = places.labs.lab_ids
    for name in ("ada", "root"):
        principal = reader(places, name, lab_id=labs["hilllab"])
        assert await listed(places, principal, M, "/labs", "name") == {"hilllab"}
        assert await listed(places, principal, M, "/projects", "name") == {"openp", "secretp"}
        assert await listed(places, principal, M, "/users", "username") == {"ada", name}
        assert await listed(places, principal, M, "/memberships", "user") == {"ada"}
        assert await listed(places, principal, M, "/locations", "name") == {"rig_KS001", "rig_KS002"}
        assert await listed(places, principal, M, "/lines", "name") == {"line_KS001", "line_KS002"}
        assert await listed(places, principal, M, "/subjects", "nickname") == {"KS001", "KS002"}
        for path in ("/labs/coastlab", "/users/bob", "/locations/rig_NY001", "/subjects/NY001"):
            assert (await places.services[M].as_(principal).get(path)).status_code == 404, path
    await places.labs.metadata.patch("/users/ada", {"allowed_users": ["bob"]})
    await places.labs.metadata.patch(f"/sessions/{places.of['open']['session']}", {"users": ["bob"]})
    for service, path, django, count in RELATIONS:
        answer = await places.services[service].as_(principal).get(path, params={"django": django})
        assert answer.json()["count"] == count, (path, django)
    assert (await places.services[M].as_(principal).get("/users/ada")).json()["allowed_users"] == []


async def test_a_token_for_a_project_reads_that_project(places: Places) -> None:
    principal = reader(places, "ada", project_id=places.labs.project_ids["openp"])
    assert await listed(places, principal, M, "/projects", "name") == {"openp"}
    assert await listed(places, principal, M, "/labs", "name") == {"hilllab"}
    assert await listed(places, principal, M, "/users", "username") == {"ada"}
    assert await listed(places, principal, M, "/sessions", "id") == {places.of["open"]["session"]}
    for path in ("/labs/coastlab", "/users/bob", "/projects/secretp"):
        assert (await places.services[M].as_(principal).get(path)).status_code == 404, path


async def test_own_counters_and_uploads_follow_the_token(places: Places) -> None:
    """Ada has one of each in every place."""
    labs = places.labs
    everywhere = labs.principal("ada", projects=frozenset(labs.project_ids.values()))
    of_lab = reader(places, "ada", lab_id=labs.lab_ids["hilllab"])
    of_project = reader(places, "ada", project_id=labs.project_ids["openp"])
    for service, path, word in ((R, "/downloads", "download"), (T, "/uploads", "upload")):
        for principal, reached in (
            (everywhere, ("secret", "open", "away")),
            (of_lab, ("secret", "open")),
            (of_project, ("open",)),
        ):
            expected = {places.of[place][word] for place in reached}
            assert await listed(places, principal, service, path, "id") == expected, (path, reached)
            for place in places.of:
                answer = await places.services[service].as_(principal).get(f"{path}/{places.of[place][word]}")
                assert answer.status_code == (200 if place in reached else 404), (path, place)
