"""Animals with defaults, so that a test shows only what matters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cingulum.welfare import History, LabPolicy, Restriction, Weighing

START = datetime(2024, 4, 1, 9, tzinfo=UTC)
LAB = LabPolicy(reference_fraction=0.85)


def day(n: int, hour: int = 9, minute: int = 0) -> datetime:
    """Hour:minute of the n-th day of the restriction; day 0 is 1 April 2024."""
    return START.replace(hour=hour, minute=minute) + timedelta(days=n)


def a_mouse(weights: Sequence[float] = (20.0,), **other: Any) -> History:
    """A mouse restricted since day 0 with a reference of 20 g, weighed on successive mornings."""
    values = {
        "weighings": [Weighing(day(n), weight) for n, weight in enumerate(weights)],
        "restrictions": [Restriction(START, None, 20.0)],
        "nickname": "KM_011",
        "sex": "F",
    }
    return History(**{**values, **other})
