"""The formulas, once, over all requested moments of all requested animals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cingulum.welfare.clock import DAY_US, HOUR_US, SECOND_US
from cingulum.welfare.growth import age_weeks, grown_weight_g
from cingulum.welfare.policy import LabPolicy, Rules
from cingulum.welfare.standing import (
    NO_ALERT,
    colour_of,
    expected_of,
    fractions,
    lines_of,
    net_of,
    percentage_of,
    status_of,
    underweight_of,
)
from cingulum.welfare.table import NO_AGE, Columns
from cingulum.welfare.timeline import NO_BIRTH, Flags, Floats, Ints, Moments, Timeline, pick, pick_int

REMINDER_AFTER_US: Final = 23 * HOUR_US - 10 * SECOND_US
"""Tolerance, so that a nightly job that starts some seconds earlier than yesterday still finds the water due."""


@dataclass(frozen=True, slots=True)
class _Weighed:
    row: Ints
    weight_g: Floats
    on_day: Flags
    implant_row: Ints
    implant_g: Floats


@dataclass(frozen=True, slots=True)
class _Reference:
    row: Ints
    weighing: Ints
    weight_g: Floats
    implant_g: Floats
    net_g: Floats
    wall: Ints
    active: Flags
    active_row: Ints
    days: Ints


@dataclass(frozen=True, slots=True)
class _Standing:
    age_weeks: Ints
    reference_age_weeks: Ints
    zscore_g: Floats
    expected_g: Floats
    minimum_g: Floats
    net_g: Floats
    scale_g: Floats
    percentage: Floats
    action: Floats
    endpoint: Floats
    status: Ints
    colour: Ints
    underweight: Ints


@dataclass(frozen=True, slots=True)
class _Water:
    due_ml: Floats
    rate: Floats
    session_ml: Floats
    supplement_ml: Floats
    drunk_ml: Floats
    remaining_ml: Floats
    last: Ints
    reminder: Flags


def compute(line: Timeline, at: Moments, lab: LabPolicy, rules: Rules) -> Columns:
    """All quantities at the requested moments, each of its animal, under these rules.

    Source: the water-control rules of Alyx 3.6, as described in `docs/explanations/welfare-maths.md`.
    """
    weighed = _weighed(line, at, rules)
    reference = _reference(line, at, weighed.implant_g, rules)
    standing = _standing(line, at, (weighed, reference), lab, rules)
    water = _water(line, at, (weighed, reference, standing), lab, rules)
    first_day = (reference.days == 0) & np.isfinite(reference.weight_g)
    return Columns(
        moments=at,
        age_weeks=standing.age_weeks,
        is_restricted=reference.active,
        restriction_row=np.where(reference.active, pick_int(line.restrictions.row, reference.active_row), -1),
        restricted_days=reference.days,
        weighing_row=weighed.row,
        last_weight_g=weighed.weight_g,
        weighed_on_day_g=np.where(weighed.on_day, weighed.weight_g, np.nan),
        implant_row=weighed.implant_row,
        implant_g=weighed.implant_g,
        reference_row=pick_int(line.restrictions.row, reference.row),
        reference_weighing_row=pick_int(line.weighings.row, reference.weighing),
        reference_weighing_g=reference.weight_g,
        reference_implant_g=reference.implant_g,
        net_reference_g=reference.net_g,
        reference_age_weeks=standing.reference_age_weeks,
        zscore_weight_g=standing.zscore_g,
        expected_g=standing.expected_g,
        minimum_g=standing.minimum_g,
        percentage=standing.percentage,
        action_line=standing.action,
        endpoint_line=standing.endpoint,
        status=standing.status,
        colour=standing.colour,
        water_due_ml=water.due_ml,
        water_rate=water.rate,
        session_ml=water.session_ml,
        supplement_ml=water.supplement_ml,
        drunk_ml=water.drunk_ml,
        remaining_ml=water.remaining_ml,
        underweight=standing.underweight,
        not_weighed=reference.active & ~weighed.on_day & ~first_day,
        water_reminder=water.reminder,
        last_water_row=pick_int(line.water.row, water.last),
    )


def _weighed(line: Timeline, moments: Moments, rules: Rules) -> _Weighed:
    key = moments.key(rules)
    row = line.weighings.last_before(line.weighings.moments.key(rules), moments, key)
    fitted = line.implants.last_before(line.implants.moments.key(rules), moments, key)
    return _Weighed(
        row=pick_int(line.weighings.row, row),
        weight_g=pick(line.weighings.value, row, 0.0 if rules.unknown_is_zero else np.nan),
        on_day=(row >= 0) & (pick_int(line.weighings.moments.day, row) == moments.day),
        implant_row=pick_int(line.implants.row, fitted),
        implant_g=pick(line.implants.value, fitted, 0.0),
    )


def _reference(line: Timeline, moments: Moments, implant: Floats, rules: Rules) -> _Reference:
    """The reference entered for the newest restriction, from its start, even after its end; else the active one's."""
    started, references, ruler = line.restrictions.moments, line.references, moments.line(rules)
    row = line.restrictions.last_before(started.key(rules), moments, moments.key(rules))
    active = (row >= 0) & (pick_int(line.ended, row) >= ruler)
    newest = line.newest[moments.owner]
    typed = pick(line.restrictions.value, newest, 0.0) > 0
    begun = typed & (ruler >= pick_int(started.line(rules), newest))
    chosen = np.where(begun, newest, np.where(active, row, -1))
    own = pick(references.implant_g, chosen, 0.0)
    if not rules.reference_keeps_its_implant:
        own = np.where(active, pick(references.implant_g, row, 0.0), implant)
    weight = pick(references.weight_g, chosen, np.nan)
    net = weight - own
    return _Reference(
        row=chosen,
        weighing=pick_int(references.weighing, chosen),
        weight_g=weight,
        implant_g=own,
        net_g=np.where(np.isfinite(net), net, 0.0)
        if rules.unknown_is_zero
        else np.where(net > 0, net, np.nan),
        wall=pick_int(references.wall, chosen, 0),
        active=active,
        active_row=row,
        days=np.where(active, moments.day - pick_int(started.day, row), -1),
    )


