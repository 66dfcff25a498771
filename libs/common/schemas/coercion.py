"""Which values of a body count as a number, a truth value or a time: those that the description of the API permits.

pydantic by itself takes `true` as 1, and 20200101 as a time in August 1970.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from cingulum.alf.spelling import normal

Convert = Callable[[Any], Any]
_NUMBER: Final = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_TRUE: Final = ("t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1")
_FALSE: Final = ("f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0")
_AS_SENT: Final = "cingulum.as_sent"
_TIME: Final = re.compile(r"[+-]?[0-9.]*")


def check_number(value: Any) -> Any:
    """A number of a schema of our own. Raises ValueError.

    >>> check_number(2.5)
    2.5
    >>> check_number(True)
    Traceback (most recent call last):
        ...
    ValueError: a number is expected
    """
    if not isinstance(value, bool | str | bytes):
        return value
    raise ValueError("a number is expected")


def check_number_or_text(value: Any) -> Any:
    """A number of Alyx's contract, whose clients also send it as text. Raises ValueError.

    >>> check_number_or_text("23.5")
    '23.5'
    >>> check_number_or_text("1_000")
    Traceback (most recent call last):
        ...
    ValueError: a number is expected
    """
    if isinstance(value, str) and re.fullmatch(_NUMBER, value):
        return value
    return check_number(value)


def check_truth(value: Any) -> Any:
    """A truth value of Alyx's contract, whose clients also send texts and 0 or 1. Raises ValueError.

    >>> check_truth("False"), check_truth(1)
    (False, True)
    >>> check_truth("maybe")
    Traceback (most recent call last):
        ...
    ValueError: true or false is expected
    """
    text = str(value)
    if isinstance(value, bool | int | str) and text in _TRUE + _FALSE:
        return text in _TRUE
    raise ValueError("true or false is expected")


def check_time(value: Any) -> Any:
    """A time or a day, as ISO text. Raises ValueError.

    >>> check_time("2020-08-21")
    '2020-08-21'
    >>> check_time("20200821")
    Traceback (most recent call last):
        ...
    ValueError: a time is expected as text, such as 2020-08-21 or 2020-08-21T09:30:00Z
    """
    if isinstance(value, int | float | bytes) or (isinstance(value, str) and _TIME.fullmatch(value)):
        raise ValueError("a time is expected as text, such as 2020-08-21 or 2020-08-21T09:30:00Z")
    return value


def compose(value: Any) -> Any:
    """A text in composed form (NFC), as the texts of queries are; macOS sends accented letters decomposed."""
    return normal(value) if isinstance(value, str) else value


class AsSent:
    """Metadata of a text that is not composed, such as a password."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        return schema | {"metadata": schema.get("metadata", {}) | {_AS_SENT: True}}  # type: ignore[no-any-return]


def _composed(schema: Any) -> Any:
    if schema.get("metadata", {}).get(_AS_SENT):
        return schema
    return core_schema.no_info_before_validator_function(compose, schema)


def _checked(check: Convert, **described: Any) -> Convert:
    """What puts a check before a pydantic core schema, and `described` into its JSON schema."""

    def described_schema(schema: Any, handler: Any) -> Any:
        return {**handler(schema), **described}

    metadata = {"pydantic_js_functions": [described_schema]} if described else None
    return lambda schema: core_schema.no_info_before_validator_function(check, schema, metadata=metadata)


def _strict(schema: Any) -> Any:
    return {"strict": True} | schema


_TIMES: Final[Mapping[str, Convert]] = {"datetime": _checked(check_time), "date": _checked(check_time)}
EXACT: Final[Mapping[str, Convert]] = {
    **_TIMES,
    "int": _checked(check_number),
    "float": _checked(check_number),
    "bool": _strict,
}
"""Bodies of our own."""
LENIENT: Final[Mapping[str, Convert]] = {
    **_TIMES,
    "str": _composed,
    "int": _checked(check_number_or_text, type=["integer", "string"], pattern=_NUMBER),
    "float": _checked(check_number_or_text, type=["number", "string"], pattern=_NUMBER),
    "bool": _checked(
        check_truth,
        type=["boolean", "string", "integer"],
        pattern=f"^({'|'.join(_TRUE + _FALSE)})$",
        minimum=0,
        maximum=1,
    ),
}
"""Bodies of Alyx's contract."""
