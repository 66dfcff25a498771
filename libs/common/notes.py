"""Notes on records that a deletion hides."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from libs.common.published import NOTES, alias


def count_notes_on(ids: sa.SelectBase) -> sa.Select[Any]:
    """How many notes are on records, or on notes on them.

    ids   a statement whose only column are the ids of records
    """
    record, on_record, note = ids.cte("noted"), alias(NOTES, "on record"), alias(NOTES, "on record or note")
    record_ids = sa.select(record.c[0])
    note_ids = sa.select(on_record.c.id).where(on_record.c.object_id.in_(record_ids))
    return sa.select(sa.func.count()).where(note.c.object_id.in_(sa.union_all(record_ids, note_ids)))
