"""Vocabularies of files: formats, dataset types, revisions and tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from pydantic import BaseModel

from libs.common.catalogue import Service
from libs.common.db import Transaction
from libs.common.db.removal import lock_taken, remove
from libs.common.db.rows import create_row, refuse_duplicate, update_row
from libs.common.db.stored_fields import StoredFields, check_not_cleared, check_unchanged
from libs.common.problem import REQUIRED, BadRequest, Conflict
from libs.common.protection import ProtectedData, lock_deletions, lock_protection
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.files.repositories import RepositoryTypeIn
from libs.common.schemas.files.vocabularies import DataFormatIn, DatasetTypeIn, RevisionIn, TagIn
from libs.common.schemas.names import check_new_name, check_new_plain_name
from libs.common.schemas.times import parse_utc
from libs.common.visibility import Visibility
from services.registry import models
from services.registry.domain.authors import Author, author_columns
from services.registry.domain.tags import check_tag_deletable
from services.registry.domain.vocabularies import Term, check_revision_free, terms_to_add
from services.registry.models import (
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
    TagRow,
)
from services.registry.models.dependants import DEPENDANTS
from services.registry.queries import deletions
from services.registry.queries import vocabularies as queries
from services.registry.queries.registration import fetch_user_id
from services.registry.queries.vocabularies import NOUNS, NamedRow, Shown

_FILE = Path(models.__file__).parent / "vocabularies.json"
MOST_NAMED: Final = 20  # of protected files, in a refusal
_FOLDERS: Final = (RevisionRow, RepositoryRow)  # their names are those of folders
_STORED: Final[dict[type[BaseModel], StoredFields]] = {
    DataFormatIn: StoredFields(DataFormatIn, FormatRow, handled=()),
    DatasetTypeIn: StoredFields(DatasetTypeIn, DatasetTypeRow, handled=()),
    RevisionIn: StoredFields(RevisionIn, RevisionRow, handled={"created_datetime"}),
    TagIn: StoredFields(TagIn, TagRow, handled={"hash"}),
    RepositoryTypeIn: StoredFields(RepositoryTypeIn, RepositoryTypeRow, handled=()),
}


async def load_vocabularies(tx: Transaction) -> None:
    """Create the types and formats that this database was not offered yet.

    What users changed or deleted stays so, and a type is left out if a user's own type has its files.
    """
    shipped = json.loads(_FILE.read_text())
    offered = await queries.fetch_offered_ids(tx.session)
    known, _ = await queries.fetch_dataset_types(tx.session)
    values_of: dict[type[NamedRow], Callable[[Term], dict[str, object]]] = {
        DatasetTypeRow: _type_values,
        FormatRow: _format_values,
        RepositoryTypeRow: _kind_values,
    }
    for (model, values), terms in zip(values_of.items(), shipped.values(), strict=True):
        rows = [{"id": UUID(term["id"]), **values(term)} for term in terms_to_add(terms, offered, known)]
        await queries.insert_missing_terms(tx.session, model, rows)
    ids = [UUID(term["id"]) for terms in shipped.values() for term in terms]
    await queries.insert_offered_ids(tx.session, ids)


def _type_values(term: Term) -> dict[str, object]:
    return {
        "name": term["name"],
        "filename_pattern": term["filename_pattern"] or None,
        "description": term.get("description") or describe(term["name"]),
    }


def _format_values(term: Term) -> dict[str, object]:
    return {
        **{key: value for key, value in term.items() if key != "id"},
        "description": _describe_format(term["file_extension"]),
    }


def _kind_values(term: Term) -> dict[str, object]:
    return {"name": term["name"]}


def describe(name: str) -> str:
    """A first description of a dataset type, until users write a better one.

    >>> describe("spikes.times")
    'times of each row of spikes'
    """
    thing, dot, attribute = name.partition(".")
    return f"{attribute} of each row of {thing.strip('_')}" if dot else name


def _describe_format(extension: str) -> str:
    return f"files ending in {extension}" if extension else "any file that is not a data file"


async def save_term(
    tx: Transaction, model: type[NamedRow], fields: Mapping[str, object], name: str | None = None
) -> str:
    """Create a row of a vocabulary, or update the one of that name or id; its id as text."""
    noun = NOUNS[model].replace(" ", "-")
    new_name = fields.get("name")
    if name is None and not new_name:
        raise BadRequest(fields={"name": REQUIRED})
    row = None if name is None else await queries.lock_term(tx.session, model, name)
    if isinstance(new_name, str):
        check_name = check_new_name if model in _FOLDERS else check_new_plain_name
        check_name("name", new_name, None if row is None else row.name)
    if isinstance(new_name, str) and new_name != (row and row.name):
        await _check_revision_free(tx, row, "name")
        await refuse_duplicate(tx.session, model.name, new_name, except_id=row.id if row else None)
    if row is None:
        row = model(id=uuid4(), **fields)
        await create_row(tx, noun, row, {key: value for key, value in fields.items() if key != "json"})
    else:
        await update_row(tx, noun, row, fields)
    return str(row.id)


async def save_body(
    tx: Transaction,
    visibility: Visibility,
    model: type[NamedRow],
    body: BaseModel,
    shape: type[Shown],
    base_url: str,
    name: str | None = None,
) -> Shown:
    """Create a row as a body describes it, or update the one of that name; the row afterwards."""
    fields = _STORED[type(body)].values(body)
    if name is None and isinstance(body, DataFormatIn) and not body.file_extension:
        raise BadRequest(fields={"file_extension": REQUIRED})
    own: NamedRow | None = None
    if name is not None:
        own = await queries.lock_term(tx.session, model, name)
        if isinstance(body, RevisionIn):
            check_not_cleared(body, {"created_datetime": own.name})
    if isinstance(body, DatasetTypeIn):
        await _check_dataset_type(tx, fields, None if own is None else own.name)
    if isinstance(body, TagIn) and body.protected:
        await lock_deletions(tx.session)
    if isinstance(body, RevisionIn) and body.created_datetime:
        fields["created_at"] = parse_utc("created_datetime", body.created_datetime)
    name = await save_term(tx, model, fields, None if own is None else str(own.id))
    shown = await queries.fetch_term(tx.session, model, visibility, name, shape, base_url)
    if isinstance(body, TagIn):
        check_unchanged(
            "hash", body.hash, getattr(shown, "hash", None), "It follows from the tag's datasets."
        )
    return shown


async def _check_dataset_type(tx: Transaction, fields: dict[str, object], name: str | None) -> None:
    """Patterns are stored in lower case and are unique; a new type is of the user who creates it."""
    await queries.lock_dataset_types(tx.session)
    if "filename_pattern" in fields:
        pattern = str(fields["filename_pattern"] or "").strip().lower() or None
        fields["filename_pattern"] = pattern
        own_name = name or str(fields.get("name") or "")
        if pattern and await queries.exists_pattern(tx.session, pattern, except_of=own_name):
            raise Conflict(fields={"filename_pattern": [f"'{pattern}' already belongs to another type."]})
    if "created_by" in fields:
        username = fields["created_by"]
        user_id = await fetch_user_id(tx.session, username) if isinstance(username, str) else None
        fields["created_by_id"] = user_id
    elif name is None and tx.by is not None:
        fields |= author_columns(Author(tx.by.user_id, tx.by.username))


async def _check_revision_free(tx: Transaction, row: NamedRow | None, field: str | None = None) -> None:
    """Raises Conflict for a revision that datasets are in: it is a folder of their paths."""
    if isinstance(row, RevisionRow):
        is_used = await queries.exists_dataset_of_revision(tx.session, row.name)
        check_revision_free(row.name, is_used=is_used, field=field)


async def delete_term(tx: Transaction, model: type[NamedRow], name: str, *, dry_run: bool) -> Deletion:
    """Delete a row of a vocabulary, a tag with its links to datasets. Raises NotFound, Conflict, ProtectedData."""
    row = await queries.lock_term(tx.session, model, name)
    if isinstance(row, TagRow):
        is_used = await deletions.exists_tagged_dataset(tx.session, row.id)
        check_tag_deletable(row.name, is_used=is_used, protects=row.protected, publishes=row.public)
        await lock_protection(tx.session)
        if protected := await deletions.fetch_protected_of_object(tx.session, row.id):
            raise ProtectedData(len(protected), protected[:MOST_NAMED])
    await _check_revision_free(tx, row)
    taken = await lock_taken(tx.session, DEPENDANTS, row)
    hidden = await deletions.count_hidden_by_term(tx.session, row.id)
    if dry_run:
        return Deletion.preview(taken.counts, hidden)
    noun = NOUNS[model].replace(" ", "-")
    return await remove(tx, Service.REGISTRY, noun, row, taken, hidden=hidden, before={"name": row.name})
