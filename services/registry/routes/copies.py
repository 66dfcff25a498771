"""Copies: where each version is, and its proofs. Ours; agents of labs poll it for what to transfer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from cingulum.digests import Digests
from libs.common.auth import Mover, Prover, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.files.copies import Copy, CopyRead
from libs.common.schemas.files.retirement import RetireIn, Retirement
from libs.common.schemas.pages import Paging
from services.registry.domain.retirement import MayNotRetire
from services.registry.operations import proofs as operations
from services.registry.operations import retirement
from services.registry.queries import copies as queries
from services.registry.queries.list_filters.files import CopyFilters
from services.registry.routes.shapes import retirement_of

router = APIRouter(route_class=IdempotentRoute, tags=["copies"])


@router.get("/copies", responses=problems(BadRequest))
async def list_copies(
    request: Request,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[CopyFilters, Query()],
) -> Page[Copy]:
    """List copies, oldest first; without `history` those of current versions, and no retired ones.

    Agents use `held_by`: copies in one repository (`repository=central&state=expected`) whose file is, verified or
    claimed, in another one (`held_by=lab_server`).
    """
    conditions = filters.conditions(visibility)
    count, rows = await queries.list_copies(session, visibility, conditions, paging)
    return page(request, paging, count, rows)


@router.post("/copies/{copy_id}/proof", responses=problems(NotFound, Forbidden, Conflict))
async def prove_copy(copy_id: UUID, body: CopyRead, by: Prover, visibility: Sees, tx: Tx) -> Copy:
    """Report the hashes of a copy, as read by its repository's agent: the copy becomes verified, or suspect.

    Requires the agent's token, with the scope `repository:<name>:prove`.
    """
    digests = Digests(size_bytes=body.size_bytes, sha256=body.sha256, md5=body.md5)
    await operations.prove_copy(tx, by, visibility, copy_id, digests)
    return await queries.fetch_copy(tx.session, visibility, copy_id)


@router.get("/copies/{copy_id}/retirement", responses=problems(NotFound))
async def read_retirement(request: Request, copy_id: UUID, visibility: Sees, session: Reading) -> Retirement:
    """Read whether a copy can be retired now, if not why, and which copies count."""
    policy = request.app.state.policy
    case, decision = await retirement.fetch_decision(session, visibility, copy_id, policy)
    return retirement_of(case, decision, policy)


@router.post("/copies/{copy_id}/retire", responses=problems(NotFound, Forbidden, MayNotRetire))
async def retire_copy(
    request: Request, copy_id: UUID, body: RetireIn, by: Mover, visibility: Sees, tx: Tx
) -> Copy:
    """Retire a copy, if enough verified copies remain; its bytes are removed later."""
    policy = request.app.state.policy
    await retirement.retire_copy(tx, by, visibility, copy_id, body.reason, policy)
    return await queries.fetch_copy(tx.session, visibility, copy_id)


@router.post("/copies/{copy_id}/keep", responses=problems(NotFound, Forbidden, Conflict))
async def keep_copy(copy_id: UUID, by: Mover, visibility: Sees, tx: Tx) -> Copy:
    """Cancel the retirement of a copy that was not removed yet. It counts again once it is verified."""
    await retirement.keep_copy(tx, by, visibility, copy_id)
    return await queries.fetch_copy(tx.session, visibility, copy_id)
