"""Water restrictions, as in Alyx."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose


class WaterRestriction(Record):
    """A time in which an animal's water is limited."""

    id: UUID | None = Field(
        default=None, description="in the answer of a change, and with `ids=true`: Alyx's rows have none"
    )
    subject: str
    start_time: str
    end_time: str | None
    water_type: str | None
    reference_weight: float | None = Field(description="grams, implant included; null: not known")


class WaterRestrictionIn(BodyRecord):
    """A restriction to create or update (to end it: `end_time`)."""

    not_blank: ClassVar[tuple[str, ...]] = ("subject",)
    not_null: ClassVar[tuple[str, ...]] = ("users", "narrative")
    subject: str | None = None
    lab: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    reference_weight: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="grams")
    water_type: str | None = None
    users: list[str] | None = None
    narrative: Prose | None = None
