"""The committed description of the API is that of the code, and the ONE client's own parser reads it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from one.webclient import RestSchemeCoreApi, RestSchemeOpenApi

from deploy.local.schema import METHODS, STATIC, written
from libs.common.catalogue import BODIES, Body

# What ONE, ibllib and iblrig call, of what there is so far.
USED = {
    "sessions": {"list", "read", "create", "update", "partial_update", "delete"},
    "subjects": {"list", "read", "create", "update", "partial_update", "delete"},
    "weighings": {"list", "read", "create", "delete"},
    "water-administrations": {"list", "read", "create", "update", "partial_update", "delete"},
    "insertions": {"list", "read", "create", "update", "partial_update", "delete"},
    "trajectories": {"list", "read", "create", "update", "partial_update", "delete"},
    "chronic-insertions": {"list", "read", "create", "update", "partial_update", "delete"},
    "channels": {"list", "read", "create", "update", "partial_update", "delete"},
    "fields-of-view": {"list", "read", "create", "update", "partial_update", "delete"},
    "fov-location": {"list", "read", "create", "update", "partial_update", "delete"},
    "imaging-stack": {"list", "read", "create"},
    "brain-regions": {"list", "read", "update", "partial_update"},
    "notes": {"list", "read", "create", "update", "partial_update", "delete"},
    "labs": {"list", "read", "create", "update", "partial_update", "delete"},
    "users": {"list", "read", "create", "update", "partial_update", "delete"},
    "projects": {"list", "read", "create", "update", "partial_update", "delete"},
    "locations": {"list", "read", "update", "partial_update"},
    "surgeries": {"list", "read", "update", "partial_update"},
    "tasks": {"list", "read", "create", "update", "partial_update", "delete"},
    "water-restriction": {"list"},
    "procedures": {"list", "create"},
}


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((STATIC / "schema.json").read_text())
    return document


def test_the_committed_description_is_not_stale() -> None:
    for name, text in written().items():
        assert (STATIC / name).read_text() == text, "run `make schema` and commit what it writes"


def test_path_items_hold_methods_only_and_lists_come_before_details(committed: dict[str, Any]) -> None:
    endpoints: set[str] = set()
    for path, item in committed["paths"].items():
        assert set(item) <= set(METHODS), path
        endpoint = path.split("/")[1]
        if "{" in path:
            assert endpoint in endpoints or f"/{endpoint}" not in committed["paths"], path
        endpoints.add(endpoint)


def test_bodies_of_writes_are_references_to_components(committed: dict[str, Any]) -> None:
    for path, item in committed["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            if path != "/auth-token" and "application/json" in content:
                assert set(content["application/json"]["schema"]) == {"$ref"}, (method, path)


def test_search_terms_have_no_names_that_make_others_ambiguous(committed: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in committed["paths"]["/sessions"]["get"]["parameters"]}
    assert not names & {"date_from", "date_to", "task_id", "lab_name", "user", "laboratory_name", "number_of"}


@pytest.mark.parametrize("endpoint", USED)
def test_the_one_client_finds_the_actions_that_it_uses(committed: dict[str, Any], endpoint: str) -> None:
    scheme = RestSchemeOpenApi(committed)
    assert set(scheme.actions(endpoint)) >= USED[endpoint]
    for action in USED[endpoint]:
        assert scheme.url(endpoint, action).startswith(f"/{endpoint}")
        if action in {"create", "update", "partial_update"}:
            assert scheme.fields(endpoint, action), (endpoint, action)


def test_old_clients_find_the_same_in_their_form(committed: dict[str, Any]) -> None:
    old = RestSchemeCoreApi(json.loads((STATIC / "coreapi.json").read_text()))
    assert set(old.actions("sessions")) == set(RestSchemeOpenApi(committed).actions("sessions"))


def test_every_field_of_the_old_form_has_its_location() -> None:
    old = json.loads((STATIC / "coreapi.json").read_text())
    actions = {
        (endpoint, name): link
        for endpoint, links in old.items()
        if not endpoint.startswith("_")
        for name, link in links.items()
    }
    for link in actions.values():
        in_path = {field["name"] for field in link["fields"] if field["location"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", link["url"]))
        assert all(field["required"] for field in link["fields"] if field["location"] == "path")
        assert {field["location"] for field in link["fields"]} <= {"path", "query", "form"}
        assert all({"_type", "description"} <= set(field["schema"]) for field in link["fields"])
    locations = {
        (endpoint, name): {field["name"]: field["location"] for field in actions[endpoint, name]["fields"]}
        for endpoint, name in (("sessions", "list"), ("sessions", "create"), ("sessions", "partial_update"))
    }
    assert locations["sessions", "list"]["subject"] == "query"
    assert locations["sessions", "create"]["subject"] == "form"
    assert locations["sessions", "partial_update"] == locations["sessions", "create"] | {"session_id": "path"}


def test_a_body_that_is_neither_json_nor_a_form_is_declared_with_its_limit(committed: dict[str, Any]) -> None:
    short = {"application/json", "application/x-www-form-urlencoded"}
    long = {
        (method.upper(), path)
        for path, operations in committed["paths"].items()
        for method, operation in operations.items()
        if method in METHODS and operation.get("requestBody", {}).get("content", {}).keys() - short
    }
    assert long == {(method, path) for method, path, body in BODIES if body in {Body.BYTES, Body.IMAGE}}


def test_every_operation_declares_the_problems_that_it_may_answer_with(committed: dict[str, Any]) -> None:
    for path, item in committed["paths"].items():
        for method, operation in item.items():
            usual = {"400", "403", "413", "415", "429", "503"} | ({"404"} if "{" in path else set())
            declared = set(operation["responses"])
            assert usual | (set() if method == "get" else {"409"}) <= declared, (method, path)
            assert "422" not in declared, "invalid requests are answered with 400"
    for response in committed["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
