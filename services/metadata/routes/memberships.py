"""Memberships of users in labs. Signed-in users read them, administrators write."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from libs.common.auth import Admin, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.memberships import Membership, MembershipIn
from libs.common.schemas.pages import Paging
from services.metadata.operations import memberships as operations
from services.metadata.queries import memberships as queries
from services.metadata.queries.list_filters.memberships import MembershipFilters

router = APIRouter(route_class=IdempotentRoute, tags=["memberships"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Conflict, NotFound)


@router.get("/memberships")
async def list_memberships(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[MembershipFilters, Query()],
) -> Page[Membership]:
    """List memberships, newest first."""
    count, memberships = await queries.list_memberships(session, visibility, filters, paging)
    return page(request, paging, count, memberships)


@router.post("/memberships", status_code=201, responses=REFUSALS)
async def save_membership(new: MembershipIn, _by: Admin, visibility: Sees, tx: Tx) -> Membership:
    """Create a membership, or update that with the same user, lab and start date."""
    membership_id = await operations.save_membership(tx, new)
    return await queries.fetch_membership(tx.session, visibility, membership_id)
