"""Sub-selects and aliases that several statements use."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from libs.common.visibility import Visibility
from services.metadata.models import ActionRow, ProjectRow, SessionProjectRow, VocabularyRow
from services.metadata.queries import visible

Species = sa.orm.aliased(VocabularyRow, name="species")
Strain = sa.orm.aliased(VocabularyRow, name="strain")
Source = sa.orm.aliased(VocabularyRow, name="source")
WaterType = sa.orm.aliased(VocabularyRow, name="water_type")


def names_of(column: Any, *conditions: sa.ColumnElement[bool]) -> Any:
    """The distinct names that fulfil the conditions, in order, as an array."""
    names = sa.select(column).where(*conditions).distinct().order_by(column)
    return sa.func.array(names.scalar_subquery(), type_=ARRAY(sa.Text))


def ids_of(statement: sa.Select[Any]) -> Any:
    """The ids that a statement selects, as an array."""
    return sa.func.array(statement.scalar_subquery(), type_=ARRAY(UUID(as_uuid=True)))


def project_names(visibility: Visibility) -> Any:
    """The names of the projects of a session that the caller can see."""
    return names_of(
        ProjectRow.name,
        SessionProjectRow.session_id == ActionRow.id,
        SessionProjectRow.project_id == ProjectRow.id,
        visible.is_project_visible(visibility),
    )
