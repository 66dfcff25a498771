"""Old names of db/pages.py and filters/parameters.py, until every list has its `ListFilters`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from libs.common.db.pages import fetch_page as paged
from libs.common.problem import BadRequest
from libs.common.schemas.ids import parse_field_id as uuid_of

__all__ = [
    "MOST_WORDS",
    "bad",
    "days_of",
    "like",
    "number_of",
    "on_days",
    "paged",
    "truth_of",
    "uuid_of",
    "whole_of",
    "words",
]

MOST_WORDS = 32  # of a comma list: each becomes a condition of its own


def bad(field: str, text: str) -> BadRequest:
    """A filter's value that cannot be meant."""
    return BadRequest(fields={field: [text]})


def whole_of(field: str, text: str) -> int:
    """A filter's whole number ("001" is 1). Raises BadRequest."""
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10:
        return int(text)
    raise bad(field, f"'{text}' is not a whole number.")


def number_of(field: str, text: str) -> float:
    """A filter's number. Raises BadRequest."""
    try:
        value = float(text)
    except ValueError:
        raise bad(field, f"'{text}' is not a number.") from None
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - the one test for NaN
        raise bad(field, f"'{text}' is not a number.")
    return value


def truth_of(text: str) -> bool | None:
    """A filter's truth value; None for a text that says neither, which Alyx ignores.

    >>> truth_of("True"), truth_of("0"), truth_of("perhaps")
    (True, False, None)
    """
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def days_of(field: str, text: str) -> tuple[date, date]:
    """A range of days, both ends included. Raises BadRequest.

    >>> days_of("date_range", "2020-08-21,2020-08-24")
    (datetime.date(2020, 8, 21), datetime.date(2020, 8, 24))
    """
    parts = [part.strip() for part in text.split(",")]
    try:
        first, last = (datetime.fromisoformat(part).date() for part in parts)
    except ValueError:
        raise bad(field, f"'{text}' is not two days such as 2020-08-21,2020-08-24.") from None
    return first, last


def on_days(text_column: Any, text: str, field: str = "date_range") -> sa.ColumnElement[bool]:
    """A time kept as its answers show it lies in a range of days, both included: the days that people see."""
    first, last = days_of(field, text)
    return sa.cast(sa.func.left(text_column, 10), sa.Date).between(first, last)


def like(column: Any, text: str) -> sa.ColumnElement[bool]:
    """A part of a text, ignoring case; `%` and `_` mean themselves."""
    parts: sa.ColumnElement[bool] = column.icontains(text, autoescape=True)
    return parts


def words(field: str, text: str) -> list[str]:
    """A filter's comma list. Raises BadRequest for one so long that it would take minutes to plan.

    >>> words("projects", "a, b,")
    ['a', 'b']
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > MOST_WORDS:
        raise bad(field, f"At most {MOST_WORDS} values are read, not {len(parts)}: ask in several requests.")
    return parts
