"""Locations of fields of view in the brain, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.trajectories import Coordinate

FOV_PROVENANCES: Final = {"E": "Estimate", "F": "Functional", "L": "Landmark", "H": "Histology"}


def known_fov_provenance(value: object) -> str:
    """The letter of a provenance, from its letter or its name in any case. Raises ValueError.

    >>> known_fov_provenance("H"), known_fov_provenance("ESTIMATE"), known_fov_provenance("landmark")
    ('H', 'E', 'L')
    >>> known_fov_provenance("X")
    Traceback (most recent call last):
        ...
    ValueError: a provenance is one of E (Estimate), F (Functional), L (Landmark), H (Histology)
    """
    if isinstance(value, str):
        for letter, name in FOV_PROVENANCES.items():
            if value.strip().lower() in {letter.lower(), name.lower()}:
                return letter
    choices = ", ".join(f"{letter} ({name})" for letter, name in FOV_PROVENANCES.items())
    raise ValueError(f"a provenance is one of {choices}")


FovProvenance = Annotated[
    str,
    BeforeValidator(known_fov_provenance),
    WithJsonSchema({"type": "string", "enum": list(FOV_PROVENANCES)}),
]
Corners = Annotated[list[Coordinate | None], Field(max_length=8)]
"""One coordinate of the corners, µm: top left, top right, bottom left, bottom right; of a volume also the deepest."""
PixelCount = Annotated[int, Field(ge=0, lt=2**31)]
RegionId = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class FovLocationListed(Record):
    """A location of a field of view, as its list and its field of view show it."""

    id: UUID
    brain_region: list[int] = Field(description="ids of the brain regions that it covers")
    coordinate_system: str | None
    provenance: str = Field(description=", ".join(f"{key}: {name}" for key, name in FOV_PROVENANCES.items()))
    x: list[float | None] = Field(description="µm, to the right, of each corner")
    y: list[float | None] = Field(description="µm, to the front, of each corner")
    z: list[float | None] = Field(description="µm, upwards, of each corner")
    n_xyz: list[int | None] = Field(description="number of pixels along each axis")
    default_provenance: bool = Field(description="whether searches by brain region use this location")
    auto_datetime: str


class FovLocation(FovLocationListed):
    """A location of a field of view."""

    json_: Any | None = Field(alias="json")
    field_of_view: UUID


class FovLocationIn(BodyRecord):
    """A location to create or update; a field of view has one of each provenance."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("field_of_view", "provenance", "x", "y", "z", "n_xyz")
    not_blank: ClassVar[tuple[str, ...]] = ("field_of_view", "provenance")
    not_null: ClassVar[tuple[str, ...]] = ("default_provenance", "brain_region", "x", "y", "z", "n_xyz")
    field_of_view: UUID | None = None
    provenance: FovProvenance | None = None
    default_provenance: bool | None = Field(
        default=None,
        description="true: searches by brain region use this location, and no longer another one",
    )
    coordinate_system: str | None = None
    brain_region: list[RegionId] | None = None
    x: Corners | None = None
    y: Corners | None = None
    z: Corners | None = None
    n_xyz: Annotated[list[PixelCount | None], Field(max_length=3)] | None = None
    json_: Any | None = Field(default=None, alias="json")
