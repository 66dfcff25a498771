"""Slices of recordings."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import Schema


class Slice(Schema):
    """A slice of a recording as JSON: `samples[i][j]` is sample `first_sample + i` of channel `channels[j]`."""

    dataset_id: UUID
    first_sample: int = Field(description="counted from the start of the recording")
    t0_s: float = Field(description="time of the first sample: first_sample / sample_rate_hz")
    sample_rate_hz: float
    channels: list[int]
    unit: str = Field(description="`bit` as recorded, or `uV`")
    doubts: list[str] = Field(default=[], description="as in the list of recordings")
    decimate: int = Field(default=1, description="number of samples of which each row is the mean")
    samples: list[list[float]] = Field(description="(time, channel)")
