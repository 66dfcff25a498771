"""Filters of lists by the name of a subject and of its lab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.db.naming import ids_among
from libs.common.filters.list_filters import ListFilters, Where, is_any_of, parameter
from libs.common.filters.parameters import Choices
from services.metadata.models import LabRow, SubjectRow

SUBJECT: Final = "Nickname, ignoring case, or id of the subject, or several with commas between."
LAB: Final = "Name of the lab, or several with commas between, ignoring case."


def is_of_subject(nicknames: Sequence[str]) -> Condition:
    """The row is of one of these subjects, by nickname, ignoring case, or id."""
    is_named = is_any_of(SubjectRow.nickname, nicknames)
    ids = ids_among(nicknames)
    return sa.or_(SubjectRow.id.in_(ids), is_named) if ids else is_named


def is_in_lab(names: Sequence[str]) -> Condition:
    """The row is of one of these labs, ignoring case."""
    return is_any_of(LabRow.name, names)


class SubjectNameFilters(ListFilters):
    """Filters of a list of what is recorded about subjects."""

    nickname: Annotated[Choices, Where(is_of_subject)] = parameter(SUBJECT)
    subject: Annotated[Choices, Where(is_of_subject)] = parameter("The same as `nickname`.")
    lab: Annotated[Choices, Where(is_in_lab)] = parameter(LAB)
