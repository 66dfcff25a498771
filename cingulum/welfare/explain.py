"""Explains each number with a sentence."""

from __future__ import annotations

from cingulum.welfare.assess import Assessment, Colour
from cingulum.welfare.history import History
from cingulum.welfare.policy import LabPolicy, Rules, rules_of
from cingulum.welfare.standing import fractions
from cingulum.welfare.wording import day_text, grams, local_time, millilitres, percent

_SEX = {"M": "male", "F": "female", "U": "unknown sex"}


def explain(now: Assessment, history: History, lab: LabPolicy) -> dict[str, str]:
    """One sentence for each output of an assessment, keyed by its name, from the same values.

    >>> from datetime import UTC, datetime
    >>> from cingulum.welfare.assess import assess
    >>> from cingulum.welfare.history import Restriction, Weighing
    >>> start, lab = datetime(2024, 4, 5, 9, tzinfo=UTC), LabPolicy(reference_fraction=0.85)
    >>> mouse = History([Weighing(start, 24.41)], restrictions=[Restriction(start, None, 24.41)])
    >>> explain(assess(mouse, start, lab), mouse, lab)["expected_weight_g"]
    'Expected 24.41 g: own reference 24.41 g.'
    """
    return (
        _animal(now, history)
        | _weights(now, history, lab)
        | _lines(now, lab)
        | _standing(now, lab)
        | _water(now, history)
    )


def _animal(now: Assessment, history: History) -> dict[str, str]:
    if history.birth_date is None:
        age = "Age unknown: no birth date."
    else:
        born = f"{history.birth_date.day} {history.birth_date:%B %Y}"
        stops = ", counted until death" if history.death_date else ""
        age = f"{now.age_weeks} completed weeks since noon of {born}{stops}."
    restricted, days = "Not on water restriction.", "No day of a restriction."
    if now.is_water_restricted:
        restricted = f"On water restriction, day {now.restricted_days} (it begins with day 0)."
        days = f"{now.restricted_days} calendar days of the lab since the restriction began."
    fitted = "No implant is recorded: 0 g."
    if now.implant_row is not None:
        implant = history.implants[now.implant_row]
        fitted = f"Implant {grams(implant.weight_g)} since {day_text(implant.at, history)}."
    last = "Weight unknown: no weighing up to now."
    if now.weighing_row is not None:
        weighing = history.weighings[now.weighing_row]
        when = f"{day_text(weighing.at, history)} at {local_time(weighing.at, history):%H:%M}"
        last = f"Last weighing {grams(weighing.weight_g)}, {when}."
    today = "Not weighed on this day."
    if now.weighed_on_day_g is not None:
        today = f"Weighed on this day: {grams(now.weighed_on_day_g)}."
    return {
        "age_weeks": age,
        "is_water_restricted": restricted,
        "restricted_days": days,
        "last_weight_g": last,
        "weighed_on_day_g": today,
        "implant_weight_g": fitted,
    }


def _weights(now: Assessment, history: History, lab: LabPolicy) -> dict[str, str]:
    rules = rules_of(now.policy)
    pr, pz = fractions(lab, rules)
    if now.reference_weighing_g is None or now.reference_row is None:
        unknown = _unknown("no restriction gives a reference weight", rules)
        reference = dict.fromkeys(
            ("reference_weighing_g", "reference_implant_weight_g"), f"Reference {unknown}."
        )
        reference["reference_weight_minus_implant_g"] = f"Reference without implant {unknown}."
        reference["reference_age_weeks"] = f"Age at the reference {unknown}."
        zscore = f"Weight by growth curve {unknown}."
    else:
        restriction = history.restrictions[now.reference_row]
        typed = restriction.reference_weight_g > 0
        weighed = now.reference_weighing_row
        source = restriction.start if weighed is None else history.weighings[weighed].at
        how = "entered with the restriction" if typed else "the last weighing before the restriction"
        from_day = f"reference {grams(now.reference_weighing_g)} from {day_text(source, history)}"
        worn = now.reference_implant_weight_g or 0.0
        reference = {
            "reference_weighing_g": f"R{from_day[1:]}, {how}.",
            "reference_implant_weight_g": f"The reference was weighed with {grams(worn)} of implant.",
            "reference_weight_minus_implant_g": f"R{from_day[1:]}, minus implant {grams(worn)}: "
            f"{grams(now.reference_weight_minus_implant_g)}.",
            "reference_age_weeks": "Age at the reference unknown: no birth date."
            if history.birth_date is None
            else f"{now.reference_age_weeks} completed weeks old when the reference was weighed.",
        }
        zscore = _growth_sentence(now, history, rules)
    return reference | {
        "zscore_weight_g": zscore,
        "expected_weight_g": _expected_sentence(now, pr, pz, rules),
        "min_weight_g": _minimum_sentence(now, rules),
    }


