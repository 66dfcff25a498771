"""Filters of compressor's lists."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import ListFilters, Where, parameter
from libs.common.filters.parameters import UuidText
from services.compressor.models import RecordingRow


class RecordingFilters(ListFilters):
    """Filters of the list of recordings."""

    session: Annotated[UuidText, Where(lambda value: RecordingRow.session_id == value)] = parameter(
        "Id or URL of the session."
    )
    dataset: Annotated[UuidText, Where(lambda value: RecordingRow.dataset_id == value)] = parameter(
        "Id or URL of the compressed file's dataset."
    )
