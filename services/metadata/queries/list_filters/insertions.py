"""Filters of the list of insertions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from libs.common.db.conditions import Condition
from libs.common.filters import condition_on, to_sql
from libs.common.filters.list_filters import (
    Combined,
    FreeFilter,
    ListFilters,
    Where,
    WhereVisible,
    contains,
    is_at,
    parameter,
)
from libs.common.filters.parameters import Choices, CommaList, Day, Moment, Qc, Text, UuidText, WholeNumber
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, InsertionRow
from services.metadata.queries.django_filters.insertions import INSERTION_MAP
from services.metadata.queries.list_filters.datasets import (
    has_dataset_types,
    has_datasets,
    has_tag,
    is_of_insertion,
)
from services.metadata.queries.list_filters.regions import ATLAS, is_insertion_in
from services.metadata.queries.list_filters.sessions import (
    has_protocol,
    is_in_projects,
)
from services.metadata.queries.list_filters.subject_names import LAB, SUBJECT, is_in_lab, is_of_subject


def _is_of_model(visibility: Visibility, name: str) -> Condition:
    return to_sql([condition_on("model__name", name, INSERTION_MAP)], visibility)


def _is_of_chronic_insertion(visibility: Visibility, chronic_insertion_id: UUID) -> Condition:
    return to_sql([condition_on("chronic_insertion", chronic_insertion_id, INSERTION_MAP)], visibility)


class InsertionFilters(ListFilters):
    """Filters of the list of insertions."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_insertion_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_insertion_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_insertion_in)] = parameter(ATLAS_NAME)
    chronic_insertion: Annotated[UuidText, WhereVisible(_is_of_chronic_insertion)] = parameter(
        "Id of the chronic insertion."
    )
    auto_datetime: Annotated[Moment, Where(lambda when: is_at(InsertionRow.auto_datetime, when))] = parameter(
        "Time of the last change, as in the response."
    )
    dataset_qc_lte: Annotated[Qc, Combined()] = parameter("Worst QC of the datasets, by number or name.")
    dataset_types: Annotated[CommaList, WhereVisible(has_dataset_types(is_of_insertion))] = parameter(
        "Dataset types; matches if there is a dataset of each."
    )
    datasets: Annotated[CommaList, Combined()] = parameter(
        "Names of datasets, all of which must be on a server."
    )
    date: Annotated[Day, Where(lambda day: ActionRow.day == day)] = parameter("Day of the session.")
    django: Annotated[Text, FreeFilter(INSERTION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    experiment_number: Annotated[WholeNumber, Where(lambda number: ActionRow.number == number)] = parameter(
        "Number of the session within its day."
    )
    id: Annotated[UuidText, Where(lambda insertion_id: InsertionRow.id == insertion_id)] = parameter("Id.")
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
    model: Annotated[Text, WhereVisible(_is_of_model)] = parameter(
        "Name of the probe's model, such as `Neuropixel 3B2`."
    )
    name: Annotated[Text, Where(lambda name: InsertionRow.name == name)] = parameter("Name of the probe.")
    project: Annotated[CommaList, WhereVisible(is_in_projects)] = parameter(
        "Parts of names of projects, all of which must match."
    )
    serial: Annotated[Text, Where(lambda text: contains(InsertionRow.serial, text))] = parameter(
        "Part of the serial number."
    )
    session: Annotated[UuidText, Where(lambda session_id: InsertionRow.session_id == session_id)] = parameter(
        "Id of the session."
    )
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    tag: Annotated[Text, WhereVisible(has_tag(is_of_insertion))] = parameter("Part of a tag of a dataset.")
    task_protocol: Annotated[Text, Where(has_protocol)] = parameter("Part of the session's task protocol.")

    def combined(self, visibility: Visibility) -> list[Condition]:
        """Datasets by name and QC."""
        return has_datasets(visibility, is_of_insertion, self.datasets, self.dataset_qc_lte)
