"""Terms of the vocabularies: species, strains, water types, procedures and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db.pages import fetch_page
from libs.common.db.rows import is_named
from libs.common.db.sessions import ReadSession, WriteSession
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.vocabularies import Term
from services.metadata.models import VocabularyRow
from services.metadata.queries.references import Vocabulary
from services.metadata.queries.single_rows import fetch_one


def _terms(kind: Vocabulary, list_url: str) -> sa.Select[Any]:
    """Terms by name; each has its URL below that of their list, by its id where its name holds a slash."""
    segment = sa.case(
        (VocabularyRow.name.contains("/"), sa.cast(VocabularyRow.id, sa.Text)), else_=VocabularyRow.name
    )
    url = sa.func.concat(sa.literal(f"{list_url}/", sa.Text), segment)
    return (
        sa.select(*VocabularyRow.__table__.columns, url.label("url"))
        .where(VocabularyRow.kind == kind, VocabularyRow.deleted_at.is_(None))
        .order_by(VocabularyRow.name)
    )


async def list_terms(
    session: ReadSession, kind: Vocabulary, paging: PageRequest, list_url: str
) -> tuple[int, list[Term]]:
    """The number of terms of a vocabulary, and one page of them by name."""
    count, rows = await fetch_page(session, _terms(kind, list_url), paging)
    return count, [Term.model_validate(row) for row in rows]


async def fetch_term(session: ReadSession, kind: Vocabulary, name: str, list_url: str) -> Term:
    """A term. Raises NotFound."""
    return await fetch_one(
        session, _terms(kind, list_url), is_named(VocabularyRow.name, name), Term, f"{kind} '{name}'"
    )


async def insert_terms(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add terms; one that already exists is left as it is."""
    await session.execute(insert(VocabularyRow).values(rows).on_conflict_do_nothing())
