"""The list of sessions."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.facets import MOST, facet_links
from services.portal.pages.lists import ListQuery, day_range
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.viewer import ApiRefused, Viewing

router = APIRouter(include_in_schema=False)
FACETS = ("dataset_types", "atlas_acronym", "qc")  # filters without a field in the form
SAME_AS_API = ("search", "subject", "lab", "project", "task_protocol", *FACETS)
FILTERS = (*SAME_AS_API, "from", "to")
EMPTY: dict[str, Any] = {"count": 0, "results": []}


@router.get("/app/sessions")
async def sessions(request: Request, viewer: Viewing) -> Response:
    """Sessions that match the form, newest first."""
    query = ListQuery.of(request, FILTERS)
    params = {name: query.filters.get(name) for name in SAME_AS_API} | {
        "date_range": day_range(query.filters)
    }
    problem, status = "", 200

    async def fetch() -> Any:
        nonlocal problem, status
        try:
            return await viewer.get("/sessions", **params, limit=query.limit, offset=query.offset or None)
        except ApiRefused as refused:
            if refused.status != 400:
                raise
            problem, status = refused.text, 400
            return EMPTY

    answer, (labs, projects, facets) = await asyncio.gather(
        fetch(),
        viewer.parts(
            ("/labs", {"limit": 1000}), ("/projects", {"limit": 1000}), ("/facets", {**params, "most": MOST})
        ),
    )
    return await show(
        request,
        "sessions.html",
        viewer,
        status=status,
        query=query,
        sessions=answer["results"],
        place=query.paged(answer),
        labs=labs.names,
        projects=projects.names,
        problem=problem,
        facets=facet_links(query, facets.value),
        of_facets={name: query.filters[name] for name in FACETS if name in query.filters},
        search=_search(viewer.origin, viewer.username, query),
    )


def _search(origin: str, username: str, query: ListQuery) -> str:
    """The same search in Python."""
    filters = {name: query.filters[name] for name in SAME_AS_API if name in query.filters}
    arguments = [f"{name}={value!r}" for name, value in filters.items()]
    if days := day_range(query.filters):
        arguments.append(f"date_range={days.split(',')!r}")
    return client_code(origin, username, f"eids = one.search({', '.join(arguments)})")
