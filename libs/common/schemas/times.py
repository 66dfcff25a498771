"""Alyx's times: a text without zone that is shown as it was sent, and the instant it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from libs.common.problem import BadRequest

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)  # both far from where a clock reading in some zone has no date
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A day of a body."""


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a region alone is a folder
        raise ValueError(f"'{name}' is not an IANA time zone such as Europe/London.") from None
    return name


TimeZoneName = Annotated[
    str,
    AfterValidator(_check_zone),
    Field(max_length=64, description="IANA name of a time zone", examples=["Europe/London"]),
]
"""An IANA time zone of a body."""


_ISO: Final = re.compile(r"[0-9W-]{7,10}(?:[Tt ][0-9:.,+Zz-]+)?", re.ASCII)


def iso_time(text: str) -> datetime:
    """An ISO day, perhaps with a time of day behind `T` or a space. Raises ValueError.

    >>> iso_time("2020-08-21 12:30").isoformat(), iso_time("20200821").isoformat()
    ('2020-08-21T12:30:00', '2020-08-21T00:00:00')
    >>> iso_time("2020-08-21x12:30")
    Traceback (most recent call last):
        ...
    ValueError: '2020-08-21x12:30' is not an ISO time
    """
    if not _ISO.fullmatch(text.strip()):
        raise ValueError(f"'{text}' is not an ISO time")
    return datetime.fromisoformat(text.strip())


class BadTime(ValueError):
    """A text is neither an ISO time nor an ISO date, or its year is outside 1900 to 2199."""


@dataclass(frozen=True, slots=True)
class AlyxTime:
    """`text` as Alyx would answer it, `at` the instant for order and deadlines, `day` that of the folder."""

    text: str
    at: datetime
    day: date


def alyx_time(text: str, zone: str) -> AlyxTime:
    """Read a time as its sender meant it.

    Without offset it is the lab's own clock (`zone`, an IANA name; of an ambiguous hour the first is meant); with an
    offset it is exact and, as in Alyx, answered in UTC. A bare date is midnight. Raises BadTime.

    >>> alyx_time("2020-08-21 09:30:00", "Europe/London").at.isoformat()
    '2020-08-21T08:30:00+00:00'
    >>> alyx_time("2020-08-21T09:30:00.25+02:00", "Europe/London").text
    '2020-08-21T07:30:00.250000'
    >>> alyx_time("2020-08-21", "UTC").text
    '2020-08-21T00:00:00'
    """
    try:
        parsed = iso_time(text)
    except ValueError:
        raise BadTime(f"'{text}' is not a time such as 2020-08-21T09:30:00") from None
    if not FIRST_DAY <= parsed.date() <= LAST_DAY:
        raise BadTime(f"'{text}' is outside the years {FIRST_DAY.year} to {LAST_DAY.year}")
    at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(zone), fold=0)).astimezone(UTC)
    naive = at.replace(tzinfo=None) if parsed.tzinfo else parsed
    return AlyxTime(naive.isoformat(), at, naive.date())


def naive_utc(at: datetime) -> str:
    """An instant in UTC, as Alyx shows it: without an offset.

    >>> naive_utc(datetime(2020, 8, 21, 8, 30, tzinfo=UTC))
    '2020-08-21T08:30:00'
    """
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def parse_utc(field: str, text: str) -> datetime:
    """The instant in a field of a body; without an offset it is in UTC. Raises BadRequest that names the field."""
    try:
        return alyx_time(text, "UTC").at
    except BadTime as error:
        raise BadRequest(fields={field: [str(error)]}) from None
