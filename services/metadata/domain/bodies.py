"""Fields of request bodies."""

from __future__ import annotations

from typing import TypeVar

from libs.common.problem import REQUIRED, BadRequest

T = TypeVar("T")


def check_not_sent(field: str, value: object, reason: str) -> None:
    """Raises BadRequest for a value of a field that Alyx has and that cannot be stored here.

    >>> check_not_sent("name", "", "Surgeries have no names.")
    """
    if value:
        raise BadRequest(fields={field: [reason]})


def required(value: T | None, field: str) -> T:
    """A field of a row to be created. Raises BadRequest if it is absent or empty.

    >>> required("hilllab", "name")
    'hilllab'
    """
    if value is None or value == "":
        raise BadRequest(fields={field: REQUIRED})
    return value
