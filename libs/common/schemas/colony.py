"""Animals, weights and water, as Alyx's contract shapes them."""

from __future__ import annotations

from datetime import date
from datetime import date as date_
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose
from libs.common.schemas.times import Day


class Weighing(Record):
    """One reading of the scale."""

    subject: str
    date_time: str
    weight: float = Field(description="grams")
    user: str | None
    url: str
    id: UUID


class WeighingIn(BodyRecord):
    """A weighing to create; the time is now and the user is the caller unless stated."""

    subject: str
    date_time: str | None = None
    weight: float = Field(ge=0, allow_inf_nan=False, description="grams")
    user: str | None = None


class WaterAdministration(Record):
    """Water given to an animal."""

    subject: str
    date_time: str
    water_administered: float | None = Field(description="mL")
    water_type: str | None
    user: str | None
    url: str
    session: UUID | None
    adlib: bool
    id: UUID


class WaterAdministrationIn(BodyRecord):
    """Water to create or update; the type of the latest restriction unless named."""

    subject: str | None = None
    date_time: str | None = None
    water_administered: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="mL")
    water_type: str | None = None
    user: str | None = None
    session: UUID | None = None
    adlib: bool | None = None


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
    reference_weight: float | None
    last_water_restriction: str | None
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
    last_weighed: date | None = Field(description="its day, in the lab; null: never weighed")
    expected_weight: float | None = Field(description="g")
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


class WaterDay(Record):
    """The state of an animal at the end of one day of its lab: grams, mL, percent. Null: unknown, never zero.

    Source   Alyx's 14 columns, and `endpoint_weight`, which is ours
    """

    date: date_
    weight: float | None = Field(description="the last weighing up to then, implant included")
    weighing_at: float | None = Field(description="the weighing of that day, if there was one")
    reference_weight: float | None
    expected_weight: float | None
    min_weight: float | None = Field(description="the lab's minimum: below it, the responsible user must act")
    percentage_weight: float | None = Field(description="of the expected weight, both without implant")
    given_water_reward: float = Field(description="in a session")
    given_water_supplement: float
    given_water_total: float
    expected_water: float | None = Field(description="due on that day, if the animal is restricted")
    excess_water: float | None
    is_water_restricted: bool
    implant_weight: float
    endpoint_weight: float | None = Field(description="below it, the experiment must end")


class WaterRequirement(Record):
    """An animal's weights and water day by day."""

    subject: str
    implant_weight: float = Field(description="on the last of the days, grams")
    reference_weight_pct: float
    zscore_weight_pct: float
    records: list[WaterDay]


class SubjectIn(BodyRecord):
    """An animal to create or update."""

    nickname: str | None = Field(default=None, pattern=r"^\.*[\w-][\w.-]*$", max_length=64)
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
    json_: Any | None = Field(default=None, alias="json")


class Line(Record):
    """A breeding line."""

    id: UUID
    name: str
    nickname: str
    alleles: list[str]
    strain: str | None
    lab: str | None


class LineIn(BodyRecord):
    """A line to create."""

    name: str = Field(min_length=1, max_length=255)
    nickname: str = ""
    alleles: list[str] = Field(default_factory=list)
    strain: str | None = None
    lab: str | None = None


class Litter(Record):
    """A litter."""

    id: UUID
    name: str
    line: str | None
    birth_date: date | None


class LitterIn(BodyRecord):
    """A litter to create."""

    name: str = Field(min_length=1, max_length=255)
    line: str | None = None
    birth_date: Day | None = None
