"""Releases as one zip, for readers of the release and for those who have a link to it. Ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from libs.common.auth import SeesOpenly, open_to_all
from libs.common.db import Begins, Database, Reading
from libs.common.problem import NotFound
from libs.common.visibility import Visibility, system_visibility
from services.registry.domain.release_reads import Read
from services.registry.operations import release_links
from services.registry.operations.exports import ZipToSend
from services.registry.operations.release_zips import ReleaseZips
from services.registry.routes.exports import respond_with_zip
from services.registry.routes.release_links import FOR_VIEWERS, Token, is_from_beginning

router = APIRouter(tags=["releases"])
Name = Annotated[str, Path(max_length=100)]


@router.api_route("/releases/{name}/{zip_name}.zip", methods=["GET", "HEAD"], include_in_schema=False)
@open_to_all
async def download_release(request: Request, name: Name, zip_name: Name, visibility: SeesOpenly) -> Response:
    """Download a release as `NAME.zip`, or a range of it; a public one without an account. Raises ExportIncomplete."""
    zip_ = await _prepare(request, visibility, name, zip_name)
    by = request.state.principal
    user_id = None if by is None else by.user_id
    return await respond_with_zip(
        request, zip_, lambda file: [Read(*file.version, zip_.row.release_id, user_id)]
    )


@router.api_route("/release-links/{token}/{zip_name}.zip", methods=["GET", "HEAD"], include_in_schema=False)
@open_to_all
async def download_linked_release(
    request: Request, token: Token, zip_name: Name, session: Reading, begin: Begins
) -> Response:
    """Download a release by a link to all of it; each download from its beginning is counted."""
    link = await release_links.read_link_to_all(session, token)
    zip_ = await _prepare(request, system_visibility(), link.name, zip_name)
    zip_ = replace(zip_, check=_checks(request, token, zip_))
    if is_from_beginning(request):
        await release_links.count_use(begin, link)
    return await respond_with_zip(
        request, zip_, lambda file: [Read(*file.version, link.release_id, link_id=link.id)], FOR_VIEWERS
    )


def _checks(request: Request, token: str, zip_: ZipToSend) -> Callable[[], Awaitable[None]]:
    """The check of a zip behind a link: the link may be revoked, too."""
    database: Database = request.app.state.database

    async def check() -> None:
        async with database.read() as session:
            await release_links.read_link_to_all(session, token)
        await zip_.check()

    return check


async def _prepare(request: Request, visibility: Visibility, name: str, zip_name: str) -> ZipToSend:
    zips: ReleaseZips = request.app.state.release_zips
    zip_ = await zips.prepare(visibility, name)
    if zip_name != name:
        raise NotFound(f"The zip of this release is called {name}.zip.")
    return zip_
