"""The deletions of registry that can be undone: who may delete a row may restore it."""

from __future__ import annotations

from typing import Final

from libs.common.auth import check_administrator
from libs.common.db import Transaction
from libs.common.db.restoring import Restored
from libs.common.events import FilesRegistered
from libs.common.undo import Undoable, Undoables
from services.registry.models import DataNoticeRow, DatasetRow
from services.registry.models.dependants import DEPENDANTS
from services.registry.operations.data_notices import lock_notice_to_edit
from services.registry.operations.datasets import lock_dataset
from services.registry.queries import deletions as queries
from services.registry.queries.vocabularies import NOUNS


async def _follow_datasets(tx: Transaction, restored: Restored) -> None:
    dataset_ids = restored.ids["datasets"]
    await queries.update_restored_defaults(tx.session, dataset_ids)
    sessions = await queries.fetch_sessions_of_datasets(tx.session, dataset_ids)
    for dataset_id, session_id in sessions.items():
        tx.publish(FilesRegistered(session_id=session_id, user_id=None, dataset_ids=[dataset_id]))


UNDOABLES: Final = Undoables(
    DEPENDANTS,
    {
        "data-notice": Undoable(DataNoticeRow, lock_notice_to_edit),
        "dataset": Undoable(DatasetRow, lock_dataset, _follow_datasets, changes=False),
        **{
            noun.replace(" ", "-"): Undoable(model, check_administrator, by_row=False)
            for model, noun in NOUNS.items()
        },
    },
)
