"""Numbers, days and moments as text."""

from __future__ import annotations

import math
from datetime import date, datetime

from cingulum.figures.inputs import Moment, day_of

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def short_day(day: date) -> str:
    """Write a day as on an axis.

    >>> short_day(date(2026, 4, 5))
    '5 Apr'
    """
    return f"{day.day} {MONTHS[day.month - 1]}"


def day_name(days: float) -> str:
    """Write the day that is so many days after 1970-01-01.

    >>> day_name(1.5)
    '2 Jan'
    """
    return short_day(day_of(days))


def years(first: float, last: float) -> str:
    """Write the year or years between two days since 1970-01-01, for the name of an axis.

    >>> years(0.0, 364.0), years(0.0, 366.0)
    ('1970', '1970–1971')
    """
    first_year, other = day_of(first).year, day_of(last).year
    return str(first_year) if first_year == other else f"{first_year}–{other}"


def written(value: float, decimals: int) -> str:
    """Write a number as text in a figure, with a true minus sign.

    >>> written(-12.50, 1), written(-0.0, 0)
    ('−12.5', '0')
    """
    text = f"{value:.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if float(text) == 0 else "−" + text[1:]
    return text


def rounded(value: float) -> str:
    """Write a number to four significant digits, without trailing zeros: for descriptions and tables.

    >>> rounded(24.5), rounded(0.123456), rounded(-3.0), rounded(70000.0)
    ('24.5', '0.1235', '−3', '70000')
    """
    if value == 0:
        return "0"
    decimals = min(max(3 - math.floor(math.log10(abs(value))), 0), 12)
    text = written(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def wall_clock(moment: Moment) -> str:
    """Write a moment for a table: the day, and the minute where there is one.

    >>> wall_clock(date(2026, 4, 5)), wall_clock(datetime(2026, 4, 5, 9, 30))
    ('2026-04-05', '2026-04-05 09:30')
    """
    return moment.strftime("%Y-%m-%d %H:%M") if isinstance(moment, datetime) else moment.isoformat()


def counted(n: int, noun: str) -> str:
    """Write a number of things.

    >>> counted(1, "trial"), counted(40, "trial")
    ('1 trial', '40 trials')
    """
    return f"{n} {noun}{'s' * (n != 1)}"
