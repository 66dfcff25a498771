"""Histories of one or many animals as flat arrays, ready for queries at any moments under some rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cingulum.welfare.clock import DAY_US, NEVER, instant_us, noon_us, wall_us
from cingulum.welfare.history import FIRST_YEAR, LAST_YEAR, History, Kind
from cingulum.welfare.policy import Rules

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NO_BIRTH: Final = -NEVER
_FIRST: Final = instant_us(datetime(FIRST_YEAR - 1, 1, 1, tzinfo=UTC), UTC)
_SPAN: Final = instant_us(datetime(LAST_YEAR + 2, 1, 1, tzinfo=UTC), UTC) - _FIRST
MOST_ANIMALS: Final = NEVER // _SPAN
"""Limit of a timeline: animal and moment share one 64-bit number, so that one search serves all animals."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments in three forms: `instant` (µs since 1970 UTC), `wall` (µs of local time) and its `day`.

    `owner` is the row of each moment's animal in the timeline.
    """

    instant: Ints
    wall: Ints
    day: Ints
    owner: Ints

    @classmethod
    def of(cls, instants: Ints, zone: tzinfo) -> Moments:
        """Instants of the first animal, with local time and day in its lab's zone.

        >>> Moments.of(np.array([DAY_US]), UTC).day.tolist()
        [1]
        """
        return cls.at(instants, wall_us(instants, zone), np.zeros(len(instants), dtype=np.int64))

    @classmethod
    def at(cls, instants: Ints, wall: Ints, owner: Ints) -> Moments:
        """Moments from their local times."""
        return cls(instants, wall, wall // DAY_US, owner)

    def line(self, rules: Rules) -> Ints:
        """The times for order and delays. Alyx subtracts local times, an hour wrong when clocks change."""
        return self.instant if rules.instants else self.wall

    def key(self, rules: Rules) -> Ints:
        """The times that decide what happened before, sorted by animal: the day, or the moment."""
        return self.by_owner(self.day if rules.compare_by == "day" else self.line(rules))

    def by_owner(self, values: Ints) -> Ints:
        """Times as numbers that sort by animal first."""
        return self.owner * _SPAN + (values - _FIRST)

    def __getitem__(self, rows: Ints | Flags | slice) -> Moments:
        return Moments(self.instant[rows], self.wall[rows], self.day[rows], self.owner[rows])


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one kind of all animals, each animal's together: `first[animal]` is where they begin."""

    moments: Moments
    value: Floats
    flag: Flags
    row: Ints
    """Index of each event among those of its animal."""
    first: Ints

    def last_before(self, keys: Ints, moments: Moments, moment_keys: Ints) -> Ints:
        """Index of each animal's last event whose key is not above the moment's; −1 if there is none."""
        rows = np.searchsorted(keys, moment_keys, side="right") - 1
        return np.where(rows >= self.first[moments.owner], rows, -1)


@dataclass(frozen=True, slots=True)
class References:
    """The reference of each restriction: weight (NaN: none), local time, weighing (−1: entered), implant worn."""

    weight_g: Floats
    wall: Ints
    weighing: Ints
    implant_g: Floats


@dataclass(frozen=True, slots=True)
class Timeline:
    """All events of the animals, as evaluated under these rules.

    `newest` and `newest_open` are each animal's last restriction and last open one (−1: none). `water_days` are
    the days with water (by animal), with the volumes in sessions and outside.
    """

    weighings: Events
    implants: Events
    restrictions: Events
    water: Events
    ended: Ints
    references: References
    newest: Ints
    newest_open: Ints
    water_days: Ints
    session_ml: Floats
    supplement_ml: Floats
    male: Flags
    female: Flags
    birth_noon: Ints
    death_noon: Ints


def pick(values: Floats, index: Ints, otherwise: float) -> Floats:
    """`values[index]`, and `otherwise` where the index is −1.

    >>> pick(np.array([5.0]), np.array([0, -1]), 0.0).tolist()
    [5.0, 0.0]
    """
    if not len(values):
        return np.full(len(index), otherwise)
    return np.where(index >= 0, values[index], otherwise)


def pick_int(values: Ints, index: Ints, otherwise: int = -1) -> Ints:
    """The same for whole numbers.

    >>> pick_int(np.array([5]), np.array([0, -1])).tolist()
    [5, -1]
    """
    return np.where(index >= 0, values[index], otherwise) if len(values) else np.full(len(index), otherwise)


