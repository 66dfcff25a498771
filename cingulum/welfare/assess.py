"""The state of one animal at one moment, and of a colony day by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from math import isfinite
from typing import Final, Literal

import numpy as np

from cingulum.welfare.clock import instant_us, wall_us
from cingulum.welfare.columns import compute
from cingulum.welfare.history import History, check_year
from cingulum.welfare.policy import LabPolicy, Rules, rules_of
from cingulum.welfare.table import NO_AGE, Columns
from cingulum.welfare.timeline import MOST_ANIMALS, Floats, Ints, Moments, timeline

Colour = Literal["green", "orange", "red", "unknown"]
Underweight = Literal["ATTENTION", "WARNING", "UNKNOWN"]
COLOURS: Final[tuple[Colour, ...]] = ("green", "orange", "red", "unknown")
UNDERWEIGHT: Final[tuple[Underweight | None, ...]] = (None, "ATTENTION", "WARNING", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class Assessment:
    """The state of an animal. Grams, millilitres, percent; None is *unknown*, never "zero" or "fine".

    weight_status       0 fine, 1 within two points above the line, 2 below it
    plot_colour         green, orange below the action line, red below the end-point line
    notify_underweight  ATTENTION, WARNING, UNKNOWN (restricted, and data are missing), or None: no alert

    Under `policy="alyx"` unknown numbers are 0 where they are 0 in Alyx.
    """

    at: datetime
    policy: Literal["alyx", "cingulum"]
    age_weeks: int | None
    is_water_restricted: bool
    restricted_days: int | None
    last_weight_g: float | None
    weighed_on_day_g: float | None
    implant_weight_g: float
    reference_implant_weight_g: float | None
    reference_weighing_g: float | None
    reference_weight_minus_implant_g: float | None
    zscore_weight_g: float | None
    expected_weight_g: float | None
    min_weight_g: float | None
    percentage_weight: float | None
    action_line: float
    endpoint_line: float
    weight_status: int | None
    plot_colour: Colour
    water_rate_ml_per_g: float
    expected_water_ml: float | None
    given_water_session_ml: float
    given_water_supplement_ml: float
    given_water_total_ml: float
    remaining_water_ml: float | None
    excess_water_ml: float | None
    notify_underweight: Underweight | None
    notify_not_weighed: bool
    notify_water_due: bool
    weighing_row: int | None
    """Index of the weighing in the history that counted; the other `…_row` likewise."""
    implant_row: int | None
    reference_row: int | None
    reference_weighing_row: int | None
    reference_age_weeks: int | None
    last_water_row: int | None


def assess(history: History, at: datetime, lab: LabPolicy, policy: Rules | str = "cingulum") -> Assessment:
    """The state of the animal at `at` (without offset: local time of its lab) under the lab's lines.

    Raises InvalidHistory for a year outside 1900 to 2200 and InvalidPolicy for an unknown policy name.

    >>> from datetime import UTC
    >>> from cingulum.welfare.history import Restriction, Weighing
    >>> start, later = datetime(2024, 4, 5, 9, tzinfo=UTC), datetime(2024, 4, 10, 9, tzinfo=UTC)
    >>> weighings = [Weighing(start, 24.41), Weighing(later, 20.02)]
    >>> mouse = History(weighings, restrictions=[Restriction(start, None, 24.41)])
    >>> now = assess(mouse, later, LabPolicy(reference_fraction=0.85))
    >>> round(now.percentage_weight, 2), now.weight_status, now.notify_underweight
    (82.02, 2, 'WARNING')
    >>> round(now.expected_water_ml, 3)
    1.001
    """
    check_year(at)
    rules = rules_of(policy)
    moments = Moments.of(np.array([instant_us(at, history.zone)]), history.zone)
    return assessment(compute(timeline([history], rules), moments, lab, rules), 0, at, rules)


def assess_days(
    histories: Iterable[History], days: Sequence[date], lab: LabPolicy, policy: Rules | str = "cingulum"
) -> list[Columns]:
    """Every animal at the end of each day of its lab: one `Columns` of `len(days)` rows per animal, in order.

    The same formulas as `assess`, many times faster; unknown is NaN there (under `alyx`, 0).

    >>> days, lab = [date(2024, 4, 5), date(2024, 4, 6)], LabPolicy(reference_fraction=0.85)
    >>> table, = assess_days([History()], days, lab)
    >>> table.drunk_ml.tolist(), table.percentage.tolist()
    ([0.0, 0.0], [nan, nan])
    """
    for day in days:
        check_year(day)
    rules, colony = rules_of(policy), list(histories)
    ends = [datetime.combine(day, time.max) for day in days]
    tables: list[Columns] = []
    for start in range(0, len(colony), MOST_ANIMALS):
        herd = colony[start : start + MOST_ANIMALS]
        columns = compute(timeline(herd, rules), _moments(herd, ends), lab, rules)
        tables += [columns.rows(slice(i * len(days), (i + 1) * len(days))) for i in range(len(herd))]
    return tables


def assess_many(
    histories: Iterable[History], at: datetime, lab: LabPolicy, policy: Rules | str = "cingulum"
) -> list[Assessment]:
    """Every animal of a lab at one moment, as by `assess`, in one pass: the rows of a list of animals.

    >>> [now.weight_status for now in assess_many([History(), History()], datetime(2024, 4, 5), LabPolicy())]
    [None, None]
    """
    check_year(at)
    rules, colony = rules_of(policy), list(histories)
    assessments: list[Assessment] = []
    for start in range(0, len(colony), MOST_ANIMALS):
        herd = colony[start : start + MOST_ANIMALS]
        columns = compute(timeline(herd, rules), _moments(herd, [at]), lab, rules)
        assessments += [assessment(columns, i, at, rules) for i in range(len(herd))]
    return assessments


def _moments(herd: Sequence[History], times: Sequence[datetime]) -> Moments:
    """The times for each animal; those without offset are in its lab's zone."""
    by_zone: dict[tzinfo, tuple[Ints, Ints]] = {}
    for zone in {history.zone for history in herd}:
        instants = np.array([instant_us(at, zone) for at in times], dtype=np.int64)
        by_zone[zone] = instants, wall_us(instants, zone)
    pairs = [by_zone[history.zone] for history in herd]
    owner = np.repeat(np.arange(len(herd)), len(times))
    return Moments.at(
        np.concatenate([instants for instants, _ in pairs]),
        np.concatenate([wall for _, wall in pairs]),
        owner,
    )


