"""Filters that the lists of surgeries and of water restrictions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    FreeFilter,
    Refused,
    Where,
    contains,
    is_named,
    is_on_clock,
    parameter,
)
from libs.common.filters.parameters import CommaList, DayRange, Moment, Text, UuidText
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    LocationRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.queries.django_filters.sessions import ACTION_MAP
from services.metadata.queries.list_filters.subject_names import SubjectNameFilters


def has_users(usernames: Sequence[str]) -> Condition:
    """All of these users took part in the action."""
    return sa.and_(
        *(
            sa.exists().where(
                ActionUserRow.action_id == ActionRow.id,
                ActionUserRow.user_id == UserRow.id,
                is_named(UserRow.username, UserRow.id, username),
            )
            for username in usernames
        )
    )


def has_procedure(condition: Any) -> Condition:
    """There is a procedure in the action that fulfils the condition."""
    return sa.exists().where(
        ActionProcedureRow.action_id == ActionRow.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
        condition,
    )


def has_procedures(names: Sequence[str]) -> Condition:
    """All of these procedures are in the action."""
    procedure = VocabularyRow
    return sa.and_(*(has_procedure(is_named(procedure.name, procedure.id, name)) for name in names))


def _is_at_location(text: str) -> Condition:
    return sa.exists().where(LocationRow.id == ActionRow.location_id, contains(LocationRow.name, text))


class ActionFilters(SubjectNameFilters):
    """Filters of a list of actions."""

    date_range: Annotated[DayRange, Where(lambda days: days.contain(ActionRow.day))] = parameter(
        "First and last day of the start in the lab's time zone, such as `2024-03-01,2024-03-07`."
    )
    django: Annotated[Text, FreeFilter(ACTION_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    end_time: Annotated[Moment, Where(lambda when: is_on_clock(ActionRow.end_time, when))] = parameter(
        "End time, as in the response."
    )
    id: Annotated[UuidText, Where(lambda action_id: ActionRow.id == action_id)] = parameter("Id.")
    json_: Annotated[Text, FreeFilter(ACTION_MAP)] = parameter(
        "Free filter on the JSON field, `path,value,…`, or all of it as an object.", alias="json"
    )
    location: Annotated[Text, Where(_is_at_location)] = parameter("Part of the name of the location.")
    name: Annotated[Text, Refused()] = parameter("Refused: surgeries and water restrictions have no names.")
    narrative: Annotated[Text, Where(lambda text: ActionRow.narrative == text)] = parameter("Narrative.")
    procedures: Annotated[CommaList, Where(has_procedures)] = parameter(
        "Names or ids of procedures, all of which must match."
    )
    start_time: Annotated[Moment, Where(lambda when: is_on_clock(ActionRow.start_time, when))] = parameter(
        "Start time, as in the response."
    )
    users: Annotated[CommaList, Where(has_users)] = parameter("Usernames, all of which must match.")
