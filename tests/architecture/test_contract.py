"""Each route that Alyx has too takes the fields that Alyx's takes, and shows those that Alyx's shows."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any, Final

import pytest

from libs.common import schemas

ROOT = Path(__file__).parents[2]
CONTRACT: Final[dict[str, dict[str, list[str]]]] = json.loads(
    (ROOT / "tests" / "support" / "alyx_contract.json").read_text()
)
SCHEMA: Final[dict[str, Any]] = json.loads(
    (ROOT / "services" / "gateway" / "static" / "schema.json").read_text()
)
OURS: Final = {
    f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}": operation
    for path, item in SCHEMA["paths"].items()
    for method, operation in item.items()
}
for module in pkgutil.walk_packages(schemas.__path__, "libs.common.schemas."):
    importlib.import_module(module.name)
BODIES: Final = {kind.__name__: kind for kind in schemas.BodyRecord.__subclasses__()}
COMMON: Final = sorted(CONTRACT.keys() & OURS.keys())

# Answered by the gateway itself, or with other things than JSON: the public schema describes JSON routes only.
NOT_IN_SCHEMA: Final = {"GET /api/schema", "GET /docs/", "GET /cache/info/", "GET /uploaded/{}"}
ACCIDENTS: Final = {"POST /water-type/{}"}  # Alyx's detail address answers the list, so it also takes a POST
# Of Alyx's PUT, the fields that our POST does not need either.
OPTIONAL: Final = {
    "PUT /surgeries/{}": {"implant_weight"},  # null: not known
    "PUT /users/{}": {"allowed_users", "subjects_responsible"},
    "PUT /downloads/{}": {"user"},
    "PUT /trajectories/{}": {"x", "y", "depth", "theta", "phi"},  # null is one of their values
    "PUT /files/{}": {"relative_path"},  # that of its dataset
}
# Alyx declares its credentials as the answer, and answers the token alone.
SHOWN_ELSEWHERE: Final = {"POST /auth-token": {"username", "password"}}

# null clears these, or is what is shown: our records show null where Alyx's rows always have a value.
SHOWN_NULL: Final = {
    "channels": set(),
    "chronic-insertions": {"lab", "model"},
    "datasets": {"created_by", "session", "subject", "date", "number", "revision"},
    "fields-of-view": {"imaging_type", "datasets"},  # null: datasets by the name of their collection
    "fov-location": {"coordinate_system"},
    "insertions": {"model"},
    "locations": {"lab"},
    "notes": {"user", "image"},
    "sessions": {"lab"},
    "subjects": {"responsible_user", "lab"},
    "surgeries": {"implant_weight"},
    "tasks": {"data_repository"},
    "trajectories": {"coordinate_system"},
    "water-administrations": {"water_type", "user", "session"},
    "weighings": {"user"},
}
# Alyx forgets these; a dataset is the default revision of its file or not, and a genotype follows from alleles.
NEVER_NULL: Final = {"datasets": {"default_dataset"}, "subjects": {"genotype"}}


def _schema(content: dict[str, Any]) -> dict[str, Any]:
    """What a reference, a list or a page holds; of several shapes the first one."""
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    while True:
        if "$ref" in schema:
            schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:  # one row, or a list of such
            schema = schema["anyOf"][0]
        elif "results" in schema.get("properties", {}):
            schema = schema["properties"]["results"]["items"]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        elif schema.get("type") == "array":
            schema = schema["items"]
        else:
            return schema


def _shown(operation: dict[str, Any]) -> set[str]:
    responses = operation["responses"]
    return {
        name
        for status in ("200", "201")
        for name in _schema(responses.get(status, {}).get("content", {})).get("properties", {})
    }


@pytest.mark.parametrize("route", [route for route in COMMON if "writes" in CONTRACT[route]])
def test_a_body_takes_every_field_that_can_be_written_in_alyx(route: str) -> None:
    taken = _schema(OURS[route].get("requestBody", {}).get("content", {})).get("properties", {})
    assert set(CONTRACT[route]["writes"]) - set(taken) == set()


@pytest.mark.parametrize("route", [route for route in COMMON if "writes" in CONTRACT[route]])
def test_a_body_takes_null_where_it_does_in_alyx(route: str) -> None:
    """What null does is in `test_stored_fields`."""
    noun = route.split("/")[1]
    fields = _schema(OURS[route].get("requestBody", {}).get("content", {})).get("properties", {})
    taken = {name for name in CONTRACT[route]["writes"] if name in fields and _takes_null(fields[name])}
    nulls = set(CONTRACT[route]["nulls"]) & fields.keys()
    assert taken - nulls == SHOWN_NULL.get(noun, set()) & (set(CONTRACT[route]["writes"]) - nulls)
    assert nulls - taken == NEVER_NULL.get(noun, set()) & nulls


def _takes_null(field: dict[str, Any]) -> bool:
    return not field.keys() & {"type", "$ref", "anyOf", "enum"} or {"type": "null"} in field.get("anyOf", [])


def test_every_route_of_alyx_is_answered_but_for_the_exceptions_here() -> None:
    assert CONTRACT.keys() - OURS.keys() == NOT_IN_SCHEMA | ACCIDENTS


@pytest.mark.parametrize("route", [route for route in COMMON if "filters" in CONTRACT[route]])
def test_a_list_declares_every_filter_that_alyx_declares(route: str) -> None:
    """What each does is in `tests/support/list_filters`, whose tables cover every declared filter."""
    declared = {parameter["name"] for parameter in OURS[route]["parameters"]}
    assert set(CONTRACT[route]["filters"]) - declared == set()


@pytest.mark.parametrize("route", [route for route in COMMON if "answers" in CONTRACT[route]])
def test_an_answer_shows_every_field_that_alyx_shows(route: str) -> None:
    missing = set(CONTRACT[route]["answers"]) - _shown(OURS[route])
    assert missing == SHOWN_ELSEWHERE.get(route, set())


@pytest.mark.parametrize("route", [route for route in COMMON if route.startswith("PUT ")])
def test_a_put_needs_what_it_needs_in_alyx(route: str) -> None:
    reference = OURS[route]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    body = BODIES[reference.rpartition("/")[2]]
    needed = set(CONTRACT[route]["needs"]) - OPTIONAL.get(route, set())
    assert needed - set(body.needed_by_put) == set()
    assert set(body.needed_by_put) <= set(body.model_fields)
