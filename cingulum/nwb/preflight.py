"""What would make an NWB file invalid or refused by DANDI, before it is written. Needs no pynwb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from cingulum.nwb.facts import AGE, BINOMIAL, Facts, SubjectFacts, age_text, person_name


class FactProblem(NamedTuple):
    """One missing or invalid fact.

    `blocking`: no valid file can be written without it; `publication`: a valid file, but DANDI's checks fail.
    """

    slug: str
    level: Literal["blocking", "publication"]
    sentence: str
    next_step: str


def preflight(facts: Facts, *, probes_without_histology: tuple[str, ...] = ()) -> list[FactProblem]:
    """What is missing for a valid NWB file, the blocking findings first.

    >>> [finding.slug for finding in preflight(Facts())][:3]
    ['no-start-time', 'no-subject', 'no-species']
    """
    findings = [*_session(facts), *_subject(facts.subject), *_age(facts), *_people(facts)]
    findings += [
        FactProblem(
            "location-unknown",
            "publication",
            f"The electrodes of {probe} have no brain regions: their location is written as 'unknown'",
            "Register channels.brainLocationIds_ccf_2017 of the probe after histology",
        )
        for probe in probes_without_histology
    ]
    return sorted(findings, key=lambda finding: finding.level != "blocking")


def _session(facts: Facts) -> Iterator[FactProblem]:
    if facts.start_time is None:
        yield FactProblem(
            "no-start-time", "blocking", "The session has no start time", "Set the session's start_time"
        )
    elif facts.start_time.tzinfo is None:
        yield FactProblem(
            "no-time-zone",
            "blocking",
            f"The start time {facts.start_time.isoformat()} has no time zone",
            "Set the time zone of the lab, or write start_time with its offset, e.g. 2024-05-01T10:00:00+02:00",
        )


def _subject(subject: SubjectFacts) -> Iterator[FactProblem]:
    if not subject.nickname:
        yield FactProblem(
            "no-subject", "blocking", "The session has no subject", "Set the nickname of its subject"
        )
    if not subject.species:
        yield FactProblem(
            "no-species", "publication", "The subject has no species", "Set the species, e.g. Mus musculus"
        )
    elif not BINOMIAL.fullmatch(subject.species):
        yield FactProblem(
            "species-not-binomial",
            "publication",
            f"The species {subject.species!r} is not a binomial name",
            "Set the Latin name of genus and species, e.g. Mus musculus",
        )
    if subject.sex is None:
        yield FactProblem(
            "no-sex",
            "publication",
            "The subject has no sex",
            "Set the sex: M, F, O (other) or U (unknown)",
        )


def _age(facts: Facts) -> Iterator[FactProblem]:
    subject, start = facts.subject, facts.start_time
    age = age_text(subject, start)
    if age is None:
        yield FactProblem(
            "no-age",
            "publication",
            "The subject has neither birth date nor age",
            "Set the birth date, or the age as ISO 8601 duration, e.g. P90D",
        )
    elif subject.birth_date and start and subject.birth_date > start.date():
        yield FactProblem(
            "born-after-session",
            "publication",
            f"The subject was born on {subject.birth_date}, after the session",
            "Correct the birth date or the session's start time",
        )
    elif not all(AGE.fullmatch(part) for part in age.split("/")):
        yield FactProblem(
            "age-not-iso",
            "publication",
            f"The age {age!r} is not an ISO 8601 duration",
            "Write the age as days or weeks, e.g. P90D or P12W",
        )


def _people(facts: Facts) -> Iterator[FactProblem]:
    if not facts.experimenters:
        yield FactProblem(
            "no-experimenter",
            "publication",
            "The session has no experimenters",
            "Add the people who did the experiment to the session's users",
        )
    for name in facts.experimenters:
        if "," not in person_name(name):
            yield FactProblem(
                "experimenter-not-a-full-name",
                "publication",
                f"The experimenter {name!r} has no first and last name",
                "Write the full name into the facts of the file, e.g. Ada Lovelace or Lovelace, Ada",
            )
    if not facts.institution:
        yield FactProblem(
            "no-institution",
            "publication",
            "The lab has no institution",
            "Set the institution of the session's lab",
        )
