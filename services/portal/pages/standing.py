"""What an animal's page shows of a stretch of days, and how the animal stands at its end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

DAYS_SHOWN: Final = 90
STALE_DAYS: Final = 14
Told = Mapping[str, Any]


class NotADay(ValueError):
    """A text is no day of a calendar."""


@dataclass(frozen=True)
class Period:
    """Days from first to last, both shown."""

    first: date
    last: date


def day_asked(text: str) -> date | None:
    """A day of the form; None for an empty field. Raises NotADay.

    >>> day_asked("2020-08-21"), day_asked("")
    (datetime.date(2020, 8, 21), None)
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotADay(f"'{text}' is not a day such as 2020-08-21.") from None


def newest_day(rows: Iterable[Told]) -> date | None:
    """The last day with a weighing or water.

    >>> newest_day([{"date_time": "2020-08-21T09:00:00"}, {"date_time": "2020-08-24T09:00:00"}])
    datetime.date(2020, 8, 24)
    """
    days = [date.fromisoformat(row["date_time"][:10]) for row in rows]
    return max(days, default=None)


def first_shown(rows: Iterable[Told], newest: date | None) -> date | None:
    """The day before the first weighing or water, if it lies among the days shown anyway.

    >>> first_shown([{"date_time": "2020-08-21T09:00:00"}], date(2020, 8, 24))
    datetime.date(2020, 8, 20)
    """
    days = [date.fromisoformat(row["date_time"][:10]) for row in rows]
    if newest is None or (newest - min(days)).days > DAYS_SHOWN:
        return None
    return min(days) - timedelta(days=1)


def period(first: date | None, last: date | None, newest: date | None, today: date) -> Period:
    """The days to show: those asked for, or the last 90 up to today; a record that ended long ago is shown to its end.

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
class Standing:
    """How the animal stands, in words and one of three tones; what is not known is never good."""

    tone: Literal["good", "warn", "bad"]
    sentence: str
    notes: tuple[str, ...] = ()


def standing(day: Told | None, newest_weighing: date | None, today: date, *, alive: bool) -> Standing:
    """What the last shown day says.

    >>> fine = {"weight": 24.0, "min_weight": 21.25, "endpoint_weight": 20.0, "expected_weight": 25.0,
    ...         "percentage_weight": 96.0, "is_water_restricted": True, "date": "2020-08-24"}
    >>> standing(fine, date(2020, 8, 24), date(2020, 8, 24), alive=True)
    Standing(tone='good', sentence="24.0 g is 96 % of the expected 25.0 g, above the lab's line of 21.2 g.", notes=())
    >>> standing({**fine, "weight": None}, None, date(2020, 8, 24), alive=True).tone
    'warn'
    >>> standing(fine, date(2020, 8, 24), date(2020, 8, 27), alive=True).tone  # three days ago is not now
    'warn'
    """
    notes: list[str] = []
    known: Literal["good", "warn"] = "good"
    if alive and day and day["is_water_restricted"]:
        waited = (today - newest_weighing).days if newest_weighing else None
        if waited is None or waited > 1:
            known = "warn"
        if waited is None or waited > 0:
            since = f"not weighed for {waited} days" if waited else "never weighed"
            notes.append(
                f"Under water restriction and {since}." if waited != 1 else "Not weighed since yesterday."
            )
    if day is None or any(day[name] is None for name in ("weight", "expected_weight", "min_weight")):
        missing = "a weighing" if day is None or day["weight"] is None else "a reference weight"
        return Standing("warn", f"Nobody can tell how the animal stands: {missing} is missing.", tuple(notes))
    share = day["percentage_weight"]
    said = f"{day['weight']:.1f} g is {f'{share:.0f} % of' if share is not None else 'against'} "
    said += f"the expected {day['expected_weight']:.1f} g, "
    end = day["endpoint_weight"]
    if end is not None and day["weight"] < end:
        return Standing(
            "bad", f"{said}below the end point of {end:.1f} g: the experiment must end.", tuple(notes)
        )
    if day["weight"] < day["min_weight"]:
        return Standing("bad", f"{said}below the lab's line of {day['min_weight']:.1f} g.", tuple(notes))
    return Standing(known, f"{said}above the lab's line of {day['min_weight']:.1f} g.", tuple(notes))


TONES: Final = ("bad", "warn", "good")
WORDS: Final[Mapping[str, str]] = {"good": "Fine", "warn": "Not known", "bad": "At risk"}


def worst_first(animals: Iterable[Told], today: date) -> list[tuple[Told, Standing]]:
    """Animals with how each stands: those at risk first, then those nobody knows about, each by nickname.

    >>> known = {"min_weight": 21.0, "endpoint_weight": 20.0, "expected_weight": 25.0, "percentage_weight": 96.0,
    ...          "is_water_restricted": True, "alive": True, "last_weighed": "2020-08-24"}
    >>> herd = [{**known, "nickname": "a", "weight": 24.0}, {**known, "nickname": "b", "weight": 19.0}]
    >>> [(one["nickname"], now.tone) for one, now in worst_first(herd, date(2020, 8, 24))]
    [('b', 'bad'), ('a', 'good')]
    """
    told = [
        (one, standing(one, day_asked(one["last_weighed"] or ""), today, alive=one["alive"]))
        for one in animals
    ]
    return sorted(told, key=lambda pair: (TONES.index(pair[1].tone), pair[0]["nickname"]))
