"""Filters of the list of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters import condition_on, to_sql
from libs.common.filters.list_filters import (
    Combined,
    FreeFilter,
    ListFilters,
    Refused,
    Where,
    WhereVisible,
    contains,
    is_at,
    is_on_clock,
    parameter,
)
from libs.common.filters.parameters import (
    Choices,
    CommaList,
    DayRange,
    Moment,
    Number,
    Qc,
    Text,
    Truth,
    UuidText,
    WholeNumber,
)
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from libs.common.visibility import Visibility
from libs.common.visible import is_session_visible
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    LocationRow,
    VocabularyRow,
)
from services.metadata.queries.django_filters.sessions import SESSION_MAP
from services.metadata.queries.list_filters.actions import has_procedure, has_users
from services.metadata.queries.list_filters.datasets import (
    has_dataset_types,
    has_datasets,
    has_tag,
    is_of_session,
)
from services.metadata.queries.list_filters.regions import ATLAS, is_session_in
from services.metadata.queries.list_filters.subject_names import LAB, SUBJECT, is_in_lab, is_of_subject
from services.metadata.queries.list_filters.texts import TERMS, SearchTerms, has_session_terms

HISTOLOGY = "Histology"


def is_in_projects(visibility: Visibility, names: Sequence[str]) -> Condition:
    """The session is in projects whose names contain the texts, as far as the caller can see them."""
    conditions = [condition_on("projects__name__icontains", name, SESSION_MAP) for name in names]
    return to_sql(conditions, visibility)


def has_protocol(text: str) -> Condition:
    """The session's protocol contains the text, ignoring case.

    Protocols are few, and a part of one is in many sessions. By `ILIKE` PostgreSQL expects one of 200, and then looks
    up the datasets of each session by itself; of a comparison such as this one it expects a third.
    """
    position = sa.func.strpos(sa.func.lower(ActionRow.task_protocol), sa.func.lower(text))
    is_in: Condition = position > sa.literal_column("0")
    return is_in


def _has_parent(visibility: Visibility, session_id: UUID) -> Condition:
    return to_sql([condition_on("parent_session", session_id, SESSION_MAP)], visibility)


def _has_histology(visibility: Visibility, value: bool) -> Condition:
    """Whether any session of the subject, as far as the caller can see them, has the procedure `Histology`."""
    other = sa.orm.aliased(ActionRow)
    histology = sa.exists().where(
        other.subject_id == ActionRow.subject_id,
        is_session_visible(visibility, other.id),
        ActionProcedureRow.action_id == other.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
        VocabularyRow.name == HISTOLOGY,
    )
    return histology if value else sa.not_(histology)


def _performance() -> Any:
    return 100.0 * ActionRow.n_correct_trials / sa.func.nullif(ActionRow.n_trials, 0)


class SessionFilters(ListFilters):
    """Filters of the list of sessions. Clients accept any start of these names that only one of them has."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_session_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_session_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_session_in)] = parameter(ATLAS_NAME)
    auto_datetime: Annotated[Moment, Where(lambda when: is_at(ActionRow.auto_datetime, when))] = parameter(
        "Time of the last change, as in the response."
    )
    dataset_qc_lte: Annotated[Qc, Combined()] = parameter("Worst QC of the datasets, by number or name.")
    dataset_types: Annotated[CommaList, WhereVisible(has_dataset_types(is_of_session))] = parameter(
        "Dataset types; matches if there is a dataset of each."
    )
    datasets: Annotated[CommaList, Combined()] = parameter(
        "Names of datasets, all of which must be on a server."
    )
    date_range: Annotated[DayRange, Where(lambda days: days.contain(ActionRow.day))] = parameter(
        "First and last day, such as `2024-03-01,2024-03-07`."
    )
    django: Annotated[Text, FreeFilter(SESSION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    end_time: Annotated[Moment, Where(lambda when: is_on_clock(ActionRow.end_time, when))] = parameter(
        "End time, as in the response."
    )
    extended_qc: Annotated[Text, FreeFilter(SESSION_MAP)] = parameter(
        "Free filter on the extended QC: `path,value,…`."
    )
    histology: Annotated[Truth, WhereVisible(_has_histology)] = parameter(
        "Whether any session of the subject has the procedure `Histology`."
    )
    id: Annotated[UuidText, Where(lambda session_id: ActionRow.id == session_id)] = parameter("Id.")
    json_: Annotated[Text, FreeFilter(SESSION_MAP)] = parameter(
        "Free filter on the JSON field: `path,value,…`.", alias="json"
    )
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
    location: Annotated[Text, Where(lambda text: contains(LocationRow.name, text))] = parameter(
        "Part of the name of the location."
    )
    n_correct_trials: Annotated[WholeNumber, Where(lambda count: ActionRow.n_correct_trials == count)] = (
        parameter("Number of correct trials.")
    )
    n_trials: Annotated[WholeNumber, Where(lambda count: ActionRow.n_trials == count)] = parameter(
        "Number of trials."
    )
    narrative: Annotated[Text, Where(lambda text: contains(ActionRow.narrative, text))] = parameter(
        "Part of the narrative."
    )
    nickname: Annotated[Choices, Where(is_of_subject)] = parameter("The same as `subject`.")
    name: Annotated[Text, Refused()] = parameter("Refused: sessions have no names.")
    number: Annotated[WholeNumber, Where(lambda number: ActionRow.number == number)] = parameter(
        "Number of the session within its day."
    )
    parent_session: Annotated[UuidText, WhereVisible(_has_parent)] = parameter("Id of the parent session.")
    performance_gte: Annotated[Number, Where(lambda percent: _performance() >= percent)] = parameter(
        "Minimum percentage of correct trials."
    )
    performance_lte: Annotated[Number, Where(lambda percent: _performance() <= percent)] = parameter(
        "Maximum percentage of correct trials."
    )
    procedures: Annotated[Text, Where(lambda text: has_procedure(contains(VocabularyRow.name, text)))] = (
        parameter("Part of the name of a procedure.")
    )
    project: Annotated[CommaList, WhereVisible(is_in_projects)] = parameter(
        "Parts of names of projects, all of which must match."
    )
    projects: Annotated[CommaList, WhereVisible(is_in_projects)] = parameter("Alias of `project`.")
    qc: Annotated[Qc, Where(lambda code: ActionRow.qc == code)] = parameter("QC, by number or name.")
    search: Annotated[SearchTerms, Where(has_session_terms)] = parameter(
        f"{TERMS}: narrative, protocol, notes, and names of subject, lab, location and users are searched."
    )
    start_time: Annotated[Moment, Where(lambda when: is_on_clock(ActionRow.start_time, when))] = parameter(
        "Start time, as in the response."
    )
    subject: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    tag: Annotated[Text, WhereVisible(has_tag(is_of_session))] = parameter("Part of a tag of a dataset.")
    task_protocol: Annotated[Text, Where(has_protocol)] = parameter("Part of the task protocol.")
    type: Annotated[Text, Where(lambda text: sa.func.lower(ActionRow.type) == text.lower())] = parameter(
        "Type, ignoring case."
    )
    users: Annotated[CommaList, Where(has_users)] = parameter("Usernames, all of which must match.")

    def combined(self, visibility: Visibility) -> list[Condition]:
        """Datasets by name and QC."""
        return has_datasets(visibility, is_of_session, self.datasets, self.dataset_qc_lte)
