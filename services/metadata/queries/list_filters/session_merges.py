"""Filters of the list of merges of sessions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import ListFilters, Where, WhereTrue, parameter
from libs.common.filters.parameters import Truth, UuidText
from services.metadata.models import SessionMergeRow


def _is_of_session(session_id: UUID) -> Condition:
    merged: Condition = SessionMergeRow.session_ids.contains([session_id])
    return sa.or_(SessionMergeRow.into_id == session_id, merged)


class SessionMergeFilters(ListFilters):
    """Filters of the list of merges of sessions."""

    session: Annotated[UuidText, Where(_is_of_session)] = parameter(
        "Id of a session that stayed or was merged."
    )
    undone: Annotated[Truth, WhereTrue(SessionMergeRow.undone_at.is_not(None))] = parameter(
        "Merges that were undone."
    )
