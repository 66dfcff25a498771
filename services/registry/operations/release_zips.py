"""Zips of releases: the files of the manifest with it and its signature, for all who may read the release."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID, uuid4

from cingulum.export.documents import write_release_documents
from cingulum.export.one_tables import TableSession
from cingulum.manifests.descriptions import About
from libs.common.db import Database, ReadSession, Transaction
from libs.common.db.transaction import Writer
from libs.common.problem import BadRequest, Conflict, NotFound, UnknownReference
from libs.common.schemas.files.exports import ExportIn
from libs.common.schemas.releases import ReleaseState
from libs.common.visibility import Visibility, system_visibility
from services.registry.domain.exports import (
    ExportLimits,
    Selected,
    StoredExport,
    check_limits,
    contents_of,
    digest_of,
    layout_of,
)
from services.registry.domain.releases import ReleaseWithdrawn
from services.registry.operations.exports import ZipToSend, check_available
from services.registry.operations.zip_contents import ZipCache
from services.registry.queries import exports as export_queries
from services.registry.queries import release_zips as queries
from services.registry.queries.release_zips import ZippableRelease

FORMAT = 1  # of the documents; after a change of it they are written again


class ReleaseZips:
    """Stores the zips of releases when they are first downloaded; one at a time, as documents take seconds."""

    def __init__(
        self, database: Database, writer: Writer, cache: ZipCache, limits: ExportLimits, store: str
    ) -> None:
        self._database, self._writer, self._cache = database, writer, cache
        self._limits, self._store = limits, store
        self._writing = asyncio.Lock()

    async def prepare(self, visibility: Visibility, name: str) -> ZipToSend:
        """The zip of a release that the caller sees. Raises NotFound, Conflict, ReleaseWithdrawn, ExportIncomplete."""
        async with self._database.read() as session:
            is_stored = await _find_current(session, await _read(session, visibility, name)) is not None
        if not is_stored:
            async with self._writing, self._writer.begin() as tx:
                await store_zip(tx, visibility, name, self._limits, self._store)
        async with self._database.read() as session:
            row = await _find_current(session, await _read(session, visibility, name))
            if row is None:
                raise Conflict("The release changes at this moment: try again.")
            # The release is visible, and so are its files.
            await check_available(session, system_visibility(), row, self._store)
            contents = await self._cache.load(session, row)

        async def check() -> None:
            async with self._database.read() as session:
                if await _find_current(session, await _read(session, visibility, name)) is None:
                    raise Conflict("The release has changed: its zip has other bytes now.")
                await check_available(session, system_visibility(), row, self._store)

        return ZipToSend(row, contents, check)


async def store_zip(
    tx: Transaction, visibility: Visibility, name: str, limits: ExportLimits, store: str
) -> StoredExport:
    """Write the documents of a release, unless they are stored already. Raises ExportTooLarge and as `prepare`."""
    await queries.lock_release(tx.session, name)
    release = await _read(tx.session, visibility, name)
    current = await _find_current(tx.session, release)
    if current is not None:
        return current
    files = await queries.select_files(tx.session, release.id, store, limits.files + 1)
    check_limits(files, limits)
    folders = {file.session_id: file.folder for file in files if file.session_id is not None}
    sessions = await queries.fetch_sessions(tx.session, folders)
    older = await queries.find_zip(tx.session, release.id)
    export_id = uuid4() if older is None else older.id
    manifest = await queries.fetch_manifest(tx.session, release.id)
    row, documents = await asyncio.to_thread(_write, release, manifest, sessions, files, export_id)
    if older is not None:
        await export_queries.delete_export(tx.session, older.id)
    await export_queries.insert_export(tx.session, row, documents, files, [])
    return row


def _write(
    release: ZippableRelease,
    manifest: str,
    sessions: Sequence[TableSession],
    files: Sequence[Selected],
    export_id: UUID,
) -> tuple[StoredExport, dict[str, bytes]]:
    """Row and documents, in a thread: seconds for 50,000 files."""
    contents = contents_of(release.name, release.checked_at, f"release {release.name}", sessions, files, [])
    signature = None if release.signature is None else release.signature.encode()
    documents = write_release_documents(contents, _about(release), manifest.encode(), signature)
    layout = layout_of(
        ((name, len(data)) for name, data in documents.items()),
        ((file.path, file.size_bytes) for file in files),
        contents.created,
    )
    row = StoredExport(
        id=export_id,
        created_at=contents.created,
        user_id=None,
        narrowing="",
        name=release.name,
        n_files=len(files),
        n_sessions=len(contents.sessions),
        size_bytes=layout.size_bytes,
        digest=digest_of(documents, files, contents.created),
        expires_at=None,
        release_id=release.id,
        basis=_basis_of(release),
    )
    return row, documents


async def export_release(
    tx: Transaction, visibility: Visibility, body: ExportIn, limits: ExportLimits, store: str
) -> StoredExport:
    """The zip of a release that a body names. Raises BadRequest, also for a hidden one; else as `store_zip`."""
    name = str(body.release)
    if body.model_fields_set != {"release"}:
        raise BadRequest(fields={"release": ["Name a release, or sessions and a search."]})
    try:
        return await store_zip(tx, visibility, name, limits, store)
    except NotFound:
        raise UnknownReference("release", name) from None


async def _read(session: ReadSession, visibility: Visibility, name: str) -> ZippableRelease:
    """Raises NotFound, Conflict for a draft, ReleaseWithdrawn."""
    release = await queries.fetch_release(session, visibility, name)
    if release.state is ReleaseState.WITHDRAWN:
        raise ReleaseWithdrawn
    if release.state is ReleaseState.DRAFT:
        raise Conflict("A draft has no zip: POST /releases/NAME/check fixes its versions.")
    return release


async def _find_current(session: ReadSession, release: ZippableRelease) -> StoredExport | None:
    """The stored zip, if its documents say what the release says now."""
    row = await queries.find_zip(session, release.id)
    return row if row is not None and row.basis == _basis_of(release) else None


def _basis_of(release: ZippableRelease) -> str:
    """A hash of all that the documents say; `root` and `checked_at` decide the manifest."""
    values = {name: value for name, value in asdict(release).items() if name != "state"}
    return hashlib.sha256(json.dumps([FORMAT, values], sort_keys=True, default=str).encode()).hexdigest()


def _about(release: ZippableRelease) -> About:
    """The address is the root of the manifest: the server's may be another one in ten years."""
    return About(
        title=release.title,
        description=release.description,
        authors=release.authors,
        license=release.license,
        doi=release.doi,
        published=release.public_from or release.checked_at,
        address=f"urn:merkle:sha256:{release.root}",
    )
