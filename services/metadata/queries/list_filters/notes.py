"""Filters of the list of notes."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import FreeFilter, ListFilters, parameter
from libs.common.filters.parameters import Text
from services.metadata.queries.django_filters.notes import NOTE_MAP


class NoteFilters(ListFilters):
    """Filters of the list of notes."""

    django: Annotated[Text, FreeFilter(NOTE_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
