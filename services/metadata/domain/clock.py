"""Times on the clock of a lab."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from libs.common.problem import BadRequest
from libs.common.schemas.times import AlyxTime, BadTime, alyx_time

DEFAULT_ZONE: Final = "Europe/London"  # of subjects without a lab


def parse_time(text: str, zone: str, field: str) -> AlyxTime:
    """The time in a field of a body, on a lab's clock. Raises BadRequest naming the field."""
    try:
        return alyx_time(text, zone)
    except BadTime as error:
        raise BadRequest(fields={field: [str(error)]}) from None


def clock_time(at: datetime, zone: str) -> AlyxTime:
    """An instant as a lab's clock shows it, in whole seconds.

    >>> from datetime import UTC
    >>> clock_time(datetime(2024, 7, 1, 12, 0, 0, 5, tzinfo=UTC), "Europe/London").text
    '2024-07-01T13:00:00'
    """
    return alyx_time(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0).isoformat(), zone)


def time_or_now(text: str | None, zone: str, field: str, now: datetime) -> AlyxTime:
    """The time in a field of a body, else the present. Raises BadRequest naming the field."""
    return parse_time(text, zone, field) if text else clock_time(now, zone)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The day of an instant on a lab's clock.

    Of an instant that no clock shows, which older records may hold, it is the day in UTC.
    """
    try:
        return at.astimezone(zone).date()
    except OverflowError:
        return at.date()
