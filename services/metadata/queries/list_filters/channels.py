"""Filters of the list of channels."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import Choices, Number, Text, UuidText, WholeNumber
from services.metadata.models import ChannelRow, InsertionRow, TrajectoryRow
from services.metadata.queries.django_filters.insertions import CHANNEL_MAP
from services.metadata.queries.list_filters.subject_names import LAB, SUBJECT, is_in_lab, is_of_subject


class ChannelFilters(ListFilters):
    """Filters of the list of channels."""

    axial: Annotated[Number, Where(lambda value: ChannelRow.axial == value)] = parameter(
        "Place along the probe."
    )
    brain_region: Annotated[WholeNumber, Where(lambda region: ChannelRow.brain_region_id == region)] = (
        parameter("Id of the brain region, its parts left out.")
    )
    django: Annotated[Text, FreeFilter(CHANNEL_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    id: Annotated[UuidText, Where(lambda channel_id: ChannelRow.id == channel_id)] = parameter("Id.")
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
    lateral: Annotated[Number, Where(lambda value: ChannelRow.lateral == value)] = parameter(
        "Place across the probe."
    )
    name: Annotated[Text, Where(lambda name: ChannelRow.name == name)] = parameter("Name of the channel.")
    probe_insertion: Annotated[
        UuidText, Where(lambda insertion_id: TrajectoryRow.insertion_id == insertion_id)
    ] = parameter("Id of the probe insertion.")
    session: Annotated[UuidText, Where(lambda session_id: InsertionRow.session_id == session_id)] = parameter(
        "Id of the session."
    )
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    trajectory_estimate: Annotated[
        UuidText, Where(lambda trajectory_id: ChannelRow.trajectory_id == trajectory_id)
    ] = parameter("Id of the trajectory.")
    x: Annotated[Number, Where(lambda value: ChannelRow.x == value)] = parameter("Coordinate x.")
    y: Annotated[Number, Where(lambda value: ChannelRow.y == value)] = parameter("Coordinate y.")
    z: Annotated[Number, Where(lambda value: ChannelRow.z == value)] = parameter("Coordinate z.")
