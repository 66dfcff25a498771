"""Repositories."""

from __future__ import annotations

from typing import Final

from libs.common.db import Transaction
from libs.common.db.stored_fields import StoredFields
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.repositories import Repository, RepositoryIn
from services.registry.domain.repositories import check_data_url, check_store_change, own_data_url
from services.registry.models import RepositoryRow, RepositoryTypeRow
from services.registry.operations.vocabularies import delete_term, save_term
from services.registry.queries import repositories as queries
from services.registry.queries.vocabularies import fetch_term_id

_STORED: Final = StoredFields(RepositoryIn, RepositoryRow, handled={"repository_type"})


async def save_repository(
    tx: Transaction, body: RepositoryIn, base_url: str, name: str | None = None
) -> Repository:
    """Create a repository, or update the one of that name; the repository afterwards.

    Its store cannot change once it has copies.
    """
    fields = _STORED.values(body)
    check_data_url(body.data_url)
    if body.data_url is not None:
        fields["data_url"] = own_data_url(body.data_url, base_url)
    if "repository_type" in body.model_fields_set:
        type_name = body.repository_type
        fields["repository_type_id"] = (
            None
            if type_name is None
            else await fetch_term_id(tx.session, RepositoryTypeRow, "repository_type", type_name)
        )
    if name is not None and "store" in fields:
        row = await queries.lock_repository(tx.session, name)
        check_store_change(
            row.store, fields["store"], has_copies=await queries.has_copies(tx.session, row.id)
        )
    name = await save_term(tx, RepositoryRow, fields, name)
    return await queries.fetch_repository(tx.session, name, base_url)


async def delete_repository(tx: Transaction, name: str, *, dry_run: bool) -> Deletion:
    """Delete a repository that never had a copy. Raises NotFound, Conflict."""
    return await delete_term(tx, RepositoryRow, name, dry_run=dry_run)
