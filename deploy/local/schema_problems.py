"""The error responses in the description of the API: those of every route, beside those that a route declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from libs.common import problem
from libs.common.problem import problems

PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal. Where fields of the request are to blame, each is named with its texts.",
    "properties": {
        "detail": {
            "title": "Detail",
            "description": "What was wrong; texts, if a field of this name is to blame.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
        "status_code": {"title": "Status Code", "type": "integer"},
        "type": {"title": "Type", "type": "string", "description": "A slug of the list of problems."},
    },
    "required": ["status_code", "type"],
    "additionalProperties": True,
}
EVERY: Final = problems(
    problem.BadRequest,
    problem.NotAuthenticated,
    problem.InvalidToken,
    problem.Forbidden,
    problem.BodyTooLarge,
    problem.NoFileExpected,
    problem.TooManyRequests,
    problem.Unavailable,
)
"""Responses that the gateway, the limits of bodies and the reading of parameters give on every route."""
OF_OBJECTS: Final = problems(problem.NotFound)
OF_NAMES: Final = problems(problem.AmbiguousName)
OF_WRITES: Final = problems(problem.Conflict, problem.KeyReused)
CONFLICTS: Final = problems(problem.Conflict, problem.KeyReused, problem.AmbiguousName)


def with_problems(path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    """The responses of one operation, completed; FastAPI's 422 is never sent, since `errors.py` answers 400.

    >>> tag = {"parameters": [{"in": "path", "schema": {"type": "string"}}], "responses": {"200": {}, "422": {}}}
    >>> sorted(with_problems("/tags/{name}", "get", tag))
    ['200', '400', '403', '404', '409', '413', '415', '429', '503']
    """
    usual = EVERY | (OF_OBJECTS if "{" in path else {}) | (OF_NAMES if _has_name(operation) else {})
    if method != "get":
        usual |= OF_WRITES
    references = {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in usual}
    own = {
        status: response | {"content": _content()} if status >= "400" else response
        for status, response in operation["responses"].items()
        if status != "422" and not _is_usual(status, response, usual)
    }
    return dict(sorted((references | own).items()))


def _has_name(operation: Mapping[str, Any]) -> bool:
    """Whether its path takes a name, which several objects may have."""
    return any(
        parameter["in"] == "path" and parameter["schema"].get("format") != "uuid"
        for parameter in operation.get("parameters", [])
    )


def _is_usual(status: str, response: Mapping[str, Any], usual: Mapping[int | str, Any]) -> bool:
    standard = usual.get(int(status), {}).get("description", "")
    return bool(standard) and response.get("description", "") in standard


def components() -> dict[str, Any]:
    """What `with_problems` refers to."""
    return {
        _name(status): {**response, "content": _content()}
        for status, response in sorted((EVERY | OF_OBJECTS | CONFLICTS).items())
    }


def _name(status: int | str) -> str:
    return f"Problem{status}"


def _content() -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