def daily(
    history: History, days: Sequence[date], lab: LabPolicy, policy: Rules | str = "cingulum"
) -> list[Assessment]:
    """One animal at the end of each day, as values: the rows of a water-requirement table.

    >>> [row.notify_underweight for row in daily(History(), [date(2024, 4, 5)], LabPolicy())]
    [None]
    """
    rules = rules_of(policy)
    (columns,) = assess_days([history], days, lab, rules)
    return [assessment(columns, i, datetime.combine(day, time.max), rules) for i, day in enumerate(days)]


@dataclass(frozen=True, slots=True)
class _Known:
    """Values of row `i` of arrays, None where they are unknown."""

    i: int

    def number(self, values: Floats) -> float | None:
        value = float(values[self.i])
        return value if isfinite(value) else None

    def row(self, values: Ints) -> int | None:
        value = int(values[self.i])
        return value if value >= 0 else None

    def age(self, values: Ints) -> int | None:
        value = int(values[self.i])
        return value if value > NO_AGE else None


def assessment(columns: Columns, i: int, at: datetime, rules: Rules) -> Assessment:
    """Row `i` of the columns as one value, where unknown is None."""
    known = _Known(i)
    age, unknown_age = known.age(columns.age_weeks), 0 if rules.unknown_is_zero else None
    reference_row, reference_age = known.row(columns.reference_row), known.age(columns.reference_age_weeks)
    remaining = known.number(columns.remaining_ml)
    has_reference = isfinite(columns.reference_weighing_g[i]) or rules.unknown_is_zero
    return Assessment(
        at=at,
        policy=rules.name,
        age_weeks=unknown_age if age is None else age,
        is_water_restricted=bool(columns.is_restricted[i]),
        restricted_days=known.row(columns.restricted_days),
        last_weight_g=known.number(columns.last_weight_g),
        weighed_on_day_g=known.number(columns.weighed_on_day_g),
        implant_weight_g=float(columns.implant_g[i]),
        reference_implant_weight_g=float(columns.reference_implant_g[i]) if has_reference else None,
        reference_weighing_g=known.number(columns.reference_weighing_g),
        reference_weight_minus_implant_g=known.number(columns.net_reference_g),
        zscore_weight_g=known.number(columns.zscore_weight_g),
        expected_weight_g=known.number(columns.expected_g),
        min_weight_g=known.number(columns.minimum_g),
        percentage_weight=known.number(columns.percentage),
        action_line=float(columns.action_line[i]),
        endpoint_line=float(columns.endpoint_line[i]),
        weight_status=known.row(columns.status),
        plot_colour=COLOURS[int(columns.colour[i])],
        water_rate_ml_per_g=float(columns.water_rate[i]),
        expected_water_ml=known.number(columns.water_due_ml),
        given_water_session_ml=float(columns.session_ml[i]),
        given_water_supplement_ml=float(columns.supplement_ml[i]),
        given_water_total_ml=float(columns.drunk_ml[i]),
        remaining_water_ml=remaining,
        excess_water_ml=None if remaining is None else 0.0 - remaining,
        notify_underweight=UNDERWEIGHT[int(columns.underweight[i])],
        notify_not_weighed=bool(columns.not_weighed[i]),
        notify_water_due=bool(columns.water_reminder[i]),
        weighing_row=known.row(columns.weighing_row),
        implant_row=known.row(columns.implant_row),
        reference_row=reference_row,
        reference_weighing_row=known.row(columns.reference_weighing_row),
        reference_age_weeks=reference_age if reference_row is not None else None,
        last_water_row=known.row(columns.last_water_row),
    )
