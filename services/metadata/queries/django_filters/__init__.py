"""The field maps of Alyx's free filters (`django=`, `json=`, `extended_qc=`) by list."""

from __future__ import annotations

from typing import Final

from libs.common.filters import FieldMap
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
