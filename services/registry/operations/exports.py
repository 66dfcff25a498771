"""Exports: zips of exact versions, stored as rows until they are downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from pydantic import ValidationError

from cingulum.export.contents import Contents
from cingulum.export.documents import write_documents
from cingulum.export.layout import Layout
from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.conditions import Condition
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, NotFound, UnknownReference
from libs.common.schemas.files.exports import ExportIn
from libs.common.visibility import Visibility
from services.registry.domain.exports import (
    MOST_EXPORTS,
    ExportLimits,
    Selected,
    StoredExport,
    TooManyExports,
    check_limits,
    contents_of,
    digest_of,
    layout_of,
    narrowing_of,
    refusal,
    split_selected,
)
from services.registry.queries import exports as queries
from services.registry.queries.cache_tables import fetch_cached_sessions
from services.registry.queries.exports import FileToSend
from services.registry.queries.list_filters.datasets import DatasetFilters


@dataclass(frozen=True)
class ZipToSend:
    """A zip whose files the caller may have now: `files` follow the documents in the layout."""

    row: StoredExport
    layout: Layout
    documents: dict[str, bytes]
    files: Sequence[FileToSend]

    @property
    def versions(self) -> list[tuple[UUID, int]]:
        """Dataset and generation of each file."""
        return [(file.dataset_id, file.generation) for file in self.files]


async def create_export(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    body: ExportIn,
    *,
    limits: ExportLimits,
    store: str,
    source: str,
) -> StoredExport:
    """Select datasets, and store the zip that has their current versions.

    Raises BadRequest for a search that is invalid or names a hidden session, NothingToExport, ExportTooLarge,
    TooManyExports, and Forbidden for public readers, who export releases only.
    """
    if by.is_public:
        raise Forbidden("Public readers export releases only.")
    await queries.delete_expired(tx.session)
    if await queries.count_exports(tx.session, by.user_id) >= MOST_EXPORTS:
        raise TooManyExports
    conditions = parse_search(body.search, visibility)
    if not body.sessions and not conditions:
        raise BadRequest(fields={"sessions": ["Name sessions, or a search."]})
    if body.sessions:
        hidden = await queries.find_hidden_session(tx.session, visibility, body.sessions)
        if hidden is not None:
            raise UnknownReference("sessions", hidden, key="id")
    selected = await queries.select_datasets(
        tx.session, visibility, body.sessions or None, conditions, store, limits.files + 1
    )
    check_limits(selected, limits)
    inside, left_out = split_selected(selected)
    created = (await fetch_now(tx.session)).replace(microsecond=0)
    name = body.name or f"export-{created:%Y-%m-%d}"
    session_ids = {dataset.session_id for dataset in inside if dataset.session_id is not None}
    sessions = await fetch_cached_sessions(tx.session, visibility, None, session_ids)
    contents = contents_of(name, created, source, sessions, inside, left_out)
    documents = await asyncio.to_thread(write_documents, contents)
    row = _row(by, visibility, contents, documents, inside, limits)
    await queries.insert_export(tx.session, row, documents, inside, left_out)
    tx.audit("export.created", "export", row.id, after={"name": name, "files": row.n_files})
    return row


def parse_search(search: dict[str, str] | None, visibility: Visibility) -> Sequence[Condition]:
    """The conditions of a search of datasets. Raises BadRequest that names what is wrong."""
    if not search:
        return []
    if unknown := sorted(search.keys() - DatasetFilters.model_fields.keys()):
        known = ", ".join(DatasetFilters.model_fields)
        raise BadRequest(fields={"search": [f"There is no parameter '{unknown[0]}'; there are: {known}."]})
    try:
        filters = DatasetFilters.model_validate(search)
    except ValidationError as error:
        (first, *_) = error.errors()
        raise BadRequest(fields={"search": [f"{'.'.join(map(str, first['loc']))}: {first['msg']}"]}) from None
    return filters.conditions(visibility)


def _row(
    by: Principal,
    visibility: Visibility,
    contents: Contents,
    documents: dict[str, bytes],
    inside: Sequence[Selected],
    limits: ExportLimits,
) -> StoredExport:
    created = contents.created
    layout = layout_of(
        ((name, len(data)) for name, data in documents.items()),
        ((file.path, file.size_bytes) for file in inside),
        created,
    )
    return StoredExport(
        id=uuid4(),
        created_at=created,
        user_id=by.user_id,
        narrowing=narrowing_of(visibility),
        name=contents.name,
        n_files=len(inside),
        n_sessions=len(contents.sessions),
        size_bytes=layout.size_bytes,
        digest=digest_of(documents, inside, created),
        expires_at=created + limits.lifetime,
    )


async def read_export(session: ReadSession, visibility: Visibility, export_id: UUID) -> StoredExport:
    """One of the caller's own exports. Raises NotFound, also once it has expired."""
    row = await queries.find_export(session, visibility, narrowing_of(visibility), export_id)
    if row is None:
        raise NotFound(f"You have no export {export_id}; exports expire.")
    return row


async def delete_export(tx: Transaction, visibility: Visibility, export_id: UUID) -> None:
    """Delete one of the caller's own exports, for good. Raises NotFound."""
    row = await read_export(tx.session, visibility, export_id)
    await queries.delete_export(tx.session, row.id)
    tx.audit("export.deleted", "export", row.id, before={"name": row.name})


async def prepare_zip(
    session: ReadSession, visibility: Visibility, export_id: UUID, file_name: str, store: str
) -> ZipToSend:
    """A zip, after the caller's rights to every file of it are checked again. Raises NotFound, ExportIncomplete."""
    row = await read_export(session, visibility, export_id)
    if file_name != f"{row.name}.zip":
        raise NotFound(f"The zip of this export is called {row.name}.zip.")
    return await load_zip(session, visibility, row, store)


async def load_zip(session: ReadSession, visibility: Visibility, row: StoredExport, store: str) -> ZipToSend:
    """What a stored zip consists of. Raises ExportIncomplete if a file of it cannot be sent to the caller."""
    files = await queries.fetch_files_to_send(session, visibility, row.id, store)
    hidden = sum(not file.is_visible for file in files)
    inside = [file for file in files if not file.is_left_out]
    lost = [file.path for file in inside if file.is_visible and not file.is_stored]
    if hidden or lost:
        raise refusal(hidden, lost)
    documents = await queries.fetch_documents(session, row.id)
    sizes = ((name, len(data)) for name, data in documents.items())
    layout = layout_of(sizes, ((file.path, file.size_bytes) for file in inside), row.created_at)
    return ZipToSend(row, layout, documents, inside)
