"""Fields of request bodies."""

from __future__ import annotations

from typing import TypeVar

from libs.common.problem import REQUIRED, BadRequest

T = TypeVar("T")


def required(value: T | None, field: str) -> T:
    """A field of a row to be created. Raises BadRequest if it is absent or empty.

    >>> required("hilllab", "name")
    'hilllab'
    """
    if value is None or value == "":
        raise BadRequest(fields={field: REQUIRED})
    return value
