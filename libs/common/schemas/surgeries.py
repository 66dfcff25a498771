"""Surgeries, as in Alyx."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose


class Surgery(Record):
    """A surgery; relations as primary keys, as in Alyx."""

    id: UUID
    subject: str
    name: str
    json_: Any | None = Field(alias="json")
    narrative: str
    start_time: str | None
    end_time: str | None
    outcome_type: str = Field(description="a: acute, r: recovery, n: non-recovery; empty: not known")
    implant_weight: float | None = Field(description="grams; null: not known")
    lab: UUID | None
    location: UUID | None
    users: list[UUID]
    procedures: list[UUID]


class SurgeryIn(BodyRecord):
    """A surgery to create or update; relations by name."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("subject",)
    not_blank: ClassVar[tuple[str, ...]] = ("subject",)
    not_null: ClassVar[tuple[str, ...]] = ("name", "users", "procedures", "narrative", "outcome_type")
    subject: str | None = None
    name: str | None = Field(default=None, description="empty: surgeries have no names")
    lab: str | None = None
    location: str | None = None
    users: list[str] | None = None
    procedures: list[str] | None = None
    narrative: Prose | None = None
    start_time: str | None = None
    end_time: str | None = None
    outcome_type: str | None = Field(
        default=None, pattern="^[arn]?$", description="acute, recovery, non-recovery; empty: not known"
    )
    implant_weight: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="grams")
    json_: Any | None = Field(default=None, alias="json")
