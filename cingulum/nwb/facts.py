"""What an NWB file says of a session that is not in its data: subject, people, place, time."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

# An ISO 8601 duration or a range of two, as DANDI takes them: P90D, P12W/P16W.
AGE = re.compile(r"P(?=\d)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?")
BINOMIAL = re.compile(r"[A-Z][a-z]+ [a-z]+( [a-z]+)?")


class SubjectFacts(BaseModel):
    """The animal. Nothing is required here: `preflight` lists what NWB and DANDI need."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nickname: str | None = None
    species: str | None = Field(default=None, description="binomial name", examples=["Mus musculus"])
    sex: Literal["M", "F", "U", "O"] | None = None
    birth_date: date | None = None
    age: str | None = Field(default=None, description="ISO 8601 duration, where there is no birth date")
    genotype: str | None = None
    strain: str | None = None
    weight_kg: float | None = Field(default=None, gt=0)
    description: str | None = None


class Facts(BaseModel):
    """A session, its lab and its subject."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = Field(default=None, description="the session's id on a server")
    start_time: AwareDatetime | datetime | None = Field(default=None, description="with its time zone")
    number: int = Field(default=1, ge=0)
    lab: str | None = None
    institution: str | None = None
    experimenters: tuple[str, ...] = ()
    task_protocol: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    related_publications: tuple[str, ...] = ()
    subject: SubjectFacts = SubjectFacts()

    @field_validator("start_time", mode="before")
    @classmethod
    def _iso_time(cls, value: object) -> object:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


def age_text(subject: SubjectFacts, start: datetime | None) -> str | None:
    """The age at the session as ISO 8601 duration in days, from the birth date where there is no age.

    >>> age_text(SubjectFacts(birth_date=date(2024, 1, 1)), datetime(2024, 3, 1))
    'P60D'
    """
    if subject.age is not None or subject.birth_date is None or start is None:
        return subject.age
    return f"P{(start.date() - subject.birth_date).days}D"


def person_name(name: str) -> str:
    """A name as NWB has it, last name first; a single word stays.

    >>> person_name("Ada M. Lovelace"), person_name("Lovelace, Ada"), person_name("ada")
    ('Lovelace, Ada M.', 'Lovelace, Ada', 'ada')
    """
    first, _, last = name.strip().rpartition(" ")
    return f"{last}, {first}" if first and "," not in name else name.strip()


def subject_id(nickname: str) -> str:
    """A name that may be a part of a file name of DANDI's layout: there `_` and `/` divide.

    >>> subject_id("SWC_054")
    'SWC-054'
    """
    return re.sub(r"[^A-Za-z0-9-]+", "-", nickname).strip("-")
