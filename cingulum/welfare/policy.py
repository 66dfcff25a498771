"""Welfare policies as data: what the lab decided (`LabPolicy`), and how a record is evaluated (`Rules`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Final, Literal


class InvalidPolicy(ValueError):
    """Fractions outside 0 to 1, lines in the wrong order, overlapping phases, or a policy of unknown name."""


def _fraction(value: float | None, what: str) -> None:
    if value is not None and not (isfinite(value) and 0 <= value <= 1):
        raise InvalidPolicy(f"{what} is a fraction from 0 to 1, not {value}")


@dataclass(frozen=True, slots=True)
class Phase:
    """Other lines for some days of a restriction: day 0 is the day it begins, `last_day` None means its end.

    >>> Phase("first week", first_day=0, last_day=6, action_line=0.90, endpoint_line=0.80).covers(6)
    True
    """

    name: str
    first_day: int
    last_day: int | None
    action_line: float
    endpoint_line: float

    def __post_init__(self) -> None:
        _fraction(self.action_line, f"the action line of phase {self.name!r}")
        _fraction(self.endpoint_line, f"the end-point line of phase {self.name!r}")
        if self.endpoint_line > self.action_line:
            raise InvalidPolicy(f"phase {self.name!r}: its end point lies above its action line")
        if self.first_day < 0 or (self.last_day is not None and self.last_day < self.first_day):
            raise InvalidPolicy(f"phase {self.name!r}: days must count up from 0")

    def covers(self, day: int) -> bool:
        """Whether this many days after the restriction began is in the phase."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class LabPolicy:
    """Decisions of a lab about its animals. Fractions, not percent: 0.85 is the line at 85 %.

    `reference_fraction` and `growth_fraction` weigh own reference against growth curve, their sum is the lab
    line (Alyx: reference_weight_pct, zscore_weight_pct). `floor_fraction` is the absolute line, 0 for none.

    >>> LabPolicy(reference_fraction=0.425, growth_fraction=0.425).lab_line
    0.85
    """

    reference_fraction: float = 0.0
    growth_fraction: float = 0.0
    floor_fraction: float = 0.75
    endpoint_line: float | None = None
    """Below it a person must make a decision; None: the floor."""
    phases: tuple[Phase, ...] = ()
    water_ml_per_g: float = 0.04
    water_below_line_ml_per_g: float = 0.05
    max_restricted_days: int | None = None
    min_free_days_per_30: int | None = None
    decision_hours: float = 24.0
    """Within this time after an end-point alert a decision must be recorded."""

    def __post_init__(self) -> None:
        for name in ("reference_fraction", "growth_fraction", "floor_fraction", "endpoint_line"):
            _fraction(getattr(self, name), name)
        for name in ("water_ml_per_g", "water_below_line_ml_per_g"):
            _fraction(getattr(self, name), name)
        if self.water_below_line_ml_per_g < self.water_ml_per_g:
            raise InvalidPolicy("an animal below its line cannot be due less water than one above")
        ordered = sorted(self.phases, key=lambda phase: phase.first_day)
        for before, after in pairwise(ordered):
            if before.last_day is None or after.first_day <= before.last_day:
                raise InvalidPolicy(f"phases {before.name!r} and {after.name!r} overlap")

    @property
    def lab_line(self) -> float:
        """The lab's own line: the sum of its two fractions; 0 if the lab has set none."""
        return self.growth_fraction + self.reference_fraction


@dataclass(frozen=True, slots=True)
class Rules:
    """How a record is evaluated: one field per departure of `cingulum` from Alyx.

    compare_by   "day": an event counts all of its calendar day, even before it happened; "moment": after it
    zero_implant_counts   a recorded implant of 0 g ends the former one
    one_line   water, list, colour, minimum and alerts share the action line (else three different lines)
    unknown_is_zero   an unknown percentage is 0 and raises no alert (else it is unknown, and raises one)
    both_curves_for_unknown_sex   the heavier expectation of the two curves (else the female curve)
    default_fraction  own-reference fraction of a lab that has set none; None: it has no lines
    reference_keeps_its_implant   the implant worn then is subtracted (else today's, once a restriction ended)
    reminder_from_active   without water the delay runs from that day's restriction (else the newest open one)
    instants   all times are instants (else local times, with a restriction's UTC digits read as local time)
    """

    name: Literal["alyx", "cingulum"]
    compare_by: Literal["day", "moment"]
    zero_implant_counts: bool
    one_line: bool
    unknown_is_zero: bool
    both_curves_for_unknown_sex: bool
    default_fraction: float | None
    reference_keeps_its_implant: bool
    reminder_from_active: bool
    instants: bool


ALYX: Final = Rules(
    name="alyx",
    compare_by="day",
    zero_implant_counts=False,
    one_line=False,
    unknown_is_zero=True,
    both_curves_for_unknown_sex=False,
    default_fraction=None,
    reference_keeps_its_implant=False,
    reminder_from_active=False,
    instants=False,
)
CINGULUM: Final = Rules(
    name="cingulum",
    compare_by="moment",
    zero_implant_counts=True,
    one_line=True,
    unknown_is_zero=False,
    both_curves_for_unknown_sex=True,
    default_fraction=0.85,
    reference_keeps_its_implant=True,
    reminder_from_active=True,
    instants=True,
)
POLICIES: Final = {"alyx": ALYX, "cingulum": CINGULUM}


def rules_of(policy: Rules | str) -> Rules:
    """The rules of that name, or the rules themselves. Raises InvalidPolicy for an unknown name.

    >>> rules_of("alyx").unknown_is_zero, rules_of("cingulum").unknown_is_zero
    (True, False)
    """
    if isinstance(policy, Rules):
        return policy
    if policy not in POLICIES:
        raise InvalidPolicy(f"there is no policy {policy!r}; there are {', '.join(POLICIES)}")
    return POLICIES[policy]
