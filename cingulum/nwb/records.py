"""Facts from the records of a server, as its API answers them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cingulum.nwb.facts import Facts, SubjectFacts

_SEXES = {"M", "F", "U", "O"}


def facts_of_records(session: Mapping[str, Any], subject: Mapping[str, Any], lab: Mapping[str, Any]) -> Facts:
    """Facts from `GET /sessions/{id}`, `/subjects/{nickname}` and `/labs/{name}`; what is absent or empty is None.

    >>> session = {"start_time": "2024-05-01T10:00:00", "subject": "m1", "users": ["ada"]}
    >>> facts_of_records(session, {"sex": ""}, {"timezone": "Europe/London"}).start_time.isoformat()
    '2024-05-01T10:00:00+01:00'
    """
    return Facts(
        id=_text(session, "id"),
        start_time=_start_time(session, lab),
        number=session.get("number") or 1,
        lab=_text(session, "lab"),
        institution=_text(lab, "institution"),
        experimenters=tuple(session.get("users") or ()),
        task_protocol=_text(session, "task_protocol"),
        description=_text(session, "narrative"),
        keywords=tuple(session.get("procedures") or ()),
        subject=SubjectFacts(
            nickname=_text(session, "subject"),
            species=_text(subject, "species"),
            sex=subject["sex"] if subject.get("sex") in _SEXES else None,
            birth_date=subject.get("birth_date") or None,
            genotype=_genotype(subject),
            strain=_text(subject, "strain"),
            description=_text(subject, "description"),
        ),
    )


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    return str(value) if value else None


def _start_time(session: Mapping[str, Any], lab: Mapping[str, Any]) -> datetime | None:
    """The start with its zone: a time without offset is in the zone of the lab, an ambiguous hour is the first."""
    text = _text(session, "start_time")
    if text is None:
        return None
    start = datetime.fromisoformat(text)
    zone = _text(lab, "timezone")
    return start if start.tzinfo or zone is None else start.replace(tzinfo=ZoneInfo(zone))


def _genotype(subject: Mapping[str, Any]) -> str | None:
    pairs = subject.get("genotype") or ()
    return ", ".join(f"{pair['allele']} {pair['zygosity']}" for pair in pairs) or None
