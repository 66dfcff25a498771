"""Dataset types of files: those that exist and, where the setting allows it, those that a registration creates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from cingulum.alf import DatasetTypes
from libs.common.db import Transaction
from libs.common.db.rows import create_row
from services.registry.domain.authors import Author, author_columns
from services.registry.domain.vocabularies import new_type_names
from services.registry.models import DatasetTypeRow
from services.registry.queries.vocabularies import (
    fetch_dataset_types,
    fetch_types_and_formats,
    lock_dataset_types,
)


async def fetch_types_of_files(
    tx: Transaction, filenames: Sequence[str], author: Author | None, *, creates_types: bool
) -> tuple[DatasetTypes, Mapping[str, UUID], Mapping[str, UUID]]:
    """The dataset types, their ids by name, and the ids of formats by extension.

    With `creates_types`, files that fit no type get a new one.

    A new type is flagged for review. Registrations that create types wait for each other, so the second one of two
    with the same new name uses the type of the first.
    """
    (types, ids), formats = await fetch_types_and_formats(tx.session)
    if not creates_types or not new_type_names(filenames, types):
        return types, ids, formats
    await lock_dataset_types(tx.session)
    types, _ = await fetch_dataset_types(tx.session)
    for name in new_type_names(filenames, types):
        description = "Created by a registration: describe it, and set needs_review to false."
        values = {"name": name, "description": description, **author_columns(author), "needs_review": True}
        await create_row(tx, "dataset-type", DatasetTypeRow(id=uuid4(), **values), values)
    types, ids = await fetch_dataset_types(tx.session)
    return types, ids, formats
