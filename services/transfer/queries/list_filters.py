"""Filters of transfer's lists."""

from __future__ import annotations

from typing import Annotated

from libs.common.filters.list_filters import ListFilters, Where, parameter
from libs.common.filters.parameters import Parsed, UuidText, parse_names
from libs.common.schemas.states import UploadState
from services.transfer.models import UploadRow


def parse_states(text: str) -> tuple[str, ...]:
    """A comma list of states. Raises ValueError.

    >>> parse_states("announced,arriving")
    ('announced', 'arriving')
    """
    states = parse_names(text)
    for state in states:
        if state not in set(UploadState):
            raise ValueError(f"'{state}' is not one of {', '.join(UploadState)}.")
    return states


class UploadFilters(ListFilters):
    """Filters of the list of uploads."""

    state: Annotated[tuple[str, ...], Parsed(parse_states), Where(UploadRow.state.in_)] = parameter(
        "One or more states, separated by commas."
    )
    copy_id: Annotated[UuidText, Where(lambda value: UploadRow.copy_id == value)] = parameter(
        "Id of the copy whose bytes are uploaded."
    )
