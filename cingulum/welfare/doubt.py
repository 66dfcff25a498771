"""Reasons to doubt an animal's numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cingulum.welfare.assess import Assessment
from cingulum.welfare.clock import DAY_US, instant_us
from cingulum.welfare.history import History
from cingulum.welfare.policy import LabPolicy, rules_of
from cingulum.welfare.standing import fractions
from cingulum.welfare.wording import day_text, grams

REFERENCE_DAYS: Final = 7
"""Alyx refuses to save a restriction whose reference weighing is older, but a record may contain one."""


def doubts(now: Assessment, history: History, lab: LabPolicy) -> tuple[str, ...]:
    """Reasons not to trust the numbers, most serious first.

    >>> from datetime import UTC, datetime
    >>> from cingulum.welfare.assess import assess
    >>> at = datetime(2024, 4, 5, 9, tzinfo=UTC)
    >>> doubts(assess(History(), at, LabPolicy()), History(), LabPolicy())[0]
    'The lab has not set a line: 85 % of the own reference is used until it does.'
    """
    rules = rules_of(now.policy)
    sentences = []
    if lab.lab_line == 0:
        used = (
            "85 % of the own reference is used until it does"
            if rules.default_fraction
            else "no weight is expected and no alert is sent"
        )
        sentences.append(f"The lab has not set a line: {used}.")
    if now.last_weight_g is not None and 0 < now.last_weight_g <= now.implant_weight_g:
        scale, mass = grams(now.last_weight_g), grams(now.implant_weight_g)
        sentences.append(f"The last weighing, {scale}, is not more than the implant's {mass}: check both.")
    if now.is_water_restricted and not now.percentage_weight:
        sentences.append("The animal is restricted and its status is unknown: " + _missing(now, history, lab))
    if now.age_weeks is not None and now.age_weeks < 0:
        sentences.append("The birth date is in the future: check it.")
    if fractions(lab, rules)[1] and history.sex == "U":
        limit = (
            "the heavier of both curves is"
            if rules.both_curves_for_unknown_sex
            else "the female curve is silently"
        )
        sentences.append(f"The sex is unknown: {limit} used.")
    sentences += [*_reference_doubts(now, history), *_implant_doubts(now, history)]
    return tuple(sentences)


def _reference_doubts(now: Assessment, history: History) -> list[str]:
    if now.reference_row is None or now.reference_weighing_row is None:
        return []
    start = instant_us(history.restrictions[now.reference_row].start, history.zone)
    weighed = history.weighings[now.reference_weighing_row].at
    days = (start - instant_us(weighed, history.zone)) // DAY_US
    if days < REFERENCE_DAYS:
        return []
    return [
        f"The reference is a weighing of {day_text(weighed, history)}, {days} days before the restriction began."
    ]


def _implant_doubts(now: Assessment, history: History) -> list[str]:
    """The implant changed between a weighing and the moment whose implant is taken off it."""
    doubts = []
    if now.weighing_row is not None and now.implant_row is not None:
        weighed, fitted = history.weighings[now.weighing_row].at, history.implants[now.implant_row].at
        if instant_us(fitted, history.zone) > instant_us(weighed, history.zone):
            doubts.append(
                f"The last weighing is older than the implant of {day_text(fitted, history)}: weigh again."
            )
    if now.reference_row is not None and now.reference_weighing_row is not None:
        start = history.restrictions[now.reference_row].start
        weighed = history.weighings[now.reference_weighing_row].at
        between = [implant for implant in history.implants if _between(weighed, implant.at, start, history)]
        if between:
            mass = grams(between[-1].weight_g)
            doubts.append(
                f"An implant of {mass} was fitted between the reference weighing and the restriction."
            )
    return doubts


def _between(first: datetime, middle: datetime, last: datetime, history: History) -> bool:
    zone = history.zone
    return instant_us(first, zone) < instant_us(middle, zone) <= instant_us(last, zone)


def _missing(now: Assessment, history: History, lab: LabPolicy) -> str:
    missing = []
    if now.weighing_row is None:
        missing.append("no weighing")
    if now.reference_weighing_g is None:
        missing.append("no reference weight")
    if history.birth_date is None and fractions(lab, rules_of(now.policy))[1]:
        missing.append("no birth date for the growth curve")
    return (" and ".join(missing) or "the weights are impossible") + "."
