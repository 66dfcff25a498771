"""Scales: from values to px, and the choice of ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from cingulum.figures.inputs import EPOCH, Floats, day_of
from cingulum.figures.wording import MONTHS, short_day, written


@dataclass(frozen=True, slots=True)
class Tick:
    """A position on an axis in the data's unit, and its label (empty: only a mark)."""

    value: float
    label: str


class Scale(Protocol):
    """The interface of a scale."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    def share(self, values: Floats) -> Floats:
        """Positions of values between low (0) and high (1)."""
        ...

    def ticks(self, at_most: int) -> list[Tick]:
        """Choose round values, about as many as requested."""
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """An even scale from `low` to `high` (low < high), with ticks at 1, 2, 2.5 or 5 times a power of ten.

    >>> [tick.label for tick in Linear(0.0, 1.0).ticks(5)]
    ['0', '0.25', '0.50', '0.75', '1.00']
    """

    low: float
    high: float

    def share(self, values: Floats) -> Floats:
        return (values - self.low) / (self.high - self.low)

    def ticks(self, at_most: int) -> list[Tick]:
        raw = (self.high - self.low) / max(at_most - 1, 1)
        power = math.floor(math.log10(raw))
        # 0.9: one tick more than requested reads better than half as many.
        factor = next(f for f in (1.0, 2.0, 2.5, 5.0, 10.0) if f * 10.0**power >= 0.9 * raw)
        step = factor * 10.0**power
        decimals = max(0, -power + (factor == 2.5) - (factor == 10.0))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        labels = [Tick(k * step, written(k * step, decimals)) for k in range(first, last + 1)]
        return [Tick(tick.value, "0") if tick.value == 0 else tick for tick in labels]


@dataclass(frozen=True, slots=True)
class Downwards:
    """An even scale that runs against its axis, as rows do: `low` at the top.

    >>> import numpy as np
    >>> Downwards(0.0, 4.0).share(np.array([0.0, 1.0, 4.0]))
    array([1.  , 0.75, 0.  ])
    """

    low: float
    high: float

    def share(self, values: Floats) -> Floats:
        return (self.high - values) / (self.high - self.low)

    def ticks(self, at_most: int) -> list[Tick]:
        ticks = Linear(self.low, self.high).ticks(at_most)
        return [Tick(tick.value, written(tick.value, 0)) for tick in ticks if tick.value == int(tick.value)]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An even scale whose ticks are chosen by the caller: the contrasts of a task, or trial numbers."""

    low: float
    high: float
    chosen: tuple[Tick, ...]

    def share(self, values: Floats) -> Floats:
        return (values - self.low) / (self.high - self.low)

    def ticks(self, at_most: int) -> list[Tick]:
        del at_most
        return list(self.chosen)


@dataclass(frozen=True, slots=True)
class Days:
    """Days since 1970-01-01, with ticks at days, Mondays, months or years.

    >>> [tick.label for tick in Days(18495.0, 18509.0).ticks(4)]
    ['24 Aug', '31 Aug']
    """

    low: float
    high: float

    def share(self, values: Floats) -> Floats:
        return (values - self.low) / (self.high - self.low)

    def ticks(self, at_most: int) -> list[Tick]:
        first, last = day_of(math.ceil(self.low)), day_of(self.high)
        for step in (1, 2, 7, 14):
            if (last - first).days // step > at_most:
                continue
            days = _every(first, last, step)
            if len(days) <= at_most:
                return [Tick(float(day.toordinal() - EPOCH), short_day(day)) for day in days]
        for months in (1, 2, 3, 6, 12, 24, 60, 120):
            firsts = _firsts(first, last, months)
            if len(firsts) <= at_most:
                break
        return [Tick(float(day.toordinal() - EPOCH), f"{MONTHS[day.month - 1]} {day.year}") for day in firsts]


def _every(first: date, last: date, step: int) -> list[date]:
    # Weeks start on Monday; even ordinals keep two-day steps in phase.
    start = first.toordinal()
    start += (1 - start) % step if step >= 7 else start % step
    return [date.fromordinal(n) for n in range(start, last.toordinal() + 1, step)]


def _firsts(first: date, last: date, months: int) -> list[date]:
    count = first.year * 12 + first.month - 1 + (first.day > 1)
    count += -count % months
    ticks = []
    while (day := date(count // 12, count % 12 + 1, 1)) <= last:
        ticks.append(day)
        count += months
    return ticks


def padded_days(values: Floats) -> tuple[float, float]:
    """Return a span of the days with half a day of margin on either side, and never less than a day and a half."""
    low, high = float(values.min()) - 0.5, float(values.max()) + 0.5
    return (low, high) if high - low >= 2 else (low - 0.25, high + 0.25)


def padded(values: Floats, *, share: float = 0.06, least: float = 1e-9) -> tuple[float, float]:
    """A span that contains the values with a margin, also if they are all the same."""
    low, high = float(values.min()), float(values.max())
    air = max((high - low) * share, least, 1e-6 * max(abs(low), abs(high)))
    return low - air, high + air
