"""Generate the schema of the public API: `python -m deploy.local.schema` (`make schema`).

One OpenAPI document of all services, generated from their routes and committed: clients cache it for a week, so it is
never assembled during a request. The older format, for ONE clients before 3.4, is generated from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from deploy.local.mounted import parts
from deploy.local.schema_problems import PROBLEM, components, with_problems
from libs.common.app import VERSION
from libs.common.catalogue import Service
from libs.common.migrate import Addresses

STATIC = Path(__file__).parents[2] / "services" / "gateway" / "static"
METHODS = ("get", "post", "put", "patch", "delete")
NEVER_SENT = {"HTTPValidationError", "ValidationError"}  # FastAPI's own errors
ACTIONS = {
    ("get", False): "list",
    ("get", True): "read",
    ("post", False): "create",
    ("post", True): "create",
    ("put", True): "update",
    ("patch", True): "partial_update",
    ("delete", True): "delete",
}


def apps() -> dict[Service, FastAPI]:
    """The applications, with settings that connect to nothing."""
    environment = Addresses("postgresql://nobody@127.0.0.1:1/none", "none").environment() | {
        "CINGULUM_SECRET_KEY": "none",
        "CINGULUM_IDENTITY_VERIFY_KEY": "none",
        "CINGULUM_LOG_LEVEL": "ERROR",
    }
    with patch.dict(os.environ, environment):
        return {service: app for service, app in parts().items() if isinstance(app, FastAPI)}


def document(services: Mapping[Service, FastAPI]) -> dict[str, Any]:
    """The OpenAPI document; raises ValueError if two services contradict each other."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for service, app in services.items():
        own = get_openapi(title=app.title, version=VERSION, routes=app.routes)
        for path, item in own["paths"].items():
            paths[path] = {method: _plain(path, method, item[method]) for method in METHODS if method in item}
        for name, schema in own.get("components", {}).get("schemas", {}).items():
            if name in NEVER_SENT:
                continue
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"the schema '{name}' of {service} differs from that of another service")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cingulum",
            "version": VERSION,
            "description": "The public API: Alyx's contract, and Cingulum's additions under paths of their own.",
        },
        # Lists come before details: clients take the first path that fits.
        "paths": dict(
            sorted(paths.items(), key=lambda item: (item[0].split("/")[1], "{" in item[0], item[0]))
        ),
        "components": {
            "responses": components(),
            "schemas": dict(sorted((schemas | {"Problem": PROBLEM}).items())),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Token <token>",
                }
            },
        },
        "security": [{"token": []}],
    }


def _plain(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with its problems; the first line of the route's docstring is its summary."""
    summary, _, description = operation.get("description", "").partition("\n")
    shown = {key: value for key, value in operation.items() if key not in {"operationId", "description"}}
    if summary:
        shown["summary"] = summary.strip()
    if description.strip():
        shown["description"] = description.strip()
    return shown | {"responses": with_problems(path, method, operation)}


def core_api(openapi: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the format of Alyx's old documentation: endpoint → action → address and fields."""
    endpoints: dict[str, Any] = {}
    for path, item in openapi["paths"].items():
        endpoint = path.split("/")[1]
        for method, operation in item.items():
            action = ACTIONS.get((method, "{" in path))
            if action is None or action in endpoints.get(endpoint, {}):
                continue
            endpoints.setdefault(endpoint, {})[action] = {
                "_type": "link",
                "url": path,
                "action": method,
                "description": "\n\n".join(
                    operation[k] for k in ("summary", "description") if k in operation
                ),
                "fields": _fields(openapi, operation),
            }
    return {"_type": "document", "_meta": {"url": "/docs", "title": "Cingulum"}, **endpoints}


def _fields(openapi: Mapping[str, Any], operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields = [
        _field(p["name"], p["in"], required=p.get("required", False), schema=p["schema"] | p)
        for p in operation.get("parameters", [])
        if p["in"] in {"path", "query"}  # Core API has no headers
    ]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content and "$ref" in content["schema"]:
        body = openapi["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        needed = body.get("required", [])
        fields += [
            _field(name, "form", required=name in needed, schema=schema)
            for name, schema in body.get("properties", {}).items()
        ]
    return fields


def _field(name: str, location: str, *, required: bool, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A field as Core API describes it: of the path, the query or the body, which it calls a form."""
    kinds = [option.get("type") for option in (schema, *schema.get("anyOf", []))]
    plain = [kind[0] if isinstance(kind, list) else kind for kind in kinds]  # Core API has one type per field
    kind = next((k for k in plain if k and k != "null"), "string")
    return {
        "name": name,
        "required": required,
        "location": location,
        "schema": {
            "_type": kind,
            "title": schema.get("title", ""),
            "description": schema.get("description", ""),
        },
    }


def written() -> dict[str, str]:
    """Name and text of each file."""
    openapi = document(apps())
    return {
        "schema.json": json.dumps(openapi, indent=1, ensure_ascii=False) + "\n",
        "coreapi.json": json.dumps(core_api(openapi), indent=1, ensure_ascii=False) + "\n",
    }


def main() -> None:
    """Write the files."""
    for name, text in written().items():
        (STATIC / name).write_text(text)


if __name__ == "__main__":
    main()
