"""Dataset types of files: those that exist and, where the setting allows it, those that a registration creates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from cingulum.alf import DatasetTypes
from libs.common.db import Transaction
from libs.common.db.rows import create_row
from services.registry.domain.vocabularies import new_type_names
from services.registry.models import DatasetTypeRow
from services.registry.queries.vocabularies import fetch_dataset_types, lock_dataset_types


async def fetch_types_of_files(
    tx: Transaction, filenames: Sequence[str], created_by: str | None, *, creates_types: bool
) -> tuple[DatasetTypes, Mapping[str, UUID]]:
    """The dataset types and their ids by name; with `creates_types`, files that fit none get a new one.

    A new type is flagged for review. Registrations that create types wait for each other, so the second one of two
    with the same new name uses the type of the first.
    """
    types, ids = await fetch_dataset_types(tx.session)
    if not creates_types or not new_type_names(filenames, types):
        return types, ids
    await lock_dataset_types(tx.session)
    types, _ = await fetch_dataset_types(tx.session)
    for name in new_type_names(filenames, types):
        description = "Created by a registration: describe it, and set needs_review to false."
        values = {"name": name, "description": description, "created_by": created_by, "needs_review": True}
        await create_row(tx, "dataset-type", DatasetTypeRow(id=uuid4(), **values), values)
    return await fetch_dataset_types(tx.session)
