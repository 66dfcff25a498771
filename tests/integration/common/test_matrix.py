"""Roles × routes, generated from the catalogue and the applications: no route exists without a line in it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from deploy.local.schema import apps
from libs.common.catalogue import SEGMENTS, SHARED, STATEFUL, Body, Service, body_of
from libs.common.db.routes import needs_of
from libs.common.http import SAFE
from libs.common.testing import Callers
from tests.support.system import Cingulum

BUILT = [s for s in STATEFUL if importlib.util.find_spec(f"services.{s}.app")]
NOWHERE = "00000000-0000-4000-8000-00000000dead"


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    """Every API route of an application."""
    return (route for route in app.routes if isinstance(route, APIRoute))


@pytest.fixture(scope="module")
def table() -> dict[Service, list[APIRoute]]:
    return {service: list(_routes(app)) for service, app in apps().items() if service in BUILT}


def test_every_route_declares_its_callers_and_is_under_its_own_segment(
    table: dict[Service, list[APIRoute]],
) -> None:
    for service, routes in table.items():
        assert routes, service
        for route in routes:
            first, second = route.path.split("/")[1:3] if route.path.count("/") > 1 else (route.path[1:], "")
            is_shared = first in SHARED and second == "{service}"
            assert is_shared or SEGMENTS.get(first) is service, route.path
            open_to_all = getattr(route.endpoint, "__open_to_all__", False)
            assert bool(needs_of(route.dependant)) != open_to_all, f"{route.methods} {route.path}"


def test_unauthenticated_bodies_are_limited_to_a_sign_in(table: dict[Service, list[APIRoute]]) -> None:
    is_open = [
        r for routes in table.values() for r in routes if getattr(r.endpoint, "__open_to_all__", False)
    ]
    bodies = {(m, r.path): body_of(m, r.path) for r in is_open for m in r.methods or () if m not in SAFE}
    assert ("POST", "/auth-token") in bodies
    assert set(bodies.values()) == {Body.SIGN_IN}, bodies


def test_every_segment_of_a_built_service_has_a_route(table: dict[Service, list[APIRoute]]) -> None:
    answered = {route.path.split("/")[1] for routes in table.values() for route in routes}
    promised = {segment for segment, service in SEGMENTS.items() if service in BUILT}
    assert promised - answered == set()
    for service, routes in table.items():
        assert set(SHARED) <= {route.path.split("/")[1] for route in routes}, service


def _closed(routes: list[APIRoute], service: Service) -> Iterator[tuple[APIRoute, str]]:
    """Routes that are not open to all, with a path of each that names nothing."""
    for route in routes:
        if not getattr(route.endpoint, "__open_to_all__", False):
            yield route, re.sub(r"\{[^}]*\}", NOWHERE, route.path.replace("{service}", service))


def _slug(answer: httpx.Response) -> str:
    body = answer.json() if "json" in answer.headers.get("content-type", "") else None
    return str(body.get("type", "")) if isinstance(body, dict) else ""


@pytest.mark.parametrize("service", BUILT)
async def test_each_role_is_refused_exactly_where_the_policy_refuses_it(
    cingulum: Cingulum, callers: Callers, table: dict[Service, list[APIRoute]], service: Service
) -> None:
    running = await cingulum.start(service)
    for route, path in _closed(table[service], service):
        for role, principal in callers.all().items():
            for method in sorted((route.methods or set()) - {"HEAD"}):
                body = {"wait_s": 0} if path == "/jobs/claim" else {}
                more = {} if method in {"GET", "DELETE"} else {"json": body}
                answer = await running.as_(principal).request(method, path, **more)
                allowed = principal is not None and all(
                    need.allows(principal, method) for need in needs_of(route.dependant)
                )
                slug = _slug(answer)
                line = f"{role}: {method} {path} → {answer.status_code} {slug}"
                if not allowed:
                    assert answer.status_code in {401, 403}, line
                else:
                    assert slug != "not-authenticated", line
                    assert answer.status_code < 500, line


@pytest.mark.parametrize("service", BUILT)
async def test_an_unauthenticated_body_is_not_read(
    cingulum: Cingulum, table: dict[Service, list[APIRoute]], service: Service
) -> None:
    running = await cingulum.start(service)
    for route, path in _closed(table[service], service):
        for method in sorted((route.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
            headers = {"content-type": "application/json"}
            answer = await running.as_(None).request(method, path, content=b"{not JSON", headers=headers)
            assert answer.status_code in {401, 403}, f"{method} {path}: {answer.status_code} {answer.text}"


async def test_nor_is_the_body_of_a_caller_without_permission(cingulum: Cingulum, callers: Callers) -> None:
    metadata = (await cingulum.start(Service.METADATA)).as_(callers.public_reader)
    headers = {"content-type": "application/json"}
    answer = await metadata.request("POST", "/weighings", content=b"{not JSON", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("value", ["0", "[]", "{}", "[[]]", "{{}}"])
async def test_a_body_of_too_many_values_is_refused_whatever_they_are(
    cingulum: Cingulum, callers: Callers, value: str
) -> None:
    metadata = (await cingulum.start(Service.METADATA)).as_(callers.member)
    body = ('{"nickname": "m", "json": [' + ",".join([value] * 100_000) + "]}").encode()
    headers = {"content-type": "application/json"}
    answer = await metadata.request("POST", "/subjects", content=body, headers=headers)
    assert (answer.status_code, "100,000 values" in answer.text) == (400, True), answer.text[:200]


async def test_a_body_of_too_many_values_is_refused_and_few_of_many_errors_are_listed(
    cingulum: Cingulum, callers: Callers
) -> None:
    metadata = (await cingulum.start(Service.METADATA)).as_(callers.member)
    many = await metadata.post("/tokens", {"name": "x", "scopes": [0] * 100_001})
    assert (many.status_code, "100,000 values" in many.text) == (400, True)
    wrong = await metadata.post("/tokens", {"name": "x", "scopes": [0] * 1_000})
    assert wrong.status_code == 400
    assert len(wrong.json()) <= 22


async def test_a_body_of_a_reading_route_has_the_same_limit(cingulum: Cingulum, callers: Callers) -> None:
    registry = (await cingulum.start(Service.REGISTRY)).as_(callers.member)
    body = b'{"path": [' + b",".join([b"[]"] * 60_000) + b"]}"
    headers = {"content-type": "application/json"}
    answer = await registry.request("GET", "/check-protected", content=body, headers=headers)
    assert (answer.status_code, "100,000 values" in answer.text) == (400, True), answer.text[:200]
