"""Alyx's free filters (`django=`, `json=`, `extended_qc=`) on the lists of metadata."""

from __future__ import annotations

from typing import Any, Final

from libs.common.filters import FieldMap, parse_filter, parse_json_filter, to_sql
from libs.common.visibility import Visibility
from services.metadata.queries.django_filters.sessions import ACTION_MAP, INSERTION_MAP, SESSION_MAP
from services.metadata.queries.django_filters.subjects import (
    LAB_MAP,
    SUBJECT_MAP,
    USER_MAP,
    WATER_MAP,
    WEIGHING_MAP,
)

MAPS: Final[dict[str, FieldMap]] = {
    "sessions": SESSION_MAP,
    "insertions": INSERTION_MAP,
    "surgeries": ACTION_MAP,
    "water-restriction": ACTION_MAP,
    "subjects": SUBJECT_MAP,
    "weighings": WEIGHING_MAP,
    "water-administrations": WATER_MAP,
    "labs": LAB_MAP,
    "users": USER_MAP,
}


def given(
    visibility: Visibility,
    segment: str,
    django: str | None,
    *,
    json: str | None = None,
    extended_qc: str | None = None,
) -> list[Any]:
    """The conditions that the free filters of a list say. Raises UnknownFilter and BadFilterValue, both 400."""
    fields = MAPS[segment]
    conditions = parse_filter(django, fields) if django else []
    for parameter, text in (("json", json), ("extended_qc", extended_qc)):
        if text:
            conditions += parse_json_filter(text, fields, parameter)
    return [to_sql(conditions, visibility)] if conditions else []
