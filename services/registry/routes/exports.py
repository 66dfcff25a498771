"""Exports: datasets in one zip that opens without a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.common.attachments import attachment
from libs.common.auth import Reader, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.sessions import ReadSession
from libs.common.http import REVALIDATED, not_modified, ranged_response, requested_range
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import absolute
from libs.common.schemas.files.exports import Export, ExportIn
from libs.common.visibility import Visibility
from services.registry.domain.exports import (
    ExportTooLarge,
    NothingToExport,
    StoredExport,
    TooManyExports,
    etag_of,
)
from services.registry.domain.release_reads import Read, reads_outside
from services.registry.domain.releases import ReleaseWithdrawn
from services.registry.operations import exports as operations
from services.registry.operations.central_store import CentralStore
from services.registry.operations.exports import ZipToSend
from services.registry.operations.release_reads import ReadLog
from services.registry.operations.release_zips import export_release
from services.registry.operations.zip_contents import ZippedFile
from services.registry.operations.zip_stream import ZipStream
from services.registry.queries import exports as queries
from services.registry.queries.release_zips import find_visible_zip
from services.registry.routes.data_paths import NO_HEADERS

router = APIRouter(route_class=IdempotentRoute, tags=["exports"])
zips = APIRouter(tags=["exports"])


@router.post(
    "/export",
    status_code=201,
    responses=problems(
        BadRequest, Forbidden, NothingToExport, ExportTooLarge, TooManyExports, ReleaseWithdrawn
    ),
)
async def create_export(
    request: Request, response: Response, body: ExportIn, by: Reader, visibility: Sees, tx: Tx
) -> Export:
    """Create a zip of the current versions of datasets: of sessions, of a search, or of both; or that of a release.

    It has the files with a verified copy in the central store, the tables with which the ONE client searches them, a
    manifest, RO-Crate metadata and a README. What else matches is in `left_out`, with the reason.
    """
    central: CentralStore = request.app.state.central
    limits, store = request.app.state.export_limits, central.kind
    if body.release is not None:
        row = await export_release(tx, visibility, body, limits, store)
    else:
        source = absolute(request, "")
        row = await operations.create_export(
            tx, by, visibility, body, limits=limits, store=store, source=source
        )
    export = await _shown(request, tx.session, visibility, row)
    response.headers["Location"] = absolute(request, f"/export/{row.id}")
    return export


@router.get("/export/{export_id}", responses=problems(NotFound))
async def read_export(
    request: Request, export_id: UUID, _by: Reader, visibility: Sees, session: Reading
) -> Export:
    """Read one of the caller's own exports, until it expires, or that of a release."""
    row = await find_visible_zip(session, visibility, export_id)
    if row is None:
        row = await operations.read_export(session, visibility, export_id)
    return await _shown(request, session, visibility, row)


@router.delete("/export/{export_id}", status_code=204, responses=problems(NotFound))
async def delete_export(export_id: UUID, _by: Reader, visibility: Sees, tx: Tx) -> None:
    """Delete one of the caller's own exports, for good. The datasets stay."""
    await operations.delete_export(tx, visibility, export_id)


@zips.api_route("/export/{export_id}/{file_name}", methods=["GET", "HEAD"], include_in_schema=False)
async def download_export(
    request: Request, export_id: UUID, file_name: str, by: Reader, visibility: Sees, session: Reading
) -> Response:
    """Download the zip, or a range of it. Rights to every file are checked again. Raises ExportIncomplete."""
    zips: operations.ExportZips = request.app.state.export_zips
    zip_ = await zips.prepare(session, visibility, export_id, file_name)
    return await respond_with_zip(request, zip_, lambda file: reads_outside(by, [file.version]))


async def respond_with_zip(
    request: Request,
    zip_: ZipToSend,
    as_reads: Callable[[ZippedFile], Iterable[Read]],
    more_headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The bytes of a zip, or a range of them; with ETag and HEAD. Raises ExportIncomplete.

    Of each file, `as_reads` is recorded once its bytes are sent.
    """
    central: CentralStore = request.app.state.central
    log: ReadLog = request.app.state.reads
    size_bytes = zip_.contents.layout.size_bytes
    headers = {
        **REVALIDATED,
        "ETag": etag_of(zip_.row.digest),
        "Accept-Ranges": "bytes",
        "Content-Type": "application/zip",
        "Content-Disposition": attachment(f"{zip_.row.name}.zip"),
        **more_headers,
    }
    if unchanged := not_modified(request.headers.get("if-none-match"), headers):
        return unchanged
    stream = ZipStream(
        zip_,
        central.store,
        request.app.state.checksums,
        request.app.state.writer,
        lambda file: log.add(as_reads(file)),
    )
    if request.method == "GET":
        span = requested_range(request, size_bytes, headers["ETag"])
        await stream.check_objects(*(span or (0, size_bytes)))
    return ranged_response(request, size_bytes, headers, stream.pieces)


async def _shown(request: Request, session: ReadSession, visibility: Visibility, row: StoredExport) -> Export:
    n_left_out, left_out = await queries.list_left_out(session, visibility, row.id)
    folder = f"export/{row.id}" if row.release_id is None else f"releases/{row.name}"
    return Export(
        id=row.id,
        name=row.name,
        url=absolute(request, f"/{folder}/{row.name}.zip"),
        size_bytes=row.size_bytes,
        n_files=row.n_files,
        n_sessions=row.n_sessions,
        created_at=row.created_at,
        expires_at=row.expires_at,
        n_left_out=n_left_out,
        left_out=left_out,
    )
