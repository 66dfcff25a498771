"""The API reference page, from the OpenAPI description."""

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

router = APIRouter(include_in_schema=False)
METHODS: Final = ("get", "post", "put", "patch", "delete")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """An input or output value."""

    name: str
    kind: str
    where: str
    required: bool
    meaning: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

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
    """All operations under one first path segment."""

    name: str
    operations: tuple[Operation, ...]


@router.get("/app/api")
async def reference(request: Request, viewer: Viewing) -> Response:
    """Every route with its inputs, outputs and problems."""
    answer = await viewer.bytes_of("/api/schema")
    if answer.status != 200:
        raise refusal(answer)
    return await show(
        request, "reference.html", viewer, segments=segments(answer.content), origin=viewer.origin
    )


@lru_cache(2)
def segments(description: bytes) -> tuple[Segment, ...]:
    """Group the operations of an OpenAPI document by first path segment."""
    document = orjson.loads(description)
    schemas = document.get("components", {}).get("schemas", {})
    operations_of: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operations_of.setdefault(path.split("/")[1], []).append(
                    _operation(method, path, item[method], schemas)
                )
    return tuple(Segment(name, tuple(operations)) for name, operations in sorted(operations_of.items()))


def _operation(method: str, path: str, operation: Json, schemas: Json) -> Operation:
    summary, _, meaning = str(operation.get("description") or operation.get("summary") or "").partition("\n")
    takes = [
        Field(
            item["name"],
            kind_of(item.get("schema", {})),
            item["in"],
            bool(item.get("required")),
            str(item.get("description") or item.get("schema", {}).get("description", "")),
        )
        for item in operation.get("parameters", ())
    ]
    takes += _fields(_content(operation.get("requestBody", {})), schemas, "body")
    gives: list[Field] = []
    problems = []
    for status, answer in operation.get("responses", {}).items():
        if status.startswith("2"):
            gives += _fields(_content(answer), schemas, status)
        else:
            problems.append((status, str(answer.get("description", ""))))
    anchor = f"{method}{path}".replace("/", "-").replace("{", "").replace("}", "")
    return Operation(
        anchor, method.upper(), path, summary, meaning.strip(), tuple(takes), tuple(gives), tuple(problems)
    )


def _content(operation: Json) -> Json:
    content: Mapping[str, Json] = operation.get("content", {})
    kinds = [item.get("schema", {}) for item in content.values()]
    return kinds[0] if kinds else {}


def _fields(schema: Json, schemas: Json, where: str) -> list[Field]:
    """Fields of an object, of the items of a list, or of the rows of a page."""
    shape = _resolved(schema, schemas)
    if shape.get("type") == "array":
        shape = _resolved(shape.get("items", {}), schemas)
    rows = shape.get("properties", {}).get("results")
    if rows and "count" in shape["properties"]:
        shape = _resolved(rows.get("items", {}), schemas)
    required: Sequence[str] = shape.get("required", ())
    return [
        Field(name, kind_of(field), where, name in required, str(field.get("description", "")))
        for name, field in shape.get("properties", {}).items()
    ]


def _resolved(schema: Json, schemas: Json) -> Json:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    target: Json = schemas.get(name, {}) if name else schema
    return target


def kind_of(schema: Json) -> str:
    """Short text of a type.

    >>> kind_of({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]})
    'uuid or null'
    >>> kind_of({"type": "array", "items": {"$ref": "#/components/schemas/Dataset"}})
    'list of Dataset'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(kind_of(field) for field in choices))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
