"""Pages of sessions of one subject, day and number: side by side, the preview of a merge, and a merge that was done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.pages.account import form_of
from services.portal.pages.rendering import GUARDS, show
from services.portal.pages.session import twins_of
from services.portal.pages.viewer import ApiRefused, PagePart, Viewer, Viewing

router = APIRouter(include_in_schema=False)
Json = Mapping[str, Any]


@dataclass(frozen=True)
class ComparedSession:
    """A session with what it has."""

    detail: Json
    datasets: PagePart
    tasks: PagePart

    @property
    def id(self) -> str:
        """Its id, as text."""
        return str(self.detail["id"])


@router.get("/app/sessions/{session_id}/merge")
async def compare_page(request: Request, session_id: UUID, viewer: Viewing) -> Response:
    """A session beside the others of its day and number."""
    return await _compare(request, session_id, viewer)


@router.post("/app/sessions/{session_id}/merge")
async def merge_sessions(request: Request, session_id: UUID, viewer: Viewing) -> Response:
    """Preview a merge; with `confirmed`, carry out the one that was previewed."""
    sent = await form_of(request)
    into = str(sent.get("into", ""))
    goes = [str(other) for other in sent.getlist("goes") if str(other) != into]
    confirmed = "confirmed" in sent
    try:
        query = "" if confirmed else "?dry_run=1"
        merge = await viewer.send("POST", f"/session-merges{query}", {"into": into, "sessions": goes})
    except ApiRefused as refused:
        if refused.status == 404:
            raise
        return await _compare(
            request, session_id, viewer, into=into, goes=goes, problem=refused.sentence, status=refused.status
        )
    if confirmed:
        return RedirectResponse(f"/app/merges/{merge['id']}", status_code=303, headers=GUARDS)
    return await _compare(request, session_id, viewer, into=into, goes=goes, planned=merge)


async def _compare(
    request: Request,
    session_id: UUID,
    viewer: Viewer,
    *,
    into: str = "",
    goes: Sequence[str] = (),
    planned: Json | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    session = await viewer.get(f"/sessions/{session_id}")
    others = await twins_of(viewer, session)
    ids = sorted({str(session_id), *(str(other["id"]) for other in others)})
    compared = await asyncio.gather(*(_compared(viewer, each) for each in ids))
    compared.sort(key=lambda each: (each.detail["start_time"], each.id))
    return await show(
        request,
        "compare.html",
        viewer,
        status=status,
        session=session,
        session_id=session_id,
        compared=compared,
        into=into or _fullest(compared).id,
        goes=goes or [each.id for each in compared],
        planned=planned,
        problem=problem,
    )


async def _compared(viewer: Viewer, session_id: str) -> ComparedSession:
    params = {"session": session_id, "limit": 1}
    detail, (datasets, tasks) = await asyncio.gather(
        viewer.get(f"/sessions/{session_id}"), viewer.parts(("/datasets", params), ("/tasks", params))
    )
    return ComparedSession(detail, datasets, tasks)


def _fullest(compared: Sequence[ComparedSession]) -> ComparedSession:
    """The session with most datasets: the one that is proposed to stay."""
    return max(compared, key=lambda each: each.datasets.value["count"] if each.datasets.value else 0)


@router.get("/app/merges/{merge_id}")
async def merge_page(request: Request, merge_id: UUID, viewer: Viewing) -> Response:
    """A merge that was done, and how to undo it."""
    return await _show_merge(request, merge_id, viewer)


@router.post("/app/merges/{merge_id}/undo")
async def undo_merge(request: Request, merge_id: UUID, viewer: Viewing) -> Response:
    """Undo a merge."""
    await form_of(request)
    merge = await viewer.get(f"/session-merges/{merge_id}")
    try:
        if merge["undo"] is not None:
            await viewer.send("POST", merge["undo"])
    except ApiRefused as refused:
        return await _show_merge(request, merge_id, viewer, problem=refused.sentence, status=refused.status)
    return RedirectResponse(f"/app/merges/{merge_id}", status_code=303, headers=GUARDS)


async def _show_merge(
    request: Request, merge_id: UUID, viewer: Viewer, *, problem: str = "", status: int = 200
) -> Response:
    merge = await viewer.get(f"/session-merges/{merge_id}")
    stays = await viewer.part(f"/sessions/{merge['into']}")
    return await show(request, "merge.html", viewer, status=status, merge=merge, stays=stays, problem=problem)
