"""Filters of the list of fields of view."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from libs.common.db.conditions import Condition
from libs.common.filters import condition_on, to_sql
from libs.common.filters.list_filters import Combined, FreeFilter, ListFilters, Where, WhereVisible, parameter
from libs.common.filters.parameters import Choices, CommaList, Day, Text, UuidText, WholeNumber
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, FieldOfViewRow
from services.metadata.queries.django_filters.fields_of_view import FIELD_OF_VIEW_MAP
from services.metadata.queries.list_filters.datasets import (
    has_dataset_types,
    has_datasets,
    is_of_field_of_view,
)
from services.metadata.queries.list_filters.regions import ATLAS, is_field_of_view_in
from services.metadata.queries.list_filters.sessions import is_in_projects
from services.metadata.queries.list_filters.subject_names import LAB, SUBJECT, is_in_lab, is_of_subject


def _is_of_type(visibility: Visibility, name: str) -> Condition:
    return to_sql([condition_on("imaging_type__name", name, FIELD_OF_VIEW_MAP)], visibility)


def _is_in_stack(visibility: Visibility, stack_id: UUID) -> Condition:
    return to_sql([condition_on("stack", stack_id, FIELD_OF_VIEW_MAP)], visibility)


class FieldOfViewFilters(ListFilters):
    """Filters of the list of fields of view."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_field_of_view_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_field_of_view_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_field_of_view_in)] = parameter(ATLAS_NAME)
    dataset_types: Annotated[CommaList, WhereVisible(has_dataset_types(is_of_field_of_view))] = parameter(
        "Dataset types; matches if there is a dataset of each."
    )
    datasets: Annotated[CommaList, Combined()] = parameter(
        "Names of datasets, all of which must be on a server."
    )
    date: Annotated[Day, Where(lambda day: ActionRow.day == day)] = parameter("Day of the session.")
    django: Annotated[Text, FreeFilter(FIELD_OF_VIEW_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    experiment_number: Annotated[WholeNumber, Where(lambda number: ActionRow.number == number)] = parameter(
        "Number of the session within its day."
    )
    id: Annotated[UuidText, Where(lambda fov_id: FieldOfViewRow.id == fov_id)] = parameter("Id.")
    imaging_type: Annotated[Text, WhereVisible(_is_of_type)] = parameter("Name of the imaging type.")
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
    name: Annotated[Text, Where(lambda name: FieldOfViewRow.name == name)] = parameter(
        "Name of the field of view."
    )
    project: Annotated[CommaList, WhereVisible(is_in_projects)] = parameter(
        "Parts of names of projects, all of which must match."
    )
    session: Annotated[UuidText, Where(lambda session_id: FieldOfViewRow.session_id == session_id)] = (
        parameter("Id of the session.")
    )
    stack: Annotated[UuidText, WhereVisible(_is_in_stack)] = parameter("Id of the imaging stack.")
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)

    def combined(self, visibility: Visibility) -> list[Condition]:
        """Datasets by name."""
        return has_datasets(visibility, is_of_field_of_view, self.datasets, None)
