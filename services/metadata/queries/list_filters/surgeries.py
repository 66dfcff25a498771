"""Filters of the list of surgeries."""

from __future__ import annotations

from typing import Annotated, Final

import sqlalchemy as sa

from libs.common.filters.list_filters import Where, parameter
from libs.common.filters.parameters import Number, Parsed, Text
from services.metadata.models import ActionRow, VocabularyRow
from services.metadata.queries.list_filters.actions import ActionFilters, has_procedure

OUTCOMES: Final = ("a", "r", "n")


def parse_outcome(text: str) -> str:
    """The letter of an outcome. Raises ValueError.

    >>> parse_outcome("r")
    'r'
    """
    if text not in OUTCOMES:
        raise ValueError(f"'{text}' is none of {', '.join(OUTCOMES)}.")
    return text


Outcome = Annotated[str, Parsed(parse_outcome)]


class SurgeryFilters(ActionFilters):
    """Filters of the list of surgeries: those of all actions, and its own."""

    implant_weight: Annotated[Number, Where(lambda weight: ActionRow.implant_weight == weight)] = parameter(
        "Weight of the implant, g."
    )
    outcome_type: Annotated[Outcome, Where(lambda letter: ActionRow.outcome_type == letter)] = parameter(
        "a: acute, r: recovery, n: non-recovery."
    )
    procedure: Annotated[
        Text, Where(lambda name: has_procedure(sa.func.lower(VocabularyRow.name) == sa.func.lower(name)))
    ] = parameter("Name of a procedure, ignoring case.")
