"""Types of list filters' values: what is parsed from the text of a query parameter, and how invalid text is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from libs.common.schemas.ids import parse_id
from libs.common.schemas.ignorable import Ignorable
from libs.common.schemas.qc import QC_CODES, QC_NAMES, qc_code
from libs.common.schemas.times import iso_time

MOST_NAMES: Final = 32  # of a comma list: each becomes a condition of its own
MOST_CHOICES: Final = 1_000  # of a comma list of which one has to match: all become one condition
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


class Parsed:
    """Metadata of a value type: how the parameter's text becomes the value.

    `parse` raises ValueError with the text that the caller reads, and may return None for text that is ignored. An
    empty text is an absent filter, and of a repeated parameter the last one counts.
    """

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse = parse

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string"}

    def _validate(self, value: Any) -> Any:
        if isinstance(value, list):  # FastAPI collects the values of a field whose type is a sequence
            value = value[-1] if value else None
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value) if value else None
        except ValueError as error:
            raise PydanticCustomError("invalid_filter", "{reason}", {"reason": str(error)}) from None


@dataclass(frozen=True)
class Days:
    """A range of days, both ends included."""

    first: date
    last: date

    def contain(self, day: Any) -> sa.ColumnElement[bool]:
        """The condition that a column of type DATE lies in the range."""
        is_within: sa.ColumnElement[bool] = day.between(self.first, self.last)
        return is_within

    def contain_text(self, text: Any) -> sa.ColumnElement[bool]:
        """The same for a time that is stored as text, by the day that the text shows."""
        return self.contain(sa.cast(sa.func.left(text, 10), sa.Date))


def parse_whole_number(text: str) -> int:
    """A whole number of at most nine digits. Raises ValueError.

    >>> parse_whole_number("001")
    1
    """
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10:
        return int(text)
    raise ValueError(f"'{text}' is not an integer.")


def parse_number(text: str) -> float:
    """A finite number. Raises ValueError.

    >>> parse_number("nan")
    Traceback (most recent call last):
        ...
    ValueError: 'nan' is not a number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is not a number.")
    return value


def parse_truth(text: str) -> bool | None:
    """A truth value; None for text that is neither true nor false, which Alyx ignores.

    >>> parse_truth("True"), parse_truth("0"), parse_truth("perhaps")
    (True, False, None)
    """
    return _TRUTH.get(text.lower())


def parse_names(text: str, most: int = MOST_NAMES) -> tuple[str, ...]:
    """The values of a comma list. Raises ValueError for one so long that its statement would take minutes to plan.

    >>> parse_names("a, b,")
    ('a', 'b')
    """
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if len(names) > most:
        raise ValueError(f"At most {most} values are accepted, not {len(names)}: split the request.")
    return names


def parse_choices(text: str) -> tuple[str, ...]:
    """The values of a comma list of which one has to match, as the ONE client sends several subjects."""
    return parse_names(text, MOST_CHOICES)


def parse_moment(text: str) -> datetime:
    """A time of which the offset, if there is one, was converted to UTC; a day is its midnight. Raises ValueError.

    >>> parse_moment("2020-08-21T12:00:00+02:00"), parse_moment("2020-08-21")
    (datetime.datetime(2020, 8, 21, 10, 0), datetime.datetime(2020, 8, 21, 0, 0))
    """
    try:
        when = iso_time(text)
        return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    except (ValueError, OverflowError):
        raise ValueError(f"'{text}' is not a time such as 2020-08-21T12:30:00.") from None


def parse_ids(text: str) -> tuple[UUID, ...]:
    """The UUIDs of a comma list, or of URLs that end with them. Raises ValueError."""
    return tuple(parse_id(part) for part in parse_names(text))


def parse_day(text: str) -> date:
    """A day, also as the beginning of a time. Raises ValueError, for two days too.

    >>> parse_day("2020-08-21T12:00")
    datetime.date(2020, 8, 21)
    """
    try:
        return iso_time(text).date()
    except ValueError:
        raise ValueError(f"'{text}' is not a day such as 2020-08-21.") from None


def parse_days(text: str) -> Days:
    """A range of days. Raises ValueError.

    >>> parse_days("2020-08-21,2020-08-24")
    Days(first=datetime.date(2020, 8, 21), last=datetime.date(2020, 8, 24))
    """
    try:
        first, last = (iso_time(part).date() for part in text.split(","))
    except ValueError:
        raise ValueError(f"'{text}' is not two days such as 2020-08-21,2020-08-24.") from None
    return Days(first, last)


def parse_qc(text: str) -> int:
    """A QC by number or by name. Raises ValueError.

    >>> parse_qc("warning"), parse_qc("30")
    (30, 30)
    """
    code = qc_code(text)
    if not isinstance(code, int) or code not in QC_NAMES:
        raise ValueError(f"'{text}' is none of {', '.join(QC_CODES)}.")
    return code


Text = Annotated[str, Parsed(str)]
UuidText = Annotated[UUID, Parsed(parse_id)]
"""A UUID, or a URL that ends with it."""
UuidList = Annotated[tuple[UUID, ...], Parsed(parse_ids)]
WholeNumber = Annotated[int, Parsed(parse_whole_number)]
Number = Annotated[float, Parsed(parse_number)]
Truth = Annotated[bool, Parsed(parse_truth), Ignorable(lambda text: parse_truth(text) is None)]
CommaList = Annotated[tuple[str, ...], Parsed(parse_names)]
"""Names, all of which have to match."""
Choices = Annotated[tuple[str, ...], Parsed(parse_choices)]
"""Names, one of which has to match."""
Moment = Annotated[datetime, Parsed(parse_moment)]
Day = Annotated[date, Parsed(parse_day)]
Qc = Annotated[int, Parsed(parse_qc)]
DayRange = Annotated[Days, Parsed(parse_days)]
