"""Reading the fields of a request body that creates or changes a row."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from libs.common.problem import BadRequest

REQUIRED: Final = ["This field is required."]


def required_name(name: str | None, field: str = "name") -> str:
    """The name of a row to be created. Raises BadRequest if it is absent."""
    if name is None:
        raise BadRequest(fields={field: REQUIRED})
    return name


def present_values(body: BaseModel, *names: str) -> dict[str, Any]:
    """The fields of these names that are present and not null."""
    present = {name: getattr(body, name) for name in names if name in body.model_fields_set}
    return {name: value for name, value in present.items() if value is not None}


def json_value(body: Any) -> dict[str, Any]:
    """`json` if the body has it: it replaces the stored value, also by null."""
    return {"json": body.json_} if "json_" in body.model_fields_set else {}
