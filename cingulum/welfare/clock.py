"""Instants, local times of a lab, and calendar days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
DAY_US: Final = 24 * HOUR_US
NEVER: Final = int(np.iinfo(np.int64).max)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def instant_us(at: datetime, zone: tzinfo) -> int:
    """Microseconds since 1970 UTC; a time without offset is local time in `zone` (the first, if it occurs twice).

    >>> from zoneinfo import ZoneInfo
    >>> instant_us(datetime(1970, 1, 1, 1, tzinfo=UTC), ZoneInfo("Europe/London")) // HOUR_US
    1
    """
    exact = at.replace(tzinfo=zone, fold=0) if at.tzinfo is None else at
    return (exact - EPOCH) // _MICROSECOND


def wall_us(instants: NDArray[np.int64], zone: tzinfo) -> NDArray[np.int64]:
    """Local time in `zone` at these instants, in microseconds since local 1970-01-01 00:00.

    >>> from zoneinfo import ZoneInfo
    >>> wall_us(np.array([6 * HOUR_US]), ZoneInfo("America/New_York")).tolist() == [HOUR_US]
    True
    """
    if zone is UTC:
        return instants
    # The offset of a whole day is cached: computing it per event would cost more than all the rest.
    offsets = [
        known if (known := _offset_of_day(zone, instant // DAY_US)) is not None else _offset_us(zone, instant)
        for instant in instants.tolist()
    ]
    return instants + np.array(offsets, dtype=np.int64)


@lru_cache(maxsize=100_000)
def _offset_of_day(zone: tzinfo, day: int) -> int | None:
    """The zone's offset from UTC on a UTC day; None on a day when clocks change."""
    first, last = _offset_us(zone, day * DAY_US), _offset_us(zone, (day + 1) * DAY_US - 1)
    return first if first == last else None


def _offset_us(zone: tzinfo, instant: int) -> int:
    offset = (EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def day_number(day: date) -> int:
    """Days since 1970-01-01.

    >>> day_number(date(1970, 1, 3))
    2
    """
    return (day - EPOCH.date()).days


def noon_us(day: date) -> int:
    """Local noon of a day, in microseconds: by convention the hour at which animals are born."""
    return day_number(day) * DAY_US + 12 * HOUR_US