def _standing(
    line: Timeline, moments: Moments, parts: tuple[_Weighed, _Reference], lab: LabPolicy, rules: Rules
) -> _Standing:
    weighed, reference = parts
    pr, pz = fractions(lab, rules)
    age, reference_age = _ages(line, moments, moments.wall), _ages(line, moments, reference.wall)
    zscore = _zscore(line, moments, (reference.net_g, reference_age, age), rules)
    expected = expected_of(reference.net_g, zscore, pr, pz) + weighed.implant_g
    action, endpoint = lines_of(reference.days, lab, rules)
    net, scale = net_of(weighed.weight_g, weighed.implant_g, rules), expected - weighed.implant_g
    percentage = percentage_of(net, scale, rules)
    alive = moments.wall - DAY_US // 2 <= line.death_noon[moments.owner]
    minimum = action * scale if rules.one_line else pz * zscore + pr * reference.net_g
    level = underweight_of(percentage, action, endpoint, reference.active, rules)
    return _Standing(
        age_weeks=age,
        reference_age_weeks=reference_age,
        zscore_g=zscore,
        expected_g=expected,
        minimum_g=minimum + weighed.implant_g,
        net_g=net,
        scale_g=scale,
        percentage=percentage,
        action=action,
        endpoint=endpoint,
        status=status_of(percentage, action, max(pr, pz), rules),
        colour=colour_of(net, scale, action, endpoint, rules),
        underweight=np.where(alive, level, NO_ALERT),
    )


def _water(
    line: Timeline,
    moments: Moments,
    parts: tuple[_Weighed, _Reference, _Standing],
    lab: LabPolicy,
    rules: Rules,
) -> _Water:
    weighed, reference, standing = parts
    low = weighed.weight_g < standing.action * standing.scale_g + weighed.implant_g
    if not rules.unknown_is_zero:
        low |= reference.active & ~np.isfinite(standing.percentage)
    rate = np.where(low, lab.water_below_line_ml_per_g, lab.water_ml_per_g)
    due, (session, supplement) = rate * standing.net_g, _drunk(line, moments)
    remaining = due - (session + supplement)
    watered, ruler = line.water.moments, moments.line(rules)
    last = line.water.last_before(watered.by_owner(watered.line(rules)), moments, moments.by_owner(ruler))
    waited = _waited_us(line, moments, last, reference.active_row, rules)
    return _Water(
        due_ml=due,
        rate=rate,
        session_ml=session,
        supplement_ml=supplement,
        drunk_ml=session + supplement,
        remaining_ml=remaining,
        last=last,
        # Not "remaining > 0": if the remaining amount is unknown, the animal is on the reminder.
        reminder=reference.active & (reference.days > 0) & ~(remaining <= 0) & (waited >= REMINDER_AFTER_US),
    )


def _ages(line: Timeline, moments: Moments, wall: Ints) -> Ints:
    born, died = line.birth_noon[moments.owner], line.death_noon[moments.owner]
    known = born != NO_BIRTH
    return np.where(known, age_weeks(np.minimum(wall, died), np.where(known, born, 0)), NO_AGE)


def _zscore(line: Timeline, moments: Moments, grown: tuple[Floats, Ints, Ints], rules: Rules) -> Floats:
    net_reference, then, now = grown
    by_female = grown_weight_g(net_reference, then, now, "F")
    by_male = grown_weight_g(net_reference, then, now, "M")
    unknown_sex = np.maximum(by_female, by_male) if rules.both_curves_for_unknown_sex else by_female
    male, female = line.male[moments.owner], line.female[moments.owner]
    weight = np.where(male, by_male, np.where(female, by_female, unknown_sex))
    if rules.unknown_is_zero:
        return np.where((now > NO_AGE) & (net_reference != 0), weight, 0.0)
    return np.where(now > NO_AGE, weight, np.nan)


def _drunk(line: Timeline, moments: Moments) -> tuple[Floats, Floats]:
    key = moments.by_owner(moments.day)
    row = np.searchsorted(line.water_days, key, side="right") - 1
    row = np.where(pick_int(line.water_days, row) == key, row, -1)
    return pick(line.session_ml, row, 0.0), pick(line.supplement_ml, row, 0.0)


def _waited_us(line: Timeline, moments: Moments, last_water: Ints, active_row: Ints, rules: Rules) -> Ints:
    """Since the last water or, if there was none, since the restriction began."""
    began = active_row
    if not rules.reminder_from_active:
        newest = line.newest_open[moments.owner]
        began = np.where(newest >= 0, newest, active_row)
    since = pick_int(line.restrictions.moments.line(rules), began)
    waited: Ints = moments.line(rules) - np.where(
        last_water >= 0, pick_int(line.water.moments.line(rules), last_water), since
    )
    return waited
