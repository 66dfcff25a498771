"""Converts inputs of figures to float64 arrays, in which NaN means unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Moment = date | datetime
Values = ArrayLike | Sequence[float | None]


class UnequalLengthsError(ValueError):
    """Arrays that belong together do not have the same length."""


def floats(values: Values) -> Floats:
    """Read any array as 1-D float64; None, infinities and values beyond 1e12, which no instrument measures, become NaN.

    >>> floats([1, None, float("inf")])
    array([ 1., nan, nan])
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    # The limit leaves every scale enough bits to distinguish two px.
    return np.where(np.abs(array) <= 1e12, array, np.nan)


def same_length(what: str, *arrays: Values) -> list[Floats]:
    """Read arrays that belong together. Raises UnequalLengthsError with the name and length of each.

    >>> same_length("weights", [1, 2], [None, 4])
    [array([1., 2.]), array([nan,  4.])]
    """
    columns = [floats(array) for array in arrays]
    if len({len(array) for array in columns}) > 1:
        raise UnequalLengthsError(f"{what}: arrays of {', '.join(str(len(array)) for array in columns)}")
    return columns


def days_since_epoch(moments: Sequence[Moment]) -> Floats:
    """Count days since 1970-01-01 in local time: a time zone, if any, is dropped, not converted.

    >>> days_since_epoch([date(1970, 1, 2), datetime(1970, 1, 2, 12)])
    array([1. , 1.5])
    """
    return np.array([_days(moment) for moment in moments], dtype=np.float64)


def _days(moment: Moment) -> float:
    day = float(moment.toordinal() - EPOCH)
    if isinstance(moment, datetime):
        day += (moment.hour * 3600 + moment.minute * 60 + moment.second) / 86400
    return day


EPOCH = date(1970, 1, 1).toordinal()


def day_of(days: float) -> date:
    """Turn days since 1970-01-01 back into the calendar day, within the years a date can have.

    >>> day_of(1.5)
    datetime.date(1970, 1, 2)
    """
    return date.fromordinal(min(max(EPOCH + math.floor(days), 1), date.max.toordinal()))


def paired(moments: Sequence[Moment], values: Values, what: str) -> tuple[Floats, Floats]:
    """Read values with their times, sorted by time. Raises UnequalLengthsError.

    >>> paired([date(1970, 1, 3), date(1970, 1, 2)], [24.0, 25.0], "weights")
    (array([1., 2.]), array([25., 24.]))
    """
    days, numbers = same_length(what, days_since_epoch(moments), values)
    order = np.argsort(days, kind="stable")
    return days[order], numbers[order]
