"""Weighings, as in Alyx."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record


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