def _growth_sentence(now: Assessment, history: History, rules: Rules) -> str:
    if history.birth_date is None or not now.zscore_weight_g:
        return f"Weight by growth curve {_unknown('no birth date or no reference', rules)}."
    curve = _SEX[history.sex]
    if history.sex == "U":
        curve = (
            "heavier of both, sex unknown"
            if rules.both_curves_for_unknown_sex
            else "female, though the sex is unknown"
        )
    return (
        f"Growth curve ({curve}): an animal of {grams(now.reference_weight_minus_implant_g)} "
        f"at {now.reference_age_weeks} weeks is expected to weigh {grams(now.zscore_weight_g)} "
        f"at {now.age_weeks} weeks."
    )


def _expected_sentence(now: Assessment, pr: float, pz: float, rules: Rules) -> str:
    if not now.expected_weight_g:
        return f"Expected weight {_unknown('no line, no reference or no birth date', rules)}."
    own, grown = (
        f"own reference {grams(now.reference_weight_minus_implant_g)}",
        f"growth curve {grams(now.zscore_weight_g)}",
    )
    parts = own if not pz else grown if not pr else f"{pr:g} × {own} and {pz:g} × {grown}, over {pr + pz:g}"
    implant = f", plus implant {grams(now.implant_weight_g)}" if now.implant_weight_g else ""
    return f"Expected {grams(now.expected_weight_g)}: {parts}{implant}."


def _minimum_sentence(now: Assessment, rules: Rules) -> str:
    if not now.min_weight_g:
        return f"Minimum weight {_unknown('no expected weight', rules)}."
    implant = f", plus implant {grams(now.implant_weight_g)}" if now.implant_weight_g else ""
    line = f"{percent(now.action_line)} of the expected weight without implant"
    return f"Minimum {grams(now.min_weight_g)}: {line}{implant}."


def _lines(now: Assessment, lab: LabPolicy) -> dict[str, str]:
    rules = rules_of(now.policy)
    days = -1 if now.restricted_days is None else now.restricted_days
    phase = next((phase for phase in lab.phases if rules.one_line and phase.covers(days)), None)
    lab_line, floor = percent(sum(fractions(lab, rules))), percent(lab.floor_fraction)
    if phase is not None:
        action = endpoint = f"of the phase {phase.name!r}, day {days} of the restriction"
    elif rules.one_line:
        own = "" if lab.endpoint_line is None else f" and its end point of {percent(lab.endpoint_line)}"
        action = f"the highest of the lab's line of {lab_line}, the floor of {floor}{own}"
        endpoint = "the floor" if lab.endpoint_line is None else "the lab's own"
    else:
        action, endpoint = "the sum of the lab's two fractions", "the floor"
    return {
        "action_line": f"Action line {percent(now.action_line)}: {action}.",
        "endpoint_line": f"End-point line {percent(now.endpoint_line)}: {endpoint}.",
    }


