"""Public keys for signatures of releases. Ours."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request

from libs.common.auth import Admin, open_to_all
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.release_keys import ReleaseKey, ReleaseKeyIn, RevokeIn
from services.registry.operations import release_keys as operations
from services.registry.queries import release_keys as queries

router = APIRouter(route_class=IdempotentRoute, tags=["releases"])


@router.get("/release-keys")
@open_to_all
async def list_keys(request: Request, session: Reading, paging: Paging) -> Page[ReleaseKey]:
    """List public keys for signatures of releases, newest first, with revoked ones; without an account."""
    count, rows = await queries.list_keys(session, paging)
    return page(request, paging, count, rows)


@router.post("/release-keys", status_code=201, responses=problems(BadRequest, Conflict))
async def create_key(new: ReleaseKeyIn, by: Admin, tx: Tx) -> ReleaseKey:
    """Add a public key, made by `cingulum release keygen` or `minisign -G`."""
    return await operations.create_key(tx, by, new)


@router.post("/release-keys/{key_id}/revoke", responses=problems(NotFound, Conflict))
async def revoke_key(key_id: UUID, body: RevokeIn, by: Admin, tx: Tx) -> ReleaseKey:  # noqa: ARG001
    """Revoke a key; releases that it signed stay signed."""
    return await operations.revoke_key(tx, key_id, body.reason)
