"""The record of one animal: weighings, implants, restrictions, water. Values are validated when created."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from math import isfinite
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cingulum.welfare.clock import NEVER, instant_us, wall_us
from cingulum.welfare.growth import Sex

Kind = Literal["weighings", "implants", "restrictions", "ends", "water"]

FIRST_YEAR, LAST_YEAR = 1900, 2200
LARGEST: Final = 1e6
"""Grams or millilitres above this (a tonne) are a typing error."""


class InvalidHistory(ValueError):
    """An impossible value: negative, not a number, absurdly large, or a year outside 1900 to 2200."""


def _amount(value: float, what: str) -> None:
    if not isfinite(value) or not 0 <= value <= LARGEST:
        raise InvalidHistory(f"{what} must be a number from 0 to {LARGEST:.0f}, not {value}")


def check_year(at: date) -> None:
    """Raises InvalidHistory if a time is not within the years of a history."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise InvalidHistory(f"the year of {at} is not between {FIRST_YEAR} and {LAST_YEAR}")


@dataclass(frozen=True, slots=True)
class Weighing:
    """`weight_g` as on the balance, implant included. A time without offset is the lab's local time.

    >>> Weighing(datetime(2024, 4, 5, 9, tzinfo=UTC), 24.41).weight_g
    24.41
    """

    at: datetime
    weight_g: float

    def __post_init__(self) -> None:
        check_year(self.at)
        _amount(self.weight_g, "a weight in grams")


@dataclass(frozen=True, slots=True)
class Implant:
    """Total implant mass (g) of the animal from `at` on; 0 after explantation."""

    at: datetime
    weight_g: float

    def __post_init__(self) -> None:
        check_year(self.at)
        _amount(self.weight_g, "an implant weight in grams")


@dataclass(frozen=True, slots=True)
class Restriction:
    """Water restriction from `start` to `end` (None: still open).

    `reference_weight_g` includes the implant; 0: not entered, so the last weighing up to the start counts.
    """

    start: datetime
    end: datetime | None = None
    reference_weight_g: float = 0.0

    def __post_init__(self) -> None:
        check_year(self.start)
        if self.end is not None:
            check_year(self.end)
        _amount(self.reference_weight_g, "a reference weight in grams")

    @property
    def at(self) -> datetime:
        """The start, under the name by which all events are sorted."""
        return self.start


@dataclass(frozen=True, slots=True)
class Water:
    """`volume_ml` is a reward if `in_session`, else a supplement. None: ad libitum, not measured."""

    at: datetime
    volume_ml: float | None
    in_session: bool = False

    def __post_init__(self) -> None:
        check_year(self.at)
        if self.volume_ml is not None:
            _amount(self.volume_ml, "a volume in millilitres")


class _Event(Protocol):
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Series:
    """The events of one kind in order of time: µs since 1970 UTC, µs of local time, an amount, and a flag.

    weighings   grams, always true            implants   grams, always true
    restrictions   entered reference (g), still open   ends   of the restrictions (NEVER if open), has ended
    water   millilitres (0 if not measured), in a session
    """

    instant: NDArray[np.int64]
    wall: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.bool_]


@dataclass(frozen=True)
class History:
    """One animal's record. Events may be in any order and are sorted by instant.

    `zone` is the lab's time zone: it determines the instant of a time without offset, and where a day begins.

    >>> mouse = History(weighings=[Weighing(datetime(2024, 4, 5, 9, tzinfo=UTC), 24.41)], sex="F")
    >>> len(mouse.weighings), mouse.birth_date is None
    (1, True)
    """

    weighings: Sequence[Weighing] = ()
    implants: Sequence[Implant] = ()
    restrictions: Sequence[Restriction] = ()
    water: Sequence[Water] = ()
    sex: Sex = "U"
    birth_date: date | None = None
    death_date: date | None = None
    zone: tzinfo = UTC
    nickname: str = ""
    series: Mapping[Kind, Series] = field(init=False, repr=False, compare=False)
    """The events as arrays, built once, so that a query for sixty days does not convert every time sixty times."""

    def __post_init__(self) -> None:
        if self.sex not in ("M", "F", "U"):
            raise InvalidHistory(f"sex must be M, F or U, not {self.sex!r}")
        for day in (self.birth_date, self.death_date):
            if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise InvalidHistory(f"the year of {day} is not between {FIRST_YEAR} and {LAST_YEAR}")
        series: dict[Kind, Series] = {
            "weighings": self._sort("weighings", lambda event: (event.weight_g, True)),
            "implants": self._sort("implants", lambda event: (event.weight_g, True)),
            "restrictions": self._sort(
                "restrictions", lambda event: (event.reference_weight_g, event.end is None)
            ),
            "water": self._sort("water", lambda event: (event.volume_ml or 0.0, event.in_session)),
        }
        series["ends"] = self._ends()
        for events in series.values():
            for array in (events.instant, events.wall, events.value, events.flag):
                array.setflags(write=False)
        object.__setattr__(self, "series", series)

    def _sort(self, kind: Kind, value_and_flag: Callable[[Any], tuple[float, bool]]) -> Series:
        """Sort the events of a kind and convert them to arrays."""
        events: Sequence[_Event] = getattr(self, kind)
        unsorted = [instant_us(event.at, self.zone) for event in events]
        order = sorted(range(len(events)), key=unsorted.__getitem__)
        ordered = tuple(events[row] for row in order)
        object.__setattr__(self, kind, ordered)
        instants = np.array([unsorted[row] for row in order], dtype=np.int64)
        pairs = [value_and_flag(event) for event in ordered]
        return Series(
            instant=instants,
            wall=wall_us(instants, self.zone),
            value=np.array([value for value, _ in pairs], dtype=np.float64),
            flag=np.array([flag for _, flag in pairs], dtype=np.bool_),
        )

    def _ends(self) -> Series:
        ends = [restriction.end for restriction in self.restrictions]
        instant, closed = (
            np.full(len(ends), NEVER, dtype=np.int64),
            np.array([end is not None for end in ends], np.bool_),
        )
        instant[closed] = [instant_us(end, self.zone) for end in ends if end is not None]
        wall = instant.copy()
        wall[closed] = wall_us(instant[closed], self.zone)
        return Series(instant, wall, np.zeros(len(ends)), closed)
