"""The two base classes of everything that crosses HTTP or the bus."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """One of our own shapes: an unknown field is refused by name; a number that is not one never passes."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, from_attributes=True, allow_inf_nan=False, populate_by_name=True
    )


class Record(BaseModel):
    """A shape of Alyx's contract: unknown fields are ignored, as its clients send more than they need."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, populate_by_name=True)
