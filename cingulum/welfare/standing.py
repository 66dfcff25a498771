"""Lines, percentage, status, colour and alert level: an animal's weight against its expected weight."""

from __future__ import annotations

from typing import Final

import numpy as np

from cingulum.welfare.policy import LabPolicy, Rules
from cingulum.welfare.timeline import Flags, Floats, Ints

NEAR_LINE: Final = 0.02
"""Status 1 and ATTENTION apply up to this far above the line, in percentage points."""
LEAST_SCALE_G: Final = 1e-6
"""Expected weights below a microgram give no percentage."""
NO_ALERT, ATTENTION, WARNING, UNKNOWN = 0, 1, 2, 3
GREEN, ORANGE, RED, GREY = 0, 1, 2, 3


def fractions(lab: LabPolicy, rules: Rules) -> tuple[float, float]:
    """The fractions (own reference, growth curve) in force: the lab's, or the default if it has set none.

    >>> from cingulum.welfare.policy import ALYX, CINGULUM
    >>> fractions(LabPolicy(), ALYX), fractions(LabPolicy(), CINGULUM)
    ((0.0, 0.0), (0.85, 0.0))
    """
    if lab.lab_line == 0 and rules.default_fraction is not None:
        return rules.default_fraction, 0.0
    return lab.reference_fraction, lab.growth_fraction


def expected_of(net_reference: Floats, zscore: Floats, pr: float, pz: float) -> Floats:
    """Expected weight (g) without implant; a part the lab does not use cannot make the whole unknown.

    >>> expected_of(np.array([22.41]), np.array([23.188]), 0.425, 0.425).round(3).tolist()
    [22.799]
    """
    if pr + pz == 0:
        return np.zeros(len(zscore))
    parts = np.zeros(len(zscore))
    parts = parts + pz * zscore if pz else parts
    parts = parts + pr * net_reference if pr else parts
    return parts / (pr + pz)


def lines_of(days: Ints, lab: LabPolicy, rules: Rules) -> tuple[Floats, Floats]:
    """Action and end-point line (fractions) on these days of restriction; under Alyx's rules lab line and floor.

    >>> from cingulum.welfare.policy import ALYX, CINGULUM
    >>> [line.tolist() for line in lines_of(np.array([3]), LabPolicy(reference_fraction=0.7), CINGULUM)]
    [[0.75], [0.75]]
    >>> [line.tolist() for line in lines_of(np.array([3]), LabPolicy(reference_fraction=0.7), ALYX)]
    [[0.7], [0.75]]
    """
    floor = lab.floor_fraction
    lab_line = sum(fractions(lab, rules))
    if not rules.one_line:
        return np.full(len(days), lab_line), np.full(len(days), floor)
    endpoint = floor if lab.endpoint_line is None else lab.endpoint_line
    actions, endpoints = np.full(len(days), max(lab_line, floor, endpoint)), np.full(len(days), endpoint)
    for phase in lab.phases:
        last = np.inf if phase.last_day is None else phase.last_day
        inside = (days >= phase.first_day) & (days <= last)
        actions = np.where(inside, phase.action_line, actions)
        endpoints = np.where(inside, phase.endpoint_line, endpoints)
    return actions, endpoints


def net_of(weight: Floats, implant: Floats, rules: Rules) -> Floats:
    """Weight (g) without the implant; a weighing below the implant's own mass gives 0, the most alarming value.

    >>> from cingulum.welfare.policy import CINGULUM
    >>> net_of(np.array([21.97, 1.5]), np.array([2.93, 2.0]), CINGULUM).round(2).tolist()
    [19.04, 0.0]
    """
    return weight - implant if rules.unknown_is_zero else np.maximum(weight - implant, 0.0)


def percentage_of(net: Floats, scale: Floats, rules: Rules) -> Floats:
    """Percent of the expected weight, both without implant; unknown where nothing is expected.

    >>> from cingulum.welfare.policy import ALYX, CINGULUM
    >>> [percentage_of(np.array([17.0]), np.array([0.0]), rules).tolist() for rules in (ALYX, CINGULUM)]
    [[0.0], [nan]]
    """
    known = scale > LEAST_SCALE_G
    unknown = 0.0 if rules.unknown_is_zero else np.nan
    return np.where(known, 100 * net / np.where(known, scale, 1.0), unknown)


def status_of(percentage: Floats, action: Floats, list_line: float, rules: Rules) -> Ints:
    """2 below the line, 1 within two points above it, 0 further above, −1 unknown (Alyx: 0).

    `list_line` is the line of Alyx's lists, the larger of the lab's two fractions.

    >>> from cingulum.welfare.policy import ALYX, CINGULUM
    >>> mixed = np.array([76.89]), np.array([0.85]), 0.425
    >>> status_of(*mixed, ALYX).tolist(), status_of(*mixed, CINGULUM).tolist()
    ([0], [2])
    """
    line = action if rules.one_line else np.full(len(percentage), list_line)
    part = percentage / 100
    status = np.where(part < line, 2, np.where(part < line + NEAR_LINE, 1, 0))
    if rules.unknown_is_zero:
        return np.where(percentage > 0, status, 0)
    return np.where(np.isfinite(percentage), status, -1)


def colour_of(net: Floats, scale: Floats, action: Floats, endpoint: Floats, rules: Rules) -> Ints:
    """Green, orange below the action line, red below the end point, grey unknown (Alyx: green).

    >>> from cingulum.welfare.policy import CINGULUM
    >>> net, scale, lines = np.array([18.0, 16.0, 14.0]), np.full(3, 20.0), (np.full(3, 0.85), np.full(3, 0.75))
    >>> colour_of(net, scale, *lines, CINGULUM).tolist() == [GREEN, ORANGE, RED]
    True
    """
    if not rules.one_line:
        # Alyx tests the lowest line first: with a lab line below the floor, a lighter animal is orange again.
        lines = [(action, ORANGE), (endpoint, RED)] if endpoint.any() else [(action, ORANGE)]
        lines.sort(key=lambda line: float(line[0].max(initial=0.0)))
        return np.select([net < scale * line for line, _ in lines], [colour for _, colour in lines], GREEN)
    colour = np.where(net < scale * endpoint, RED, np.where(net < scale * action, ORANGE, GREEN))
    return np.where((scale > LEAST_SCALE_G) & np.isfinite(net), colour, GREY)


def underweight_of(
    percentage: Floats, action: Floats, endpoint: Floats, restricted: Flags, rules: Rules
) -> Ints:
    """WARNING at or below the higher line, ATTENTION up to two points above, UNKNOWN if restricted and unknown.

    >>> from cingulum.welfare.policy import CINGULUM
    >>> percent, lines = np.array([85.0, 86.9, 87.1]), (np.full(3, 0.85), np.full(3, 0.75))
    >>> underweight_of(percent, *lines, np.full(3, True), CINGULUM).tolist() == [WARNING, ATTENTION, NO_ALERT]
    True
    """
    line = 100 * np.maximum(action, endpoint)
    level = np.where(
        percentage <= line, WARNING, np.where(percentage <= line + 100 * NEAR_LINE, ATTENTION, NO_ALERT)
    )
    if rules.unknown_is_zero:
        return np.where(percentage > 0, level, NO_ALERT)
    unknown = np.where(restricted, UNKNOWN, NO_ALERT)
    return np.where(np.isfinite(percentage), level, unknown)
