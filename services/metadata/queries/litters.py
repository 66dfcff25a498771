"""Litters."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.pages import fetch_page
from libs.common.schemas.litters import Litter
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import LineRow, LitterRow
from services.metadata.queries import visible


def _select_litters(visibility: Visibility) -> sa.Select[Any]:
    columns: list[Any] = [LitterRow.id, LitterRow.name, LitterRow.birth_date, LineRow.name.label("line")]
    return (
        sa.select(*columns)
        .join(LineRow, LineRow.id == LitterRow.line_id, isouter=True)
        .where(LitterRow.deleted_at.is_(None), visible.is_line_visible(visibility, LitterRow.line_id))
        .order_by(LitterRow.name)
    )


async def list_litters(
    session: ReadSession, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Litter]]:
    """A page of litters by name, and the count of all; of a narrowed token those of its labs' lines and of none."""
    count, rows = await fetch_page(session, _select_litters(visibility), paging)
    return count, [Litter.model_validate(row) for row in rows]


async def fetch_litter(session: ReadSession, visibility: Visibility, name: str) -> Litter:
    """The litter of that name, which exists."""
    rows = await session.execute(_select_litters(visibility).where(LitterRow.name == name))
    return Litter.model_validate(rows.mappings().one())
