"""Workers."""

from __future__ import annotations

from fastapi import APIRouter

from libs.common.auth import Sees
from libs.common.db import IdempotentRoute, Reading
from libs.common.schemas.workers import Worker
from services.scheduler.queries import workers as queries

router = APIRouter(route_class=IdempotentRoute, tags=["jobs"])


@router.get("/workers")
async def list_workers(visibility: Sees, session: Reading) -> list[Worker]:
    """List workers, latest request first; empty for public readers."""
    return await queries.list_workers(session, visibility)
