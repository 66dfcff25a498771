"""Channels of probes, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.one_or_many import OneOrMany
from libs.common.schemas.trajectories import Coordinate

MOST_CHANNELS: Final = (
    5_000  # in one request; a Neuropixels 2.0 probe of four shanks has 5,120 sites and records 384
)


class Channel(Record):
    """A recording site of a probe: its place on the shank and in the brain, in µm."""

    id: UUID
    trajectory_estimate: UUID
    brain_region: int = Field(description="id of the brain region; 0 is outside the brain")
    name: str
    json_: Any | None = Field(alias="json")
    axial: float | None = Field(description="µm from the tip, along the probe")
    lateral: float | None = Field(description="µm, across the probe")
    x: float | None = Field(description="µm, to the right")
    y: float | None = Field(description="µm, to the front")
    z: float | None = Field(description="µm, upwards")


class ChannelIn(BodyRecord):
    """A channel to create or update."""

    not_null: ClassVar[tuple[str, ...]] = ("trajectory_estimate", "brain_region", "name")
    trajectory_estimate: UUID | None = None
    brain_region: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    name: str | None = Field(default=None, max_length=255)
    json_: Any | None = Field(default=None, alias="json")
    axial: Coordinate | None = None
    lateral: Coordinate | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    z: Coordinate | None = None


ChannelOrChannels = Annotated[Channel | list[Channel], OneOrMany(Channel, most=MOST_CHANNELS)]
ChannelInOrChannels = Annotated[ChannelIn | list[ChannelIn], OneOrMany(ChannelIn, most=MOST_CHANNELS)]
