"""Rules of subjects: their dates, their responsible users, their genotypes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from libs.common.permissions import Principal
from libs.common.problem import REQUIRED, BadRequest, Conflict, Forbidden

USUAL_SPECIES: Final = "Laboratory mouse"  # of a subject whose body names none
ZYGOSITIES: Final = {0: "-/-", 1: "+/-", 2: "+/+", 3: "+"}


def check_dates(birth: date | None, death: date | None) -> None:
    """Raises BadRequest for a death before the birth.

    >>> check_dates(date(2024, 1, 1), date(2024, 1, 1))
    """
    if birth and death and death < birth:
        raise BadRequest(fields={"death_date": ["The death date cannot be before the birth date."]})


def check_required(nickname: str | None, lab: str | None) -> None:
    """Raises BadRequest, with all fields at once, unless a new subject has a nickname and a lab."""
    missing = {name: REQUIRED for name, value in (("nickname", nickname), ("lab", lab)) if not value}
    if missing:
        raise BadRequest(fields=missing)


def check_lab_not_cleared(fields: Collection[str], lab: str | None) -> None:
    """Raises BadRequest for a body that sets no lab in place of one: every subject belongs to a lab."""
    if "lab" in fields and not lab:
        raise BadRequest(fields={"lab": ["This field may not be null."]})


def check_unique(nickname: str, twin: str | None) -> None:
    """Raises Conflict for a nickname of which the lab or the responsible user already has a spelling."""
    if twin is not None:
        same = "" if twin == nickname else f", and '{nickname}' is the same name where case is ignored"
        text = f"'{twin}' already exists in this lab or with this responsible user{same}."
        raise Conflict(fields={"nickname": [text]})


def sex_of(text: str) -> str:
    """A subject's sex as it is stored: clients send an empty text for an unknown one.

    >>> sex_of(""), sex_of("F")
    ('U', 'F')
    """
    return text or "U"


def may_give_away(by: Principal, responsible_user_id: UUID | None) -> bool:
    """Whether a caller who may change a subject may also give it to another responsible user."""
    return by.is_superuser or by.is_stock_manager or responsible_user_id in {None, by.user_id, *by.delegators}


def check_new_responsible_user(by: Principal, before: UUID | None, after: UUID | None, nickname: str) -> None:
    """Raises Forbidden where a caller gives away a subject that is for others to give away."""
    if after != before and not may_give_away(by, before):
        raise Forbidden(
            f"Only its responsible user or a stock manager may give '{nickname}' to another user."
        )


def with_history(json: Any, before: Mapping[str, object], at: datetime) -> Any:
    """A subject's JSON with the values that a change replaced, by field. JSON that is no object cannot hold them.

    >>> with_history({"a": 1}, {"nickname": "M1"}, datetime(2024, 5, 5, 12))
    {'a': 1, 'history': {'nickname': [{'date_time': '2024-05-05T12:00:00', 'value': 'M1'}]}}
    """
    if not before or not isinstance(json, dict | None):
        return json
    sent = (json or {}).get("history")
    history = dict(sent) if isinstance(sent, dict) else {}
    for field, value in before.items():
        earlier = history.get(field)
        entry = {"date_time": at.isoformat(), "value": value}
        history[field] = [*(earlier if isinstance(earlier, list) else []), entry]
    return (json or {}) | {"history": history}


@dataclass(frozen=True, slots=True)
class AlleleZygosity:
    """An allele of a genotype, by nickname."""

    allele: str
    zygosity: int


def genotype_text(pair: AlleleZygosity) -> str:
    """An allele and its zygosity as lists show them; a subject's own page shows both as values.

    >>> genotype_text(AlleleZygosity("DemoCre", 1))
    'DemoCre +/-'
    """
    return f"{pair.allele} {ZYGOSITIES[pair.zygosity]}"
