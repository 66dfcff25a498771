"""A token changes nothing beyond its scopes: every route that writes, with tokens of two kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute

from deploy.local.schema import apps
from libs.common.auth import Needs
from libs.common.catalogue import STATEFUL, Service
from libs.common.db.routes import needs_of
from libs.common.http import SAFE
from libs.common.scopes import Permission, Scope
from libs.common.testing import Callers
from tests.integration.common.test_matrix import NOWHERE, _routes
from tests.integration.scopes.recipes import OWN_ACCOUNT, RECIPES, TRIED_APART
from tests.support.lab import made
from tests.support.labs import registered
from tests.support.moving import an_upload, send
from tests.support.places import Places
from tests.support.system import Cingulum


def changing() -> Iterator[tuple[Service, str, APIRoute, list[Needs]]]:
    """Every route that writes, with the permissions that it needs."""
    for service, app in apps().items():
        for route in _routes(app) if service in STATEFUL else ():
            for method in sorted((route.methods or set()) - SAFE):
                needs = [need for need in needs_of(route.dependant) if isinstance(need, Needs)]
                yield service, method, route, needs


def test_every_route_that_writes_has_a_request_here() -> None:
    tried = {(recipe.method, recipe.route) for recipe in RECIPES} | set(TRIED_APART)
    routes = {
        (method, route.path): any(need.target is not None for need in needs)
        for _, method, route, needs in changing()
    }
    decided_by_operation = {route for route, is_decided in routes.items() if not is_decided}
    assert decided_by_operation - tried == set(), "routes without a request in recipes.py"
    assert tried - set(routes) == set(), "requests of routes that do not exist"


@pytest.mark.parametrize("service", STATEFUL)
async def test_a_token_that_only_reads_changes_nothing(
    cingulum: Cingulum, callers: Callers, service: Service
) -> None:
    running = (await cingulum.start(service)).as_(callers.narrow_reader)
    tried = 0
    for of, method, route, needs in changing():
        if of is service and needs:
            path = re.sub(r"\{[^}]*\}", NOWHERE, route.path.replace("{service}", service))
            answer = await running.request(method, path, json={})
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"
            tried += 1
    assert tried or service is Service.COMPRESSOR


async def test_no_narrowed_token_changes_how_its_user_signs_in(places: Places) -> None:
    every = frozenset(Scope(permission) for permission in Permission)
    for token in (places.narrow("hilllab"), places.labs.principal("ada", scopes=every)):
        for (method, route), body in OWN_ACCOUNT.items():
            path = route.replace("{session_id}", NOWHERE)
            answer = await places.ask(token, Service.METADATA, method, path, body)
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"


async def test_a_narrowed_token_of_an_administrator_changes_nothing_that_is_shared(
    places: Places,
) -> None:
    narrow = places.narrow("hilllab", *(p for p in Permission if p is not Permission.PROVE), name="root")
    for service, method, route, needs in changing():
        if any(need.target is not None for need in needs):
            path = re.sub(r"\{[^}]*\}", "hilllab", route.path.replace("{service}", service))
            answer = await places.ask(narrow, service, method, path, {})
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code} {answer.text}"


@pytest.mark.parametrize(("within", "beyond"), [("openp", "secret"), ("openp", "away"), ("hilllab", "away")])
async def test_a_narrowed_token_is_refused_beyond_its_scope_and_works_within(
    places: Places, within: str, beyond: str
) -> None:
    token = places.narrow(within)
    for recipe in RECIPES:
        path, body = recipe.request(places.of[beyond])
        answer = await places.ask(token, recipe.service, recipe.method, path, body)
        expected = 404 if recipe.hidden else 403
        assert answer.status_code == expected, f"{recipe.method} {path}: {answer.status_code} {answer.text}"
    for recipe in RECIPES:
        if recipe.in_project or (within != "openp" and not recipe.route.endswith("/proof")):
            path, body = recipe.request(places.of["open"])
            answer = await places.ask(token, recipe.service, recipe.method, path, body)
            assert answer.status_code not in {401, 403, 404}, f"{recipe.method} {path}: {answer.text}"


async def test_a_narrowed_token_moves_nothing_out_of_its_scope_or_into_another_project(
    places: Places,
) -> None:
    openp, hilllab = places.narrow("openp"), places.narrow("hilllab")
    session, subject = places.of["open"]["session"], places.of["open"]["subject"]
    for path in (f"/sessions/{session}", f"/subjects/{subject}"):
        for projects in ([], ["secretp"], ["openp", "secretp"]):
            answer = await places.ask(openp, Service.METADATA, "PATCH", path, {"projects": projects})
            assert answer.status_code == 403, (path, projects, answer.text)
        answer = await places.ask(hilllab, Service.METADATA, "PATCH", path, {"lab": "coastlab"})
        assert answer.status_code == 403, (path, answer.text)
    secret = {"subject": places.of["secret"]["subject"], "projects": ["openp"], "number": 8}
    unnamed = {"subject": subject, "number": 9}
    for body in (secret, unnamed):
        answer = await places.ask(openp, Service.METADATA, "POST", "/sessions", body)
        assert answer.status_code == 403, answer.text
    stored = (await places.labs.metadata.get(f"/sessions/{session}")).json()
    assert (stored["projects"], stored["lab"]) == (["openp"], "hilllab")


async def test_water_of_a_session_beyond_the_scope_is_refused(places: Places) -> None:
    """The subject is within the scope, but water is shown in the session that it names."""
    body = {"subject": places.of["open"]["subject"], "water_administered": 1}
    for place, status in (("secret", 403), ("away", 403), ("open", 201)):
        water = body | {"session": places.of[place]["session"]}
        answer = await places.ask(
            places.narrow("openp"), Service.METADATA, "POST", "/water-administrations", water
        )
        assert answer.status_code == status, (place, answer.text)


async def test_a_narrowed_token_restores_only_what_it_may_delete(places: Places) -> None:
    token = places.narrow("openp")
    for place, status in (("secret", 403), ("away", 403), ("open", 200)):
        path = f"/insertions/{places.of[place]['insertion']}"
        undo = (await places.labs.metadata.delete(path)).headers["Location"]
        answer = await places.ask(token, Service.METADATA, "POST", urlsplit(undo).path, None)
        assert answer.status_code == status, (place, answer.text)


async def test_a_narrowed_token_does_not_get_the_stored_response_of_a_wider_one(places: Places) -> None:
    labs, session = places.labs, {"subject": places.of["secret"]["subject"], "number": 3}
    ada = labs.principal("ada", projects=frozenset(labs.project_ids.values()))
    key = {"Idempotency-Key": "one key"}
    for principal, status in ((ada, 201), (ada, 201), (places.narrow("openp"), 409)):
        answer = (
            await places.services[Service.METADATA].as_(principal).post("/sessions", session, headers=key)
        )
        assert answer.status_code == status, answer.text


async def test_uploads_without_a_file_need_a_token_that_is_not_narrowed(places: Places) -> None:
    for within in ("openp", "hilllab"):
        answer = await places.ask(
            places.narrow(within), Service.TRANSFER, "POST", "/uploads", {"size_bytes": 3}
        )
        assert answer.status_code == 403, answer.text
        listed = await places.ask(places.narrow(within), Service.TRANSFER, "GET", "/uploads", None)
        reached = {"openp": {"open"}, "hilllab": {"open", "secret"}}[within]
        assert {row["id"] for row in listed.json()["results"]} == {
            places.of[place]["upload"] for place in reached
        }


async def test_a_narrowed_token_sends_every_file_that_it_may_announce(places: Places) -> None:
    """Also files without a session, whatever they belong to."""
    open_, registry = places.of["open"], places.services[Service.REGISTRY]
    lab, project = places.labs.lab_ids["hilllab"], places.labs.project_ids["openp"]
    belong = [
        ("lab", lab, "Labs/hilllab", ["hilllab"]),
        ("project", project, "Projects/openp", ["openp"]),
        ("probeinsertion", open_["insertion"], f"Probeinsertions/{open_['insertion']}", ["hilllab", "openp"]),
    ]
    for content_type, object_id, path, reaching in belong:
        of_object = {"content_type": content_type, "object_id": str(object_id)}
        [dataset] = await registered(registry, path, "spikes.times.npy", **of_object)
        file = await made(registry, "/files", {"dataset": dataset["id"], "data_repository": "central"})
        transfer = places.services[Service.TRANSFER]
        for within in reaching:
            token = transfer.as_(places.narrow(within, Permission.TRANSFER, name="root"))
            landed = await send(token, b"0123456789", copy_id=file["id"])
            assert landed["state"] == "landed", (content_type, within)
        for beyond in {"hilllab", "openp", "coastlab"} - set(reaching):
            token = transfer.as_(places.narrow(beyond, Permission.TRANSFER, name="root"))
            refused = await token.post("/uploads", an_upload(copy_id=file["id"]))
            assert refused.status_code == 403, (content_type, beyond)
