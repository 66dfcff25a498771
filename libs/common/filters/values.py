"""Values as the fields' kinds want them. Every function raises ValueError with a reason."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import cast
from uuid import UUID

from libs.common.filters.fields import Kind
from libs.common.filters.texts import Literal, is_bracketed, parse_literal
from libs.common.schemas.times import iso_time

Value = str | int | float | bool | UUID | datetime | date

_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_INT64 = 2**63


def items_of(text: str) -> list[Literal]:
    """The items of a bracketed list; one bare value is a list of itself.

    >>> items_of("('a',)"), items_of("a")
    (['a'], ['a'])
    """
    if not is_bracketed(text):
        return [text]
    literal = parse_literal(text)
    if not isinstance(literal, list):
        raise ValueError("a list such as ['a', 'b'] is required")  # noqa: TRY004 - a wrong text, not a wrong type
    return literal


def to_kind(item: Literal, kind: Kind) -> Value:
    """One value as that kind.

    >>> to_kind("3.0", "int"), to_kind("2024-03-02", "datetime").isoformat()
    (3, '2024-03-02T00:00:00')
    """
    return _READERS[kind](item)


def to_bool(item: Literal) -> bool:
    """True or false in any case, or 1 or 0."""
    text = str(item).strip().lower()
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(f"'{_shown(item)}' is neither true nor false")
    return text in {"true", "1"}


def _to_text(item: Literal) -> str:
    if isinstance(item, list | dict) or item is None:
        raise ValueError("a string is required")
    return str(item)


def _to_int(item: Literal) -> int | float:
    number = _to_float(item)
    if isinstance(item, int):
        number = item
    elif isinstance(item, str) and re.fullmatch(r"\s*[+-]?\d+\s*", item, re.ASCII):
        number = int(item)
    elif number.is_integer():
        number = int(number)
    if not -_INT64 <= number < _INT64:
        raise ValueError(f"{_shown(item)} is too large for an integer")
    return number


def _to_float(item: Literal) -> float:
    is_number = not isinstance(item, bool) and isinstance(item, int | float | str)
    if not is_number or (isinstance(item, str) and not _NUMBER.fullmatch(item.strip())):
        raise ValueError(f"'{_shown(item)}' is not a number")
    number = float(cast(str | float, item))
    if not math.isfinite(number):
        raise ValueError(f"{_shown(item)} is too large")
    return number


def _to_uuid(item: Literal) -> UUID:
    try:
        return UUID(_to_text(item).strip())
    except ValueError:
        raise ValueError(
            f"'{_shown(item)}' is not an id such as 4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a"
        ) from None


def _to_datetime(item: Literal) -> datetime:
    try:
        return iso_time(_to_text(item))
    except ValueError:
        raise ValueError(f"'{_shown(item)}' is not a time such as 2024-03-02T12:30:00") from None


def _to_date(item: Literal) -> date:
    return _to_datetime(item).date()


def in_utc(when: datetime, *, aware: bool) -> datetime:
    """The same time for a column with (`aware`) or without zone; a time without offset counts as UTC."""
    try:
        if aware:
            return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    except OverflowError:
        raise ValueError(f"{when.isoformat()} is outside the years 1 to 9999") from None


def _shown(item: object) -> str:
    return str(item)[:80]


_READERS: dict[Kind, Callable[[Literal], Value]] = {
    "text": _to_text,
    "int": _to_int,
    "float": _to_float,
    "bool": to_bool,
    "uuid": _to_uuid,
    "datetime": _to_datetime,
    "date": _to_date,
}
