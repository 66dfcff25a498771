"""Rules of labs."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from libs.common.problem import BadRequest, Conflict


def check_time_zone(name: str | None) -> None:
    """Raise BadRequest unless it is an IANA time zone; None means that the zone is not changed."""
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        text = f"'{name}' is not an IANA time zone such as Europe/London."
        raise BadRequest(fields={"timezone": [text]}) from None


def check_lab_deletable(name: str, *, has_subjects: bool) -> None:
    """Raise Conflict for a lab with subjects: they would belong to a lab that does not exist."""
    if has_subjects:
        raise Conflict(f"The lab '{name}' has subjects: move them to another lab first.")
