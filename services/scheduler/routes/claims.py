"""Claims of workers, and their heartbeats."""

from __future__ import annotations

from fastapi import APIRouter, Request

from libs.common.auth import Working
from libs.common.db import Begins, IdempotentRoute, Tx
from libs.common.schemas.claims import Claim, ClaimIn, Heartbeat, HeartbeatIn, NoWork
from services.scheduler.operations import claims as operations
from services.scheduler.routes.context import Context

router = APIRouter(route_class=IdempotentRoute, tags=["jobs"])


@router.post("/jobs/claim", response_model=Claim | NoWork)
async def claim(
    request: Request, body: ClaimIn, by: Working, begin: Begins, context: Context
) -> Claim | NoWork:
    """Wait for a job and claim it. A caller that has disconnected gets none."""
    return await operations.wait_for_job(begin, context, by, body, request.is_disconnected)


@router.post("/jobs/heartbeat")
async def heartbeat(body: HeartbeatIn, by: Working, tx: Tx) -> Heartbeat:
    """Extend the leases of a worker's jobs; the response lists those that it has lost."""
    return Heartbeat(lost=await operations.extend_leases(tx, by, body))
