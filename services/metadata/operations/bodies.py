"""Reading the fields of a request body that creates or changes a row."""

from __future__ import annotations

from libs.common.problem import REQUIRED, BadRequest


def required_name(name: str | None, field: str = "name") -> str:
    """The name of a row to be created. Raises BadRequest if it is absent."""
    if name is None:
        raise BadRequest(fields={field: REQUIRED})
    return name
