"""Filters of the list of locations of fields of view."""

from __future__ import annotations

from typing import Annotated, Any

from sqlalchemy.orm import InstrumentedAttribute

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    FreeFilter,
    ListFilters,
    Refused,
    Where,
    WhereTrue,
    is_at,
    is_named,
    parameter,
)
from libs.common.filters.parameters import (
    Moment,
    Number,
    Parsed,
    Text,
    Truth,
    UuidText,
    WholeNumber,
    parse_names,
    parse_whole_number,
)
from libs.common.schemas.fov_locations import known_fov_provenance
from services.metadata.models import FovLocationRow, VocabularyRow
from services.metadata.queries.django_filters.fields_of_view import FOV_LOCATION_MAP


def _parse_region_ids(text: str) -> tuple[int, ...]:
    """Ids of regions with commas between, perhaps in brackets, as clients send a list. Raises ValueError."""
    return tuple(parse_whole_number(part) for part in parse_names(text.strip().strip("[]")))


RegionIds = Annotated[tuple[int, ...], Parsed(_parse_region_ids)]
Provenance = Annotated[str, Parsed(known_fov_provenance)]


def _holds(column: InstrumentedAttribute[Any]) -> Where:
    """The rows of which one number of an array is the value."""
    return Where(lambda value: column.contains([value]))


def _has_regions(region_ids: tuple[int, ...]) -> Condition:
    condition: Condition = FovLocationRow.brain_region_ids.contains(list(region_ids))
    return condition


class FovLocationFilters(ListFilters):
    """Filters of the list of locations of fields of view."""

    auto_datetime: Annotated[Moment, Where(lambda when: is_at(FovLocationRow.auto_datetime, when))] = (
        parameter("Time of the last change, as in the response.")
    )
    brain_region: Annotated[RegionIds, Where(_has_regions)] = parameter(
        "Ids of brain regions, all of which it covers; their parts are left out."
    )
    coordinate_system: Annotated[
        Text, Where(lambda text: is_named(VocabularyRow.name, VocabularyRow.id, text))
    ] = parameter("Name or id of the coordinate system.")
    default_provenance: Annotated[Truth, WhereTrue(FovLocationRow.default_provenance)] = parameter(
        "Whether searches by brain region use it."
    )
    django: Annotated[Text, FreeFilter(FOV_LOCATION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    field_of_view: Annotated[UuidText, Where(lambda fov_id: FovLocationRow.field_of_view_id == fov_id)] = (
        parameter("Id of the field of view.")
    )
    id: Annotated[UuidText, Where(lambda location_id: FovLocationRow.id == location_id)] = parameter("Id.")
    n_xyz: Annotated[WholeNumber, _holds(FovLocationRow.n_xyz)] = parameter("Number of pixels along an axis.")
    name: Annotated[Text, Refused()] = parameter("Refused: locations of fields of view have no names.")
    provenance: Annotated[Provenance, Where(lambda letter: FovLocationRow.provenance == letter)] = parameter(
        "Provenance, by letter or name."
    )
    x: Annotated[Number, _holds(FovLocationRow.x)] = parameter("Coordinate x of a corner.")
    y: Annotated[Number, _holds(FovLocationRow.y)] = parameter("Coordinate y of a corner.")
    z: Annotated[Number, _holds(FovLocationRow.z)] = parameter("Coordinate z of a corner.")
