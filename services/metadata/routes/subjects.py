"""Subjects."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.subjects import RestrictedSubject, Subject, SubjectDetail, SubjectIn
from services.metadata.operations import subjects as operations
from services.metadata.queries.list_filters.subjects import SubjectFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["colony"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/subjects")
async def list_subjects(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[SubjectFilters, Query()],
) -> Page[Subject]:
    """List subjects by nickname."""
    base_url = absolute(request, "")
    count, subjects = await operations.list_subjects(session, visibility, filters, paging, base_url)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, subjects)


@router.get("/water-restricted-subjects")
async def list_restricted_subjects(
    request: Request, visibility: Sees, session: Reading, paging: Paging
) -> Page[RestrictedSubject]:
    """List subjects under a water restriction that has no end."""
    base_url = absolute(request, "")
    count, subjects = await operations.list_restricted_subjects(session, visibility, paging, base_url)
    return page(request, paging, count, subjects)


@router.post("/subjects", status_code=201, responses=REFUSALS)
async def create_subject(
    request: Request, new: SubjectIn, by: Editor, visibility: Sees, tx: Tx
) -> SubjectDetail:
    """Create a subject."""
    return await operations.create_subject(tx, by, visibility, new, absolute(request, ""))


@router.get("/subjects/{nickname}", responses=problems(NotFound))
async def read_subject(request: Request, nickname: str, visibility: Sees, session: Reading) -> SubjectDetail:
    """Read a subject with its weighings and water."""
    return await operations.read_subject(session, visibility, nickname, absolute(request, ""))


@router.put("/subjects/{nickname}", responses=REFUSALS)
@router.patch("/subjects/{nickname}", responses=REFUSALS)
async def update_subject(
    request: Request, nickname: str, body: SubjectIn, by: Editor, visibility: Sees, tx: Tx
) -> SubjectDetail:
    """Update a subject; absent fields keep their value."""
    return await operations.update_subject(tx, by, visibility, nickname, body, absolute(request, ""))


@router.delete("/subjects/{nickname}", status_code=204, responses=REFUSALS | DELETED)
async def delete_subject(nickname: str, by: Editor, visibility: Sees, tx: Tx, options: Deleting) -> Response:
    """Delete (soft) a subject with its sessions, surgeries, restrictions, weighings and water; undo within 30 days."""
    return deleted(
        options, await operations.delete_subject(tx, by, visibility, nickname, dry_run=options.dry_run)
    )
