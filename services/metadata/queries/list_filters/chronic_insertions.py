"""Filters of the list of chronic insertions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from libs.common.db.conditions import Condition
from libs.common.filters import condition_on, parse_filter, to_sql
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, parameter
from libs.common.filters.parameters import Choices, CommaList, Text, UuidText, WholeNumber
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from libs.common.visibility import Visibility
from services.metadata.models import ActionRow
from services.metadata.queries.django_filters.insertions import CHRONIC_INSERTION_MAP
from services.metadata.queries.list_filters.regions import ATLAS, is_chronic_insertion_in
from services.metadata.queries.list_filters.subject_names import LAB, SUBJECT, is_in_lab, is_of_subject


def _field(name: str) -> WhereVisible:
    """The rows whose field, perhaps of another object that the caller can see, is the value."""
    return WhereVisible(
        lambda visibility, value: to_sql([condition_on(name, value, CHRONIC_INSERTION_MAP)], visibility)
    )


def _time(name: str) -> WhereVisible:
    """The rows whose time, on the lab's own clock, is that of the text."""
    return WhereVisible(
        lambda visibility, text: to_sql(parse_filter(f"{name},{text}", CHRONIC_INSERTION_MAP), visibility)
    )


def _all_of(name: str, key: str) -> WhereVisible:
    """The rows that have an object of each of the names or ids."""

    def has_all(visibility: Visibility, values: Sequence[str]) -> Condition:
        conditions = [
            condition_on(name, _id_in(value), CHRONIC_INSERTION_MAP)
            if _id_in(value)
            else condition_on(f"{name}__{key}", value, CHRONIC_INSERTION_MAP)
            for value in values
        ]
        return to_sql(conditions, visibility)

    return WhereVisible(has_all)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _text(column: Any) -> Callable[[str], Condition]:
    return lambda text: column == text


class ChronicInsertionFilters(ListFilters):
    """Filters of the list of chronic insertions."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_chronic_insertion_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_chronic_insertion_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_chronic_insertion_in)] = parameter(ATLAS_NAME)
    django: Annotated[Text, FreeFilter(CHRONIC_INSERTION_MAP)] = parameter(
        "Alyx's free filter: `field,value,…`."
    )
    end_time: Annotated[Text, _time("end_time")] = parameter("End time, as it was sent.")
    id: Annotated[UuidText, Where(lambda row_id: ActionRow.id == row_id)] = parameter("Id.")
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
    location: Annotated[CommaList, _all_of("location", "name")] = parameter("Name or id of the location.")
    model: Annotated[Text, _field("model__name")] = parameter(
        "Name of the probe's model, such as `Neuropixel 3B2`."
    )
    name: Annotated[Text, Where(_text(ActionRow.name))] = parameter("Name.")
    narrative: Annotated[Text, Where(_text(ActionRow.narrative))] = parameter("Narrative.")
    probe: Annotated[UuidText, _field("probe_insertion__id")] = parameter("Id of an insertion of the probe.")
    procedures: Annotated[CommaList, _all_of("procedures", "name")] = parameter(
        "Names or ids of procedures, all of which must match."
    )
    serial: Annotated[Text, Where(_text(ActionRow.serial))] = parameter("Serial number.")
    session: Annotated[UuidText, _field("probe_insertion__session")] = parameter(
        "Id of a session with an insertion of the probe."
    )
    start_time: Annotated[Text, _time("start_time")] = parameter("Start time, as in the response.")
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    users: Annotated[CommaList, _all_of("users", "username")] = parameter(
        "Usernames or ids, all of which must match."
    )
