"""Weights and water of a subject day by day."""

from __future__ import annotations

from datetime import date as date_

from pydantic import Field

from libs.common.schemas.base import Record


class WaterDay(Record):
    """The state of an animal at the end of one day of its lab: grams, mL, percent. Null: unknown, never zero.

    Source   Alyx's 14 columns, and `endpoint_weight`, which is ours
    """

    date: date_
    weight: float | None = Field(description="the last weighing up to then, implant included")
    weighing_at: float | None = Field(description="the weighing of that day, if there was one")
    reference_weight: float | None = Field(description="without implant")
    expected_weight: float | None = Field(description="with implant")
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
    implant_weight: float = Field(description="weight on the last of the days, in grams")
    reference_weight_pct: float
    zscore_weight_pct: float
    records: list[WaterDay]
