"""Times as the bodies of metadata give them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from libs.common.problem import BadRequest
from libs.common.schemas.times import AlyxTime, BadTime, alyx_time


def time_of(text: str, zone: str, field: str) -> AlyxTime:
    """Read a body's time on a lab's clock. Raises BadRequest naming the field."""
    try:
        return alyx_time(text, zone)
    except BadTime as error:
        raise BadRequest(fields={field: [str(error)]}) from None


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The day of an instant on a lab's clock; of one that no clock shows, which older records may hold, UTC's day."""
    try:
        return at.astimezone(zone).date()
    except OverflowError:
        return at.date()


def now_on_clock(zone: str) -> AlyxTime:
    """The present on a lab's clock."""
    return alyx_time(datetime.now(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0).isoformat(), zone)
