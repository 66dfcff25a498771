"""Alyx's free filters: text → conditions over a declared field map → SQL with bound parameters.

SUBJECTS = FieldMap("subjects", subjects, {"id": Field(subjects.c.id, "uuid"), "nickname": Field(…, "text")},
                    visible=lambda visibility, row: is_subject_visible(visibility, row.id))
SESSIONS = FieldMap("sessions", sessions, {
    "id": Field(sessions.c.id, "uuid"),
    "extended_qc": JsonField(sessions.c.extended_qc),
    "subject": Relation(lambda: SUBJECTS, on=sessions.c.subject_id == subjects.c.id, key=sessions.c.subject_id),
}, visible=…)
statement = statement.where(to_sql(parse_filter(django, SESSIONS), visibility))
"""

from libs.common.filters.conditions import FilterCondition, condition_on, parse_filter, parse_json_filter
from libs.common.filters.fields import Field, FieldMap, JsonField, Kind, Relation, Visible, visible_to_all
from libs.common.filters.problems import BadFilterValue, FilterProblem, UnknownFilter
from libs.common.filters.sql import to_sql

__all__ = [
    "BadFilterValue",
    "Field",
    "FieldMap",
    "FilterCondition",
    "FilterProblem",
    "JsonField",
    "Kind",
    "Relation",
    "UnknownFilter",
    "Visible",
    "condition_on",
    "parse_filter",
    "parse_json_filter",
    "to_sql",
    "visible_to_all",
]
