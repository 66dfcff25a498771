"""No two datasets have a record at one path of one repository, though the number of a session is part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from libs.common.db import Transaction
from libs.common.problem import Conflict
from libs.common.visibility import Visibility
from services.metadata.domain.actions import taken_paths_text
from services.metadata.models import ActionRow
from services.metadata.queries.taken_paths import fetch_taken_paths

OF_PATH: Final = frozenset({"subject_id", "lab_id", "day", "number"})


def path_of(row: ActionRow | None) -> dict[str, object]:
    """What the folder of a session is named by."""
    return {} if row is None else {name: getattr(row, name) for name in OF_PATH}


async def check_paths_free(tx: Transaction, visibility: Visibility, session_ids: Sequence[UUID]) -> None:
    """Raises Conflict where files of sessions come to paths that files of others have."""
    count, names = await fetch_taken_paths(tx.session, visibility, session_ids)
    if count:
        raise Conflict(taken_paths_text(count, names))