def _standing(now: Assessment, lab: LabPolicy) -> dict[str, str]:
    rules = rules_of(now.policy)
    known = bool(now.percentage_weight) or (now.percentage_weight == 0 and not rules.unknown_is_zero)
    if not known:
        unknown = _unknown("weight or expected weight is missing", rules)
        level = "UNKNOWN" if now.notify_underweight else "No"
        return {
            "percentage_weight": f"Percentage {unknown}.",
            "weight_status": f"Status {unknown}.",
            "plot_colour": f"Colour {now.plot_colour}: the percentage is unknown.",
            "notify_underweight": f"{level} underweight alert: the percentage is unknown"
            + (" and the animal restricted." if now.notify_underweight else "."),
        }
    implant = grams(now.implant_weight_g)
    percentage = f"{now.percentage_weight:.2f} %"
    status_line = now.action_line if rules.one_line else max(lab.reference_fraction, lab.growth_fraction)
    meaning = ("fine", "within two points above", "below")[now.weight_status or 0]
    alert_line = max(now.action_line, now.endpoint_line)
    return {
        "percentage_weight": f"{percentage}: ({grams(now.last_weight_g)} − implant {implant}) of "
        f"({grams(now.expected_weight_g)} − implant {implant}).",
        "weight_status": f"Status {now.weight_status}: {percentage} is {meaning}"
        + (
            f" the line of {percent(status_line)}."
            if now.weight_status
            else f", two points or more above {percent(status_line)}."
        ),
        "plot_colour": f"{now.plot_colour.capitalize()}: {_colour_reason(now.plot_colour)} "
        f"(action {percent(now.action_line)}, end point {percent(now.endpoint_line)}).",
        "notify_underweight": f"{now.notify_underweight or 'No alert'}: {percentage}, line {percent(alert_line)}.",
    }


def _colour_reason(colour: Colour) -> str:
    return {
        "green": "above both lines",
        "orange": "below the action line",
        "red": "below the end-point line",
    }[colour]


def _water(now: Assessment, history: History) -> dict[str, str]:
    rules = rules_of(now.policy)
    drunk = f"{millilitres(now.given_water_total_ml)} given on this day"
    if now.expected_water_ml is None or now.remaining_water_ml is None:
        due = remaining = excess = "unknown: the animal has not been weighed"
    else:
        why = (
            ""
            if rules.unknown_is_zero or now.percentage_weight is not None or not now.is_water_restricted
            else ", the higher rate while its percentage is unknown"
        )
        rate = f"{now.water_rate_ml_per_g:g} mL for each gram without implant"
        due = f"{millilitres(now.expected_water_ml)}: {rate}{why}"
        remaining = (
            f"{millilitres(now.remaining_water_ml)}: {millilitres(now.expected_water_ml)} due, {drunk}"
        )
        excess = (
            f"{millilitres(0.0 - now.remaining_water_ml)}: {drunk}, {millilitres(now.expected_water_ml)} due"
        )
    waited = "no water has been recorded"
    if now.last_water_row is not None:
        last = history.water[now.last_water_row].at
        waited = f"the last water was on {day_text(last, history)} at {local_time(last, history):%H:%M}"
    return {
        "water_rate_ml_per_g": f"Water due at {now.water_rate_ml_per_g:g} mL a day for each gram without implant.",
        "expected_water_ml": f"Water due {due}.",
        "given_water_session_ml": f"{millilitres(now.given_water_session_ml)} given in sessions on this day.",
        "given_water_supplement_ml": f"{millilitres(now.given_water_supplement_ml)} given outside on this day.",
        "given_water_total_ml": f"{drunk}, in sessions and outside.",
        "remaining_water_ml": f"Remaining {remaining}.",
        "excess_water_ml": f"Excess {excess}.",
        "notify_not_weighed": "Weighing is missing today."
        if now.notify_not_weighed
        else "No weighing is due.",
        "notify_water_due": f"{'Water is due' if now.notify_water_due else 'No reminder'}: {waited}.",
    }


def _unknown(reason: str, rules: Rules) -> str:
    return f"unknown, which Alyx writes as 0 ({reason})" if rules.unknown_is_zero else f"unknown: {reason}"