def timeline(histories: Sequence[History], rules: Rules) -> Timeline:
    """The timeline of some histories under these rules. Raises ValueError for more than MOST_ANIMALS."""
    if len(histories) > MOST_ANIMALS:
        raise ValueError(f"at most {MOST_ANIMALS} animals fit into one timeline, not {len(histories)}")
    weighings, implants = _events(histories, "weighings"), _events(histories, "implants")
    if not rules.zero_implant_counts:
        implants = _only(implants, implants.value > 0, len(histories))
    restrictions, ends = _events(histories, "restrictions"), _events(histories, "ends")
    if not rules.instants:
        # A bug of Alyx: the server's UTC digits are read as lab time here, while all other events are converted.
        restrictions, ends = _utc_digits(restrictions), _utc_digits(ends)
    counts = np.diff(restrictions.first)
    newest_open = np.full(len(histories), -1)
    open_rows = np.flatnonzero(restrictions.flag)
    newest_open[restrictions.moments.owner[open_rows]] = open_rows
    water = _events(histories, "water")
    keys, day_of = np.unique(water.moments.by_owner(water.moments.day), return_inverse=True)
    return Timeline(
        weighings=weighings,
        implants=implants,
        restrictions=restrictions,
        water=water,
        ended=np.minimum(ends.moments.line(rules), _deaths(histories, rules)[ends.moments.owner]),
        references=_references(weighings, implants, restrictions, rules),
        newest=np.where(counts > 0, restrictions.first[1:] - 1, -1),
        newest_open=newest_open,
        water_days=keys,
        # Summed per day, not by differences of a running sum, so that rounding never turns more water into less.
        session_ml=_sums(day_of, np.where(water.flag, water.value, 0.0), len(keys)),
        supplement_ml=_sums(day_of, np.where(water.flag, 0.0, water.value), len(keys)),
        male=np.array([history.sex == "M" for history in histories], dtype=np.bool_),
        female=np.array([history.sex == "F" for history in histories], dtype=np.bool_),
        birth_noon=_noons([history.birth_date for history in histories], NO_BIRTH),
        death_noon=_noons([history.death_date for history in histories], NEVER),
    )


def _events(histories: Sequence[History], kind: Kind) -> Events:
    series = [history.series[kind] for history in histories]
    counts = np.array([len(events.instant) for events in series], dtype=np.int64)
    owner = np.repeat(np.arange(len(series)), counts)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    moments = Moments.at(
        np.concatenate([events.instant for events in series]),
        np.concatenate([events.wall for events in series]),
        owner,
    )
    value, flag = (
        np.concatenate([events.value for events in series]),
        np.concatenate([events.flag for events in series]),
    )
    return Events(moments, value, flag, np.arange(len(owner)) - first[owner], first)


def _only(events: Events, mask: Flags, n: int) -> Events:
    moments = events.moments[mask]
    first = np.searchsorted(moments.owner, np.arange(n + 1))
    return Events(moments, events.value[mask], events.flag[mask], events.row[mask], first)


def _utc_digits(events: Events) -> Events:
    moments = Moments.at(events.moments.instant, events.moments.instant, events.moments.owner)
    return Events(moments, events.value, events.flag, events.row, events.first)


def _references(weighings: Events, implants: Events, restrictions: Events, rules: Rules) -> References:
    started = restrictions.moments
    key, typed = started.key(rules), restrictions.value > 0
    row = np.where(typed, -1, weighings.last_before(weighings.moments.key(rules), started, key))
    implant = implants.last_before(implants.moments.key(rules), started, key)
    return References(
        weight_g=np.where(typed, restrictions.value, pick(weighings.value, row, np.nan)),
        wall=np.where(row >= 0, pick_int(weighings.moments.wall, row), started.wall),
        weighing=row,
        implant_g=pick(implants.value, implant, 0.0),
    )


def _deaths(histories: Sequence[History], rules: Rules) -> Ints:
    """The end of the day of death, which ends restrictions too."""
    ends = np.full(len(histories), NEVER)
    for owner, history in enumerate(histories):
        if history.death_date is not None:
            last = np.array([instant_us(datetime.combine(history.death_date, time.max), history.zone)])
            ends[owner] = Moments.of(last, history.zone).line(rules)[0]
    return ends


def _noons(days: Sequence[date | None], otherwise: int) -> Ints:
    return np.array([otherwise if day is None else noon_us(day) for day in days], dtype=np.int64)


def _sums(group: Ints, values: Floats, n: int) -> Floats:
    sums: Floats = np.bincount(group, values, n).astype(np.float64)
    return sums
