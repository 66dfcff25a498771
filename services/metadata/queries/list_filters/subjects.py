"""Filters of the list of subjects."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import Combined, FreeFilter, ListFilters, Where, WhereTrue, parameter
from libs.common.filters.parameters import Text, Truth
from libs.common.schemas.states import ActionKind
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineRow,
    ProjectRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
)
from services.metadata.queries import visible
from services.metadata.queries.django_filters.subjects import SUBJECT_MAP


def is_alive() -> Condition:
    """The subject has not died yet."""
    return sa.or_(SubjectRow.death_date.is_(None), SubjectRow.death_date > sa.func.current_date())


def has_open_restriction() -> Condition:
    """The subject has a water restriction without an end."""
    return sa.exists().where(
        ActionRow.kind == ActionKind.WATER_RESTRICTION,
        ActionRow.subject_id == SubjectRow.id,
        ActionRow.end_at.is_(None),
        ActionRow.deleted_at.is_(None),
    )


def _is_water_restricted(is_restricted: bool) -> Condition:
    return sa.and_(is_alive(), has_open_restriction() if is_restricted else ~has_open_restriction())


class SubjectFilters(ListFilters):
    """Filters of the list of subjects."""

    nickname: Annotated[Text, Where(lambda nickname: SubjectRow.nickname == nickname)] = parameter(
        "Nickname."
    )
    lab: Annotated[Text, Where(lambda name: LabRow.name == name)] = parameter("Name of the lab.")
    responsible_user: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter(
        "Username of the responsible user."
    )
    project: Annotated[Text, Combined()] = parameter("Name of a project of the subject.")
    projects: Annotated[Text, Combined()] = parameter("Alias of `project`, which takes precedence.")
    alive: Annotated[Truth, WhereTrue(is_alive())] = parameter("true: alive; false: dead.")
    stock: Annotated[Truth, WhereTrue(UserRow.is_stock_manager.is_(True))] = parameter(
        "true: the responsible user is a stock manager; false: another user."
    )
    water_restricted: Annotated[Truth, Where(_is_water_restricted)] = parameter(
        "true: alive with an open water restriction; false: alive without one."
    )
    sex: Annotated[Text, Where(lambda sex: SubjectRow.sex == sex)] = parameter("M, F or U.")
    line: Annotated[Text, Where(lambda name: LineRow.name == name)] = parameter("Name of the breeding line.")
    django: Annotated[Text, FreeFilter(SUBJECT_MAP)] = parameter("Alyx's free filter: `field,value,…`.")

    def combined(self, visibility: Visibility) -> list[Condition]:
        """The project by either of its names."""
        name = self.project or self.projects
        if not name:
            return []
        in_project = sa.exists().where(
            SubjectProjectRow.subject_id == SubjectRow.id,
            SubjectProjectRow.project_id == ProjectRow.id,
            ProjectRow.name == name,
            visible.is_project_visible(visibility),
        )
        return [in_project]
