"""Days shown on a subject's page, and the welfare status on the last of them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

DAYS_SHOWN: Final = 90
STALE_DAYS: Final = 14
Json = Mapping[str, Any]


class InvalidDay(ValueError):
    """The text is not a calendar day."""


@dataclass(frozen=True)
class Period:
    """Days from first to last, inclusive."""

    first: date
    last: date


def parse_day(text: str) -> date | None:
    """Parse a day; None for an empty field. Raises InvalidDay.

    >>> parse_day("2020-08-21"), parse_day("")
    (datetime.date(2020, 8, 21), None)
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidDay(f"'{text}' is not a day such as 2020-08-21.") from None


def newest_day(rows: Iterable[Json]) -> date | None:
    """The last day with a weighing or water.

    >>> newest_day([{"date_time": "2020-08-21T09:00:00"}, {"date_time": "2020-08-24T09:00:00"}])
    datetime.date(2020, 8, 24)
    """
    days = [date.fromisoformat(row["date_time"][:10]) for row in rows]
    return max(days, default=None)


def first_shown(rows: Iterable[Json], newest: date | None) -> date | None:
    """The day before the first weighing or water, if it is within the default period.

    >>> first_shown([{"date_time": "2020-08-21T09:00:00"}], date(2020, 8, 24))
    datetime.date(2020, 8, 20)
    """
    days = [date.fromisoformat(row["date_time"][:10]) for row in rows]
    if newest is None or (newest - min(days)).days > DAYS_SHOWN:
        return None
    return min(days) - timedelta(days=1)


def period(first: date | None, last: date | None, newest: date | None, today: date) -> Period:
    """Days to show: as requested, else the last 90 until today, or until the newest record if that is old.

    >>> period(None, None, date(2020, 8, 24), date(2020, 8, 26)).last
    datetime.date(2020, 8, 26)
    >>> period(None, None, date(2020, 8, 24), date(2026, 1, 1))
    Period(first=datetime.date(2020, 5, 27), last=datetime.date(2020, 8, 24))
    """
    if last is None:
        stale = newest is not None and (today - newest).days > STALE_DAYS
        last = newest if stale and newest else max(today, newest or today)
    if first is None:
        first = last - timedelta(days=DAYS_SHOWN - 1)
    return Period(min(first, last), last)


@dataclass(frozen=True)
class WelfareStatus:
    """Status of an animal: a sentence and one of three tones; an unknown status is never good."""

    tone: Literal["good", "warn", "bad"]
    sentence: str
    notes: tuple[str, ...] = ()


def welfare_status(
    day: Json | None, newest_weighing: date | None, today: date, *, alive: bool
) -> WelfareStatus:
    """Status on the last day shown.

    >>> fine = {"weight": 24.0, "min_weight": 21.25, "endpoint_weight": 20.0, "expected_weight": 25.0,
    ...         "percentage_weight": 96.0, "is_water_restricted": True, "date": "2020-08-24"}
    >>> welfare_status(fine, date(2020, 8, 24), date(2020, 8, 24), alive=True)
    WelfareStatus(tone='good', sentence="24.0 g is 96 % of the expected 25.0 g, above the lab's minimum of 21.2 g.", \
notes=())
    >>> welfare_status({**fine, "weight": None}, None, date(2020, 8, 24), alive=True).tone
    'warn'
    >>> welfare_status(fine, date(2020, 8, 24), date(2020, 8, 27), alive=True).tone  # three days ago is not now
    'warn'
    """
    notes: list[str] = []
    tone: Literal["good", "warn"] = "good"
    if alive and day and day["is_water_restricted"]:
        waited = (today - newest_weighing).days if newest_weighing else None
        if waited is None or waited > 1:
            tone = "warn"
        if waited is None or waited > 0:
            since = f"not weighed for {waited} days" if waited else "never weighed"
            notes.append(
                f"Under water restriction and {since}." if waited != 1 else "Not weighed since yesterday."
            )
    if day is None or any(day[name] is None for name in ("weight", "expected_weight", "min_weight")):
        missing = "a weighing" if day is None or day["weight"] is None else "a reference weight"
        return WelfareStatus("warn", f"The status is unknown: {missing} is missing.", tuple(notes))
    share = day["percentage_weight"]
    text = f"{day['weight']:.1f} g is {f'{share:.0f} % of' if share is not None else 'against'} "
    text += f"the expected {day['expected_weight']:.1f} g, "
    end = day["endpoint_weight"]
    if end is not None and day["weight"] < end:
        return WelfareStatus(
            "bad", f"{text}below the end point of {end:.1f} g: the experiment must end.", tuple(notes)
        )
    if day["weight"] < day["min_weight"]:
        return WelfareStatus(
            "bad", f"{text}below the lab's minimum of {day['min_weight']:.1f} g.", tuple(notes)
        )
    return WelfareStatus(tone, f"{text}above the lab's minimum of {day['min_weight']:.1f} g.", tuple(notes))


TONES: Final = ("bad", "warn", "good")
LABELS: Final[Mapping[str, str]] = {"good": "Fine", "warn": "Unknown", "bad": "At risk"}


def worst_first(animals: Iterable[Json], today: date) -> list[tuple[Json, WelfareStatus]]:
    """Animals with their status: at risk first, then unknown, then fine; each by nickname.

    >>> known = {"min_weight": 21.0, "endpoint_weight": 20.0, "expected_weight": 25.0, "percentage_weight": 96.0,
    ...          "is_water_restricted": True, "alive": True, "last_weighed": "2020-08-24"}
    >>> herd = [{**known, "nickname": "a", "weight": 24.0}, {**known, "nickname": "b", "weight": 19.0}]
    >>> [(subject["nickname"], now.tone) for subject, now in worst_first(herd, date(2020, 8, 24))]
    [('b', 'bad'), ('a', 'good')]
    """
    assessed = [
        (
            animal,
            welfare_status(animal, parse_day(animal["last_weighed"] or ""), today, alive=animal["alive"]),
        )
        for animal in animals
    ]
    return sorted(assessed, key=lambda pair: (TONES.index(pair[1].tone), pair[0]["nickname"]))
