"""Copies: where each version is, and what is proved of it. Ours; lab agents poll it for what is to be brought."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cingulum.digests import Digests
from libs.common.auth import Mover, Prover, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.lists import paged
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.base import Schema
from libs.common.schemas.files.copies import Copy, CopyRead
from libs.common.schemas.files.retirement import RetireIn, Retirement
from libs.common.schemas.pages import Paging
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.domain.retirement import MayNotRetire
from services.registry.models import CopyRow
from services.registry.operations import proofs as operations
from services.registry.operations import retirement
from services.registry.queries import list_filters
from services.registry.queries.datasets import copies
from services.registry.routes.shapes import retirement_of

router = APIRouter(route_class=IdempotentRoute, tags=["copies"])


class CopySearch(Schema):
    """Which copies are asked for. Without `history`, those of the current versions, and no retired ones."""

    id: UUID | None = None
    session: UUID | None = None
    dataset: UUID | None = None
    repository: str | None = None
    lab: str | None = None
    state: CopyState | None = None
    order_proof: bool | None = None
    held_by: str | None = None
    sha256: str | None = None
    history: bool = False
    limit: int | None = None
    offset: int | None = None


@router.get("/copies", responses=problems(BadRequest))
async def list_copies(
    request: Request, seen: Sees, read: Reading, wanted: Paging, asked: Annotated[CopySearch, Query()]
) -> Page[Copy]:
    """Copies, oldest first.

    `held_by` is how an agent asks: copies in one repository (`repository=central&state=expected`) whose
    file lies, by somebody's word or by a proof, in another one (`held_by=lab_server`).
    """
    statement = copies(seen).where(
        sa.and_(sa.true(), *list_filters.copies(**asked.model_dump(exclude_none=True)))
    )
    count, rows = await paged(read, statement, wanted)
    return page(request, wanted, count, [Copy.model_validate(_known(row)) for row in rows])


@router.post("/copies/{copy_id}/proof", responses=problems(NotFound, Forbidden, Conflict))
async def prove_copy(copy_id: UUID, said: CopyRead, by: Prover, seen: Sees, tx: Tx) -> Copy:
    """A repository's agent has read its own file whole: the copy is verified, or suspect where the bytes are others.

    Needs a token of that agent, with the scope `repository:<name>:prove`.
    """
    await operations.copy_read(
        tx, by, seen, copy_id, Digests(size_bytes=said.size_bytes, sha256=said.sha256, md5=said.md5)
    )
    return await _copy(tx.session, seen, copy_id)


@router.get("/copies/{copy_id}/retirement", responses=problems(NotFound))
async def read_retirement(request: Request, copy_id: UUID, seen: Sees, read: Reading) -> Retirement:
    """Whether a copy may be given up now, why not and what to do about it, and which copies count."""
    policy = request.app.state.policy
    case, decision = await retirement.decision(read, seen, copy_id, policy)
    return retirement_of(case, decision, policy)


@router.post("/copies/{copy_id}/retire", responses=problems(NotFound, Forbidden, MayNotRetire))
async def retire_copy(request: Request, copy_id: UUID, said: RetireIn, by: Mover, seen: Sees, tx: Tx) -> Copy:
    """Give a copy up, if enough is proved to be kept elsewhere; its bytes are removed later."""
    await retirement.retire(tx, by, seen, copy_id, said.reason, request.app.state.policy)
    return await _copy(tx.session, seen, copy_id)


@router.post("/copies/{copy_id}/keep", responses=problems(NotFound, Forbidden, Conflict))
async def keep_copy(copy_id: UUID, by: Mover, seen: Sees, tx: Tx) -> Copy:
    """Keep a copy that is to be removed, as long as it was not: it is read again, and counts once it is proved."""
    await retirement.keep(tx, by, seen, copy_id)
    return await _copy(tx.session, seen, copy_id)


async def _copy(read: AsyncSession, seen: Visibility, which: UUID) -> Copy:
    return Copy.model_validate(
        _known((await read.execute(copies(seen).where(CopyRow.id == which))).mappings().one())
    )


def _known(row: object) -> dict[str, object]:
    return {name: value for name, value in dict(row).items() if name in Copy.model_fields}  # type: ignore[call-overload]
