"""Links by which reviewers and viewers without an account read a release. Ours."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from libs.common.attachments import attachment
from libs.common.auth import Releaser, Sees, open_to_all
from libs.common.db import Begins, IdempotentRoute, Reading, Tx, returns_secret
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, ShownOnce, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging, absolute
from libs.common.schemas.release_links import LinkedRelease, NewReleaseLink, ReleaseLink, ReleaseLinkIn
from services.registry.domain.release_reads import Read, is_sent
from services.registry.operations import release_links as operations
from services.registry.routes.data_paths import respond_with_object

router = APIRouter(route_class=IdempotentRoute, tags=["releases"])
Token = Annotated[str, Path(max_length=100, description="the secret part of the link")]
# Viewers in a browser read ranges from a page of another origin; no cookie or token is involved.
FOR_VIEWERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
    "Referrer-Policy": "no-referrer",
}


@router.get("/releases/{name}/links", responses=problems(Forbidden, NotFound))
async def list_links(
    request: Request, name: str, by: Releaser, visibility: Sees, session: Reading, paging: Paging
) -> Page[ReleaseLink]:
    """List the links of a release, newest first, for those who may release it."""
    count, rows = await operations.list_links(session, by, visibility, name, paging)
    return page(request, paging, count, rows)


@router.post(
    "/releases/{name}/links",
    status_code=201,
    responses=problems(BadRequest, Forbidden, NotFound, Conflict, ShownOnce),
)
@returns_secret
async def create_link(
    request: Request, name: str, new: ReleaseLinkIn, by: Releaser, visibility: Sees, tx: Tx
) -> NewReleaseLink:
    """Create a link to a release, or to one file of it, for a person without an account; its address is shown once."""
    link, token = await operations.create_link(tx, by, visibility, name, new)
    below = "" if link.path is None else f"/files/{link.path}"
    url = absolute(request, f"/release-links/{token}{quote(below)}")
    return NewReleaseLink(url=url, **link.model_dump())


@router.post("/releases/{name}/links/{link_id}/revoke", responses=problems(Forbidden, NotFound, Conflict))
async def revoke_link(name: str, link_id: UUID, by: Releaser, visibility: Sees, tx: Tx) -> ReleaseLink:
    """Revoke a link at once."""
    return await operations.revoke_link(tx, by, visibility, name, link_id)


@router.get("/release-links/{token}", responses=problems(NotFound))
@open_to_all
async def read_link(token: Token, session: Reading) -> LinkedRelease:
    """Read what a link leads to."""
    return LinkedRelease.model_validate(await operations.read_link(session, token))


@router.get("/release-links/{token}/manifest", response_class=Response, responses=problems(NotFound))
@open_to_all
async def read_manifest(token: Token, session: Reading, begin: Begins) -> Response:
    """Read the manifest of a release by a link; its use is counted."""
    link = await operations.read_link_to_all(session, token)
    manifest = await operations.read_linked_manifest(session, link)
    await operations.count_use(begin, link)
    headers = {**FOR_VIEWERS, "Content-Disposition": attachment("manifest.json")}
    return Response(manifest, media_type="application/json", headers=headers)


@router.api_route(
    "/release-links/{token}/files/{path:path}", methods=["GET", "HEAD"], include_in_schema=False
)
@open_to_all
async def read_file(request: Request, token: Token, path: str, session: Reading, begin: Begins) -> Response:
    """Serve a file of a release by a link, with ranges; each reading from its beginning is counted."""
    central = request.app.state.central
    link = await operations.read_link(session, token)
    file, sha256 = await operations.read_linked_file(session, link, path, central.kind)
    if is_from_beginning(request):
        await operations.count_use(begin, link)
    response = await respond_with_object(request, central, sha256, path, FOR_VIEWERS)
    if is_sent(request.method, response.status_code):
        reads = [Read(file.dataset_id, file.generation, file.release_id, link_id=link.id)]
        request.app.state.reads.add(reads)
    return response


def is_from_beginning(request: Request) -> bool:
    """Whether the first bytes are read: a use of the link, unlike what resumes a download."""
    return request.method == "GET" and request.headers.get("range", "bytes=0-").startswith("bytes=0-")
