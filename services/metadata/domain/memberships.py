"""Rules of memberships."""

from __future__ import annotations

from datetime import date

from libs.common.problem import BadRequest


def check_period(start: date, end: date | None) -> None:
    """Raise BadRequest for a membership that ends before it starts; no end means that it is current."""
    if end is not None and end < start:
        raise BadRequest(fields={"end_date": ["A membership cannot end before it starts."]})
