"""The deletions of registry that can be undone: who may delete a row may restore it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from libs.common.auth import check_administrator
from libs.common.db import Transaction
from libs.common.db.restoring import Restored
from libs.common.db.rows import lock_by_id, refuse_duplicate
from libs.common.events import FilesRegistered
from libs.common.permissions import Principal
from libs.common.undo import Undoable, Undoables
from libs.common.visibility import Visibility
from services.registry.domain.new_names import check_no_twins
from services.registry.domain.vocabularies import check_revision_free
from services.registry.models import DataNoticeRow, DatasetRow, RevisionRow
from services.registry.models.dependants import DEPENDANTS
from services.registry.operations.data_notices import DATASETS_OF_NOTICE, lock_notice_to_edit
from services.registry.operations.datasets import lock_dataset
from services.registry.operations.default_revisions import restore_default
from services.registry.operations.taken_paths import check_dataset_free
from services.registry.queries import deletions as queries
from services.registry.queries.registration import fetch_paths_beside
from services.registry.queries.registration_locks import lock_registrations_of_dataset
from services.registry.queries.vocabularies import NOUNS, exists_dataset_of_revision


async def _lock_registrations(tx: Transaction, dataset_id: UUID) -> None:
    await lock_registrations_of_dataset(tx.session, dataset_id)


async def _follow_datasets(tx: Transaction, restored: Restored) -> None:
    dataset_ids = restored.ids["datasets"]
    for dataset_id in dataset_ids:
        row = await lock_by_id(tx.session, DatasetRow, dataset_id)
        await restore_default(tx, row, restored.before)
    sessions = await queries.fetch_sessions_of_datasets(tx.session, dataset_ids)
    for dataset_id, session_id in sessions.items():
        tx.publish(FilesRegistered(session_id=session_id, user_id=None, dataset_ids=[dataset_id]))


async def _check_revision_free(tx: Transaction, row_id: UUID, before: Mapping[str, Any]) -> None:
    """Raises Conflict for the name of a revision that datasets are in by now."""
    if "name" in before:
        row = await lock_by_id(tx.session, RevisionRow, row_id)
        check_revision_free(row.name, is_used=await exists_dataset_of_revision(tx.session, row.name))


async def _check_restored(
    tx: Transaction, _by: Principal, visibility: Visibility, restored: Restored
) -> None:
    """Raises Conflict for a name of which another row of the vocabulary or of the session has a spelling by now.

    What is registered beside a dataset is locked already.
    """
    models: Iterable[Any] = NOUNS
    for model in models:
        for row_id in restored.ids.get(model.__tablename__, []):
            term = await lock_by_id(tx.session, model, row_id)
            await refuse_duplicate(tx.session, model.name, term.name, except_id=row_id)
    for dataset_id in restored.ids.get(DatasetRow.__tablename__, []):
        row = await lock_by_id(tx.session, DatasetRow, dataset_id)
        beside = await fetch_paths_beside(tx.session, row)
        key = (row.collection, row.revision, row.name)
        check_no_twins([key], beside, "collection")
        await check_dataset_free(tx.session, visibility, row, key, field="collection")


UNDOABLES: Final = Undoables(
    DEPENDANTS,
    {
        "data-notice": Undoable(DataNoticeRow, lock_notice_to_edit, relations=(DATASETS_OF_NOTICE,)),
        "dataset": Undoable(
            DatasetRow, lock_dataset, _follow_datasets, lock_first=_lock_registrations, changes=False
        ),
        **{
            noun.replace(" ", "-"): Undoable(
                model,
                check_administrator,
                by_row=False,
                names=frozenset({"name"}),
                check_undo=_check_revision_free if model is RevisionRow else None,
            )
            for model, noun in NOUNS.items()
        },
    },
    _check_restored,
)
