"""Breeding lines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession
from libs.common.db.pages import fetch_page
from libs.common.schemas.lines import Line
from libs.common.schemas.pages import PageRequest
from libs.common.visibility import Visibility
from services.metadata.models import LabRow, LineAlleleRow, LineRow, VocabularyRow
from services.metadata.queries import visible
from services.metadata.queries.subselects import Strain, names_of


def _select_lines(visibility: Visibility) -> sa.Select[Any]:
    return (
        sa.select(
            LineRow.id,
            LineRow.name,
            LineRow.nickname,
            Strain.name.label("strain"),
            LabRow.name.label("lab"),
            names_of(
                VocabularyRow.nickname,
                LineAlleleRow.line_id == LineRow.id,
                LineAlleleRow.allele_id == VocabularyRow.id,
            ).label("alleles"),
        )
        .join(Strain, Strain.id == LineRow.strain_id, isouter=True)
        .join(LabRow, LabRow.id == LineRow.lab_id, isouter=True)
        .where(LineRow.deleted_at.is_(None), visible.is_lab_visible(visibility, LineRow.lab_id))
        .order_by(LineRow.name)
    )


async def list_lines(
    session: ReadSession, visibility: Visibility, paging: PageRequest
) -> tuple[int, list[Line]]:
    """A page of lines by name, and the count of all; of a narrowed token those of its labs and of none."""
    count, rows = await fetch_page(session, _select_lines(visibility), paging)
    return count, [Line.model_validate(row) for row in rows]


async def fetch_line(session: ReadSession, visibility: Visibility, name: str) -> Line:
    """The line of that name, which exists."""
    rows = await session.execute(_select_lines(visibility).where(LineRow.name == name))
    return Line.model_validate(rows.mappings().one())


async def find_lab_of_line(session: ReadSession, line_id: UUID | None) -> UUID | None:
    """The lab of a line; None for a line of no lab, and for no line."""
    lab_id: UUID | None = await session.scalar(sa.select(LineRow.lab_id).where(LineRow.id == line_id))
    return lab_id
