"""Subjects of one nickname, which are metadata's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from libs.common.db import AnySession
from libs.common.db.conditions import any_text_of
from libs.common.db.json_pages import per_caller
from libs.common.db.prepared import fetch_rows
from libs.common.published import SUBJECTS, table
from libs.common.schemas.namesakes import Namesake
from libs.common.visibility import Visibility
from libs.common.visible import is_subject_visible

_subject = table(SUBJECTS)


@per_caller
def _select_named(visibility: Visibility) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(_subject.c.id, _subject.c.nickname, _subject.c.lab)
        .where(is_subject_visible(visibility, _subject.c.id))
        .order_by(_subject.c.lab, _subject.c.id)
    )


async def list_namesakes(
    session: AnySession, visibility: Visibility, nicknames: Sequence[str]
) -> list[Namesake]:
    """The subjects of these nicknames that the caller can see, by lab."""
    if not nicknames:
        return []
    is_named = _subject.c.nickname == any_text_of(nicknames)
    rows = await fetch_rows(session, _select_named(visibility), [is_named])
    return [Namesake(row["id"], row["nickname"], row["lab"]) for row in rows]
