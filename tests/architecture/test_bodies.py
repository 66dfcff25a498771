"""Whatever a body may hold has a longest length: one request can neither fill a page for everybody nor a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field

from libs.common.schemas import BodyRecord, BodySchema
from libs.common.schemas.bounded import MOST_CHARACTERS, MOST_ITEMS

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "services" / "gateway" / "static" / "schema.json").read_text()
)
LIMITS = {"string": {"maxLength", "format", "enum", "const"}, "array": {"maxItems"}}


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for item in schema:
            yield from _names(item)


def _bodies() -> set[str]:
    """Names of every schema that a body holds."""
    operations = [
        operation
        for path in SCHEMA["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]
    waiting = [name for operation in operations for name in _names(operation.get("requestBody"))]
    names: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += _names(SCHEMA["components"]["schemas"][name])
    return names


def _unbounded(schema: Any, at: str) -> Iterator[str]:
    if isinstance(schema, dict):
        limits = LIMITS.get(str(schema.get("type")), set())
        if limits and not limits & schema.keys():
            yield at
        for name, item in schema.items():
            yield from _unbounded(item, f"{at}.{name}")
    if isinstance(schema, list):
        for item in schema:
            yield from _unbounded(item, at)


def test_every_text_and_list_of_a_body_has_a_limit() -> None:
    bodies = _bodies()
    assert len(bodies) > 40
    schemas = SCHEMA["components"]["schemas"]
    assert [line for name in sorted(bodies) for line in _unbounded(schemas[name], name)] == []


class Own(BodySchema):
    """A body whose fields say nothing of limits."""

    type: str | None = None
    default: list[str] = Field(default_factory=list)
    function: dict[str, str] = Field(default_factory=dict)


class Alyx(BodyRecord):
    """One of Alyx's kind."""

    inner: Own
    json_: Any = None


def test_the_base_classes_give_the_limits() -> None:
    assert Alyx.model_validate({"inner": {"type": "x" * MOST_CHARACTERS}}).inner.type
    wrong: list[dict[str, Any]] = [
        {"inner": {"type": "x" * (MOST_CHARACTERS + 1)}},
        {"inner": {"default": [""] * (MOST_ITEMS + 1)}},
        {"inner": {"default": ["x" * (MOST_CHARACTERS + 1)]}},
        {"inner": {"function": {str(n): "" for n in range(MOST_ITEMS + 1)}}},
        {"inner": {}, "json_": 10**400},
        {"inner": {}, "json_": "\ud800"},
        {"inner": {}, "json_": float("nan")},
    ]
    for body in wrong:
        try:
            Alyx.model_validate(body)
        except ValueError:
            continue
        raise AssertionError(str(body)[:80])
