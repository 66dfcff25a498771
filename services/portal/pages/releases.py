"""Releases: the list, and the page of a release, which needs no account once it is public."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.lists import ListQuery
from services.portal.pages.rendering import show
from services.portal.pages.viewer import ApiRefused, PagePart, SignInFirst, Viewer, Viewing, Visiting, Visitor

router = APIRouter(include_in_schema=False)
Json = Mapping[str, Any]
TONES: Final = {
    "draft": "plain",
    "checked": "warn",
    "embargoed": "warn",
    "public": "good",
    "withdrawn": "bad",
}
_NAMED: Final = 3  # authors of a citation


@router.get("/app/releases")
async def releases(request: Request, viewer: Viewing) -> Response:
    """Releases, newest first."""
    query = ListQuery.of(request, ())
    answer = await viewer.get("/releases", limit=query.limit, offset=query.offset or None)
    return await show(
        request,
        "releases.html",
        viewer,
        releases=answer["results"],
        place=query.paged(answer),
        tones=TONES,
    )


@router.get("/app/releases/{name}")
async def release(request: Request, name: str, visitor: Visiting) -> Response:
    """One release: its description, how to download and check it, its files, and what it lacks before it is signed."""
    path = f"/releases/{quote(name, safe='')}"
    release = await _fetch(visitor, path)
    files, place = await _files(request, visitor, path, release)
    readiness = await visitor.part(f"{path}/readiness") if release["state"] == "draft" else None
    return await show(
        request,
        "release.html",
        visitor if isinstance(visitor, Viewer) else None,
        release=release,
        path=path,
        tone=TONES[release["state"]],
        citation=citation(release),
        files=files,
        place=place,
        readiness=readiness,
        origin=visitor.origin,
    )


async def _fetch(visitor: Visitor, path: str) -> Json:
    """A release. A visitor without an account signs in first: it may exist for the person's account."""
    try:
        release: Json = await visitor.get(path)
    except ApiRefused as refused:
        if refused.status == HTTPStatus.NOT_FOUND and not isinstance(visitor, Viewer):
            raise SignInFirst(visitor.path) from refused
        raise
    return release


async def _files(
    request: Request, visitor: Visitor, path: str, release: Json
) -> tuple[PagePart | None, Json | None]:
    """A page of the files of a release whose versions are fixed, and its position in the list."""
    if release["state"] in {"draft", "withdrawn"}:
        return None, None
    query = ListQuery.of(request, (), limit=100)
    files = await visitor.part(f"{path}/files", limit=query.limit, offset=query.offset or None)
    return files, query.paged(files.value) if files.value else None


def citation(release: Json) -> str:
    """How a paper cites a release.

    >>> authors = [{"name": "Hubel, David"}, {"name": "Wiesel, Torsten"}]
    >>> about = {"title": "Cats", "authors": authors, "doi": "10.5281/zenodo.1", "name": "cats"}
    >>> citation(about | {"public_from": "2026-12-01T10:00:00Z", "checked_at": None, "root": "ab"})
    'Hubel, David; Wiesel, Torsten (2026). Cats. https://doi.org/10.5281/zenodo.1'
    """
    names = [author["name"] for author in release["authors"]]
    shown = "; ".join(names[:_NAMED]) + (" et al." if len(names) > _NAMED else "")
    year = (release["public_from"] or release["checked_at"] or "")[:4]
    address = f"https://doi.org/{release['doi']}" if release["doi"] else f"Release {release['name']}"
    start = f"{shown} ({year}). " if shown and year else ""
    return f"{start}{release['title']}. {address}"
