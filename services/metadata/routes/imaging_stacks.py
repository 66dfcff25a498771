"""Imaging stacks: fields of view of one session, one above the other."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from libs.common.auth import Sees, SharedEditor
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.imaging_stacks import ImagingStack, ImagingStackIn, ImagingStackListed
from libs.common.schemas.pages import Paging
from services.metadata.operations import imaging_stacks as operations
from services.metadata.queries import imaging_stacks as queries
from services.metadata.queries.list_filters.imaging_stacks import ImagingStackFilters

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])


@router.get("/imaging-stack")
async def list_imaging_stacks(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[ImagingStackFilters, Query()],
) -> Page[ImagingStackListed]:
    """List imaging stacks by name."""
    count, stacks = await queries.list_imaging_stacks(session, visibility, filters, paging)
    return page(request, paging, count, stacks)


@router.post("/imaging-stack", status_code=201, responses=problems(BadRequest, Forbidden))
async def create_imaging_stack(new: ImagingStackIn, by: SharedEditor, tx: Tx) -> ImagingStack:
    """Create an imaging stack; fields of view of one session then name it as theirs."""
    return await operations.create_imaging_stack(tx, by, new)


@router.get("/imaging-stack/{stack_id}", responses=problems(NotFound))
async def read_imaging_stack(stack_id: UUID, visibility: Sees, session: Reading) -> ImagingStack:
    """Read an imaging stack with its fields of view."""
    return await queries.fetch_imaging_stack(session, visibility, stack_id)
