"""Exports: zips of exact versions, stored as rows until they are downloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import ValidationError

from cingulum.export.documents import write_documents
from cingulum.export.one_tables import TableSession
from libs.common.db import Database, ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.conditions import Condition
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, NotFound, UnknownReference
from libs.common.schemas.files.exports import ExportIn
from libs.common.visibility import Visibility
from services.registry.domain.exports import (
    ExportLimits,
    Selected,
    StoredExport,
    check_limits,
    check_room,
    contents_of,
    digest_of,
    layout_of,
    narrowing_of,
    refusal,
    split_selected,
)
from services.registry.operations.zip_contents import ZipCache, ZipContents
from services.registry.queries import exports as queries
from services.registry.queries.cache_tables import fetch_cached_sessions
from services.registry.queries.list_filters.datasets import DatasetFilters


@dataclass(frozen=True)
class ZipToSend:
    """A zip whose files the caller may have now; `check` raises a Problem once that is no longer so."""

    row: StoredExport
    contents: ZipContents
    check: Callable[[], Awaitable[None]]


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
    check_room(*await queries.count_exports(tx.session, by.user_id), limits)
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
    inside, left_out = await asyncio.to_thread(split_selected, selected)
    created = (await fetch_now(tx.session)).replace(microsecond=0)
    name = body.name or f"export-{created:%Y-%m-%d}"
    session_ids = {dataset.session_id for dataset in inside if dataset.session_id is not None}
    sessions = await fetch_cached_sessions(tx.session, visibility, None, session_ids)
    new = _NewExport(by.user_id, narrowing_of(visibility), name, created, source, limits)
    row, documents = await asyncio.to_thread(_write, new, sessions, inside, left_out)
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


@dataclass(frozen=True)
class _NewExport:
    user_id: UUID
    narrowing: str
    name: str
    created: datetime
    source: str
    limits: ExportLimits


def _write(
    new: _NewExport,
    sessions: Sequence[TableSession],
    inside: Sequence[Selected],
    left_out: Sequence[tuple[Selected, str]],
) -> tuple[StoredExport, dict[str, bytes]]:
    """Row and documents, in a thread: seconds for 50,000 files."""
    contents = contents_of(new.name, new.created, new.source, sessions, inside, left_out)
    documents = write_documents(contents)
    layout = layout_of(
        ((name, len(data)) for name, data in documents.items()),
        ((file.path, file.size_bytes) for file in inside),
        new.created,
    )
    row = StoredExport(
        id=uuid4(),
        created_at=new.created,
        user_id=new.user_id,
        narrowing=new.narrowing,
        name=new.name,
        n_files=len(inside),
        n_sessions=len(sessions),
        size_bytes=layout.size_bytes,
        digest=digest_of(documents, inside, new.created),
        expires_at=new.created + new.limits.lifetime,
    )
    return row, documents


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


class ExportZips:
    """The zips of users, ready to be sent."""

    def __init__(self, database: Database, cache: ZipCache, store: str) -> None:
        self._database, self._cache, self._store = database, cache, store

    async def prepare(
        self, session: ReadSession, visibility: Visibility, export_id: UUID, file_name: str
    ) -> ZipToSend:
        """A zip, after the caller's rights to every file of it are checked again. Raises NotFound, ExportIncomplete."""
        row = await read_export(session, visibility, export_id)
        if file_name != f"{row.name}.zip":
            raise NotFound(f"The zip of this export is called {row.name}.zip.")
        await check_available(session, visibility, row, self._store)

        async def check() -> None:
            async with self._database.read() as later:
                current = await read_export(later, visibility, export_id)
                await check_available(later, visibility, current, self._store)

        return ZipToSend(row, await self._cache.load(session, row), check)


async def check_available(
    session: ReadSession, visibility: Visibility, row: StoredExport, store: str
) -> None:
    """Raises ExportIncomplete if a file of a zip cannot be sent to the caller."""
    unavailable = await queries.fetch_unavailable(session, visibility, row.id, store)
    if unavailable.n_hidden or unavailable.n_lost:
        raise refusal(unavailable.n_hidden, unavailable.n_lost, unavailable.lost)
