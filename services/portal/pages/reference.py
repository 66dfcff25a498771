"""The API reference, written from the description that the API gives of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.rendering import show
from services.portal.pages.viewer import Viewing, refusal

router = APIRouter()
METHODS: Final = ("get", "post", "put", "patch", "delete")
Told = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A value that goes in or comes out."""

    name: str
    kind: str
    where: str
    required: bool
    meaning: str


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked."""

    id: str
    method: str
    path: str
    summary: str
    meaning: str
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Segment:
    """All that begins with the same word."""

    name: str
    operations: tuple[Operation, ...]


@router.get("/app/api")
async def reference(request: Request, viewer: Viewing) -> Response:
    """Every route, with what it takes and gives."""
    answer = await viewer.bytes_of("/api/schema")
    if answer.status != 200:
        raise refusal(answer)
    return await show(
        request, "reference.html", viewer, segments=segments(answer.content), origin=viewer.origin
    )


@lru_cache(2)
def segments(description: bytes) -> tuple[Segment, ...]:
    """An OpenAPI document by first path segment."""
    document = orjson.loads(description)
    schemas = document.get("components", {}).get("schemas", {})
    found: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                found.setdefault(path.split("/")[1], []).append(
                    _operation(method, path, item[method], schemas)
                )
    return tuple(Segment(name, tuple(operations)) for name, operations in sorted(found.items()))


def _operation(method: str, path: str, told: Told, schemas: Told) -> Operation:
    summary, _, meaning = str(told.get("description") or told.get("summary") or "").partition("\n")
    takes = [
        Field(
            one["name"],
            kind_of(one.get("schema", {})),
            one["in"],
            bool(one.get("required")),
            str(one.get("description") or one.get("schema", {}).get("description", "")),
        )
        for one in told.get("parameters", ())
    ]
    takes += _fields(_content(told.get("requestBody", {})), schemas, "body")
    gives: list[Field] = []
    problems = []
    for status, answer in told.get("responses", {}).items():
        if status.startswith("2"):
            gives += _fields(_content(answer), schemas, status)
        else:
            problems.append((status, str(answer.get("description", ""))))
    anchor = f"{method}{path}".replace("/", "-").replace("{", "").replace("}", "")
    return Operation(
        anchor, method.upper(), path, summary, meaning.strip(), tuple(takes), tuple(gives), tuple(problems)
    )


def _content(told: Told) -> Told:
    content: Mapping[str, Told] = told.get("content", {})
    kinds = [one.get("schema", {}) for one in content.values()]
    return kinds[0] if kinds else {}


def _fields(schema: Told, schemas: Told, where: str) -> list[Field]:
    """The fields of an object, also within a page or a list of them."""
    shape = _resolved(schema, schemas)
    if shape.get("type") == "array":
        shape = _resolved(shape.get("items", {}), schemas)
    rows = shape.get("properties", {}).get("results")
    if rows and "count" in shape["properties"]:
        shape = _resolved(rows.get("items", {}), schemas)
    required: Sequence[str] = shape.get("required", ())
    return [
        Field(name, kind_of(one), where, name in required, str(one.get("description", "")))
        for name, one in shape.get("properties", {}).items()
    ]


def _resolved(schema: Told, schemas: Told) -> Told:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Told = schemas.get(name, {}) if name else schema
    return found


def kind_of(schema: Told) -> str:
    """A type in a few words.

    >>> kind_of({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]})
    'uuid or null'
    >>> kind_of({"type": "array", "items": {"$ref": "#/components/schemas/Dataset"}})
    'list of Dataset'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(kind_of(one) for one in choices))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
