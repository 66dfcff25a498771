"""Trajectories of probes, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.sessions import Session

ALIGNED: Final = 70  # from here on, the regions of channels are those that were recorded
PROVENANCE_NAMES: Final = {
    10: "Planned",
    30: "Micro-manipulator",
    50: "Histology track",
    ALIGNED: "Ephys aligned histology track",
}
PROVENANCE_CODES: Final = {name: code for code, name in PROVENANCE_NAMES.items()}


def provenance_code(value: object) -> object:
    """A provenance as a number, from its name in any case or its number; the rest is left for the validator to refuse.

    >>> provenance_code("Planned"), provenance_code("histology track"), provenance_code("70")
    (10, 50, 70)
    """
    if isinstance(value, str):
        is_number = value.isascii() and value.isdigit() and len(value) < 4
        codes = {name.lower(): code for name, code in PROVENANCE_CODES.items()}
        return int(value) if is_number else codes.get(value.lower(), value)
    return value


def known_provenance(value: object) -> int:
    """The number of a provenance. Raises ValueError.

    >>> known_provenance("guessed")
    Traceback (most recent call last):
        ...
    ValueError: a provenance is one of Planned, Micro-manipulator, Histology track, Ephys aligned histology track
    """
    code = provenance_code(value)
    if not isinstance(code, int) or code not in PROVENANCE_NAMES:
        raise ValueError(f"a provenance is one of {', '.join(PROVENANCE_CODES)}")
    return code


Provenance = Annotated[
    int,
    BeforeValidator(known_provenance),
    WithJsonSchema({"type": "string", "enum": list(PROVENANCE_CODES)}),
]
Coordinate = Annotated[float, Field(allow_inf_nan=False)]


class Trajectory(Record):
    """The straight line of a probe in the brain: the point of entry in µm, the depth, and its angles in degrees."""

    id: UUID
    probe_insertion: UUID | None
    x: float | None = Field(description="µm, to the right")
    y: float | None = Field(description="µm, to the front")
    z: float | None = Field(description="µm, upwards")
    depth: float | None = Field(description="µm, along the probe")
    theta: float | None = Field(description="degrees from the vertical")
    phi: float | None = Field(description="degrees from the right, counter-clockwise")
    roll: float | None = Field(description="degrees around the probe")
    provenance: str
    session: Session | None
    probe_name: str
    coordinate_system: str | None
    datetime: str
    json_: Any | None = Field(alias="json")
    chronic_insertion: UUID | None


class TrajectoryIn(BodyRecord):
    """A trajectory to create or update, of a probe insertion or of a chronic one."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("provenance",)
    not_blank: ClassVar[tuple[str, ...]] = ("provenance",)
    probe_insertion: UUID | None = None
    x: Coordinate | None = None
    y: Coordinate | None = None
    z: Coordinate | None = None
    depth: Coordinate | None = None
    theta: Coordinate | None = None
    phi: Coordinate | None = None
    roll: Coordinate | None = None
    provenance: Provenance | None = None
    coordinate_system: str | None = None
    json_: Any | None = Field(default=None, alias="json")
    chronic_insertion: UUID | None = None
