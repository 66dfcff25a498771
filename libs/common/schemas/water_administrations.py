"""Water administrations, as in Alyx."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record


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

    needed_by_put: ClassVar[tuple[str, ...]] = ("subject",)
    not_blank: ClassVar[tuple[str, ...]] = ("subject",)
    not_null: ClassVar[tuple[str, ...]] = ("adlib",)
    subject: str | None = None
    date_time: str | None = None
    water_administered: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="mL")
    water_type: str | None = None
    user: str | None = None
    session: UUID | None = None
    adlib: bool | None = None
