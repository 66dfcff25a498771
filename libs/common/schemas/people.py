"""People, labs, projects, places and vocabularies, as Alyx's contract shapes them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.times import Day, TimeZoneName


def _word(text: str) -> str:
    # A lab's name is a folder's name: clients find it by \w+ before the folder Subjects.
    if not text or not all(c.isalnum() or c == "_" for c in text):
        raise ValueError("only letters, digits and underscores: it names a folder")
    return text


Word = Annotated[str, AfterValidator(_word), Field(max_length=255)]


class User(Record):
    """A person, by username."""

    id: UUID
    username: str
    email: str
    subjects_responsible: list[str]
    lab: list[str] = Field(description="names of the labs of current memberships")
    allowed_users: list[str] = Field(description="who may edit the subjects this one is responsible for")
    is_stock_manager: bool
    is_superuser: bool
    is_staff: bool
    is_public_user: bool
    is_active: bool


class UserIn(BodyRecord):
    """A person to create or update. Only administrators do this."""

    username: str | None = Field(default=None, pattern=r"^[\w.@+-]+$", max_length=150)
    email: str | None = None
    allowed_users: list[str] | None = None
    is_stock_manager: bool | None = None
    is_superuser: bool | None = None
    is_staff: bool | None = None
    is_public_user: bool | None = None
    is_active: bool | None = None
    password: str | None = Field(
        default=None, max_length=1024, description="at least 10 characters, and none that is tried first"
    )


class Lab(Record):
    """A lab."""

    name: str
    institution: str
    address: str
    timezone: str
    repositories: list[str]
    reference_weight_pct: float
    zscore_weight_pct: float
    json_: Any | None = Field(alias="json")


class LabIn(BodyRecord):
    """A lab to create or update."""

    name: Word | None = None
    institution: str | None = None
    address: str | None = None
    timezone: TimeZoneName | None = None
    repositories: list[str] | None = None
    reference_weight_pct: float | None = Field(default=None, ge=0, le=1)
    zscore_weight_pct: float | None = Field(default=None, ge=0, le=1)
    json_: Any | None = Field(default=None, alias="json")


class Membership(Record):
    """A person's time in a lab; no end means still."""

    id: UUID
    user: str
    lab: str
    role: str
    start_date: date
    end_date: date | None


class MembershipIn(BodyRecord):
    """A membership to create."""

    user: str
    lab: str
    role: str = ""
    start_date: Day
    end_date: Day | None = None


class Project(Record):
    """A project, by name."""

    name: str
    description: str
    users: list[str]
    is_private: bool


class ProjectIn(BodyRecord):
    """A project to create or update."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    description: Prose | None = None
    users: list[str] | None = None
    is_private: bool | None = None


class Location(Record):
    """A rig or a room."""

    name: str
    lab: str | None
    json_: Any | None = Field(alias="json")


class LocationIn(BodyRecord):
    """A place to create or update."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    lab: str | None = None
    json_: Any | None = Field(default=None, alias="json")


class Term(Record):
    """A term of a vocabulary."""

    id: UUID
    name: str
    nickname: str
    description: str
    url: str
    json_: Any | None = Field(alias="json")


class TermIn(BodyRecord):
    """A term to add to a vocabulary."""

    name: str = Field(min_length=1, max_length=255)
    nickname: str = ""
    description: Prose = ""
    json_: Any | None = Field(default=None, alias="json")
