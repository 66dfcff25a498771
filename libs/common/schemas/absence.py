"""Fields of bodies that may be absent and whose value may not be null, or not empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from libs.common.problem import NOT_BLANK, NOT_NULL


def is_sent(value: Any) -> Any:
    """A value that is not null. Raises PydanticCustomError.

    >>> is_sent("")
    ''
    """
    if value is None:
        raise PydanticCustomError("null", NOT_NULL[0])
    return value


def is_filled(value: Any) -> Any:
    """A value that is neither null nor an empty text. Raises PydanticCustomError."""
    if value == "":
        raise PydanticCustomError("blank", NOT_BLANK[0])
    return is_sent(value)


def with_values(schema: Any, checks: Mapping[str, Callable[[Any], Any]]) -> Any:
    """The core schema of a model, some of whose fields have checks, and take no null but as their default.

    Raises TypeError for a field that the model does not have.
    """
    if not checks:
        return schema
    if schema["type"] != "model-fields":
        return schema | {"schema": with_values(schema["schema"], checks)}
    fields, unknown = dict(schema["fields"]), set(checks)
    for name, field in fields.items():
        shown = field.get("validation_alias", name)
        if shown in checks:
            unknown.remove(shown)
            fields[name] = field | {"schema": _checked(field["schema"], checks[shown])}
    if unknown:
        raise TypeError(f"There is no field {', '.join(sorted(unknown))}")
    return schema | {"fields": fields}


def _checked(schema: Any, check: Callable[[Any], Any]) -> Any:
    if schema["type"] == "default":  # whose null no schema shows
        return core_schema.with_default_schema(
            _checked(schema["schema"], check), default_factory=lambda: None
        )
    return core_schema.no_info_before_validator_function(check, _without_null(schema))


def _without_null(schema: Any) -> Any:
    if schema["type"] == "nullable":
        return schema["schema"]
    if schema["type"].startswith("function-") and "schema" in schema:
        return schema | {"schema": _without_null(schema["schema"])}
    return schema
