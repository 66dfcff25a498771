"""Files of releases, who read them, and the pulling of one. Ours."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from libs.common.auth import Releaser, Sees, SeesOpenly, open_to_all
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.release_files import PullIn, ReleaseFile, ReleaseRead
from services.registry.domain.release_reads import Read, is_sent
from services.registry.domain.releases import ReleaseWithdrawn
from services.registry.operations import release_files as operations
from services.registry.operations.release_reads import list_reads
from services.registry.routes.data_paths import respond_with_object

router = APIRouter(route_class=IdempotentRoute, tags=["releases"])


@router.get("/releases/{name}/files", responses=problems(NotFound, Conflict, ReleaseWithdrawn))
@open_to_all
async def list_files(
    request: Request, name: str, visibility: SeesOpenly, session: Reading, paging: Paging
) -> Page[ReleaseFile]:
    """List the files of a checked release, pulled ones first; of a public release without an account."""
    count, rows = await operations.list_files(session, visibility, name, paging)
    return page(request, paging, count, rows)


@router.post("/releases/{name}/pulled", responses=problems(BadRequest, Forbidden, NotFound, Conflict))
async def pull_dataset(name: str, body: PullIn, by: Releaser, visibility: Sees, tx: Tx) -> ReleaseFile:
    """Pull one dataset of a published release: its file is no longer served, and who read it gets a data notice.

    The manifest stays as it was signed.
    """
    return await operations.pull_dataset(tx, by, visibility, name, body)


@router.get("/releases/{name}/reads", responses=problems(Forbidden, NotFound))
async def list_file_reads(
    request: Request, name: str, by: Releaser, visibility: Sees, session: Reading, paging: Paging
) -> Page[ReleaseRead]:
    """List who read which file on which day, newest first, for those who may release it."""
    count, rows = await list_reads(session, by, visibility, name, paging)
    return page(request, paging, count, rows)


@router.api_route("/releases/{name}/files/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
@open_to_all
async def read_file(
    request: Request, name: str, path: str, visibility: SeesOpenly, session: Reading
) -> Response:
    """Serve a file at the version of the manifest, by its path there; of a public release without an account."""
    central = request.app.state.central
    file, sha256 = await operations.read_file(session, visibility, name, path, central.kind)
    response = await respond_with_object(request, central, sha256, path)
    if is_sent(request.method, response.status_code):
        by = request.state.principal
        user_id = None if by is None else by.user_id
        request.app.state.reads.add([Read(file.dataset_id, file.generation, file.release_id, user_id)])
    return response
