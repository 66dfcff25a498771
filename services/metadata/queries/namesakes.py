"""Subjects of one nickname."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.common.db import AnySession
from libs.common.db.conditions import any_text_of
from libs.common.db.json_pages import per_caller
from libs.common.db.prepared import fetch_rows
from libs.common.schemas.namesakes import Namesake
from libs.common.visibility import Visibility
from services.metadata.models import LabRow, SubjectRow
from services.metadata.queries import visible


@per_caller
def _select_named(visibility: Visibility) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(SubjectRow.id, SubjectRow.nickname, LabRow.name.label("lab"))
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(visible.is_subject_visible(visibility))
        .order_by(LabRow.name, SubjectRow.id)
    )


async def list_namesakes(
    session: AnySession, visibility: Visibility, nicknames: Sequence[str]
) -> list[Namesake]:
    """The subjects of these nicknames, ignoring case, that the caller can see, by lab."""
    if not nicknames:
        return []
    is_named = sa.func.lower(SubjectRow.nickname) == any_text_of([name.lower() for name in nicknames])
    rows = await fetch_rows(session, _select_named(visibility), [is_named])
    return [Namesake(row["id"], row["nickname"], row["lab"]) for row in rows]
