"""Subjects, as in Alyx."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.names import FolderName
from libs.common.schemas.times import Day
from libs.common.schemas.water_administrations import WaterAdministration
from libs.common.schemas.weighings import Weighing


class Zygosity(Record):
    """An animal's zygosity for an allele."""

    allele: str
    zygosity: Literal[0, 1, 2, 3] = Field(description="0 -/-, 1 +/-, 2 +/+, 3 + (dose unknown)")


class Subject(Record):
    """An animal, as in a list. Water fields are null where no restriction or weight determines them."""

    nickname: str
    url: str
    id: UUID
    responsible_user: str | None
    birth_date: date | None
    age_weeks: int | None
    death_date: date | None
    species: str | None
    sex: str
    litter: str | None
    strain: str | None
    source: str | None
    line: str | None
    projects: list[str]
    session_projects: list[str]
    lab: str | None
    genotype: list[Any]
    description: str
    alive: bool
    reference_weight: float | None = Field(description="g, without implant")
    last_water_restriction: str | None = Field(description="start of the open restriction")
    expected_water: float | None
    remaining_water: float | None
    json_: Any | None = Field(alias="json")


class RestrictedSubject(Subject):
    """An animal under water restriction, with its lab's two weight fractions, and its present state.

    Source   Alyx's fields; those from `weight` on are ours, named and meant as in WaterDay
    """

    reference_weight_pct: float | None
    zscore_weight_pct: float | None
    weight: float | None = Field(description="the last weighing, g")
    last_weighed: date | None = Field(
        description="day of that weighing in the lab's time zone; null: never weighed"
    )
    expected_weight: float | None = Field(description="g, with implant")
    min_weight: float | None = Field(
        description="the lab's minimum, g: below it, the responsible user must act"
    )
    endpoint_weight: float | None = Field(description="g: below it, the experiment must end")
    percentage_weight: float | None = Field(description="of the expected weight")
    is_water_restricted: bool


class SubjectDetail(Subject):
    """An animal with its weights and water."""

    weighings: list[Weighing]
    water_administrations: list[WaterAdministration]


class SubjectIn(BodyRecord):
    """An animal to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("lab",)
    not_blank: ClassVar[tuple[str, ...]] = ("nickname",)
    not_null: ClassVar[tuple[str, ...]] = ("sex", "projects", "description", "zygosities", "genotype")
    nickname: FolderName | None = Field(default=None, max_length=64)
    responsible_user: str | None = None
    birth_date: Day | None = None
    death_date: Day | None = None
    species: str | None = None
    sex: Literal["M", "F", "U", ""] | None = None
    litter: str | None = None
    strain: str | None = None
    source: str | None = None
    line: str | None = None
    projects: list[str] | None = None
    lab: str | None = None
    description: Prose | None = None
    zygosities: list[Zygosity] | None = None
    genotype: list[Any] | None = Field(
        default=None, description="as shown, and not stored: `zygosities` sets it"
    )
    json_: Any | None = Field(default=None, alias="json")
