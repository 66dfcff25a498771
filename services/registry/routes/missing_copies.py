"""Files that server repositories lack, as in Alyx's route of Globus transfers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from libs.common.auth import Mover, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.db.query_parameters import NOTICE
from libs.common.problem import Forbidden, problems
from services.registry.operations import missing_copies as operations
from services.registry.queries import missing_copies as queries

router = APIRouter(route_class=IdempotentRoute, tags=["files"])


@router.get("/sync-file-status")
async def list_missing_files(response: Response, visibility: Sees, session: Reading) -> list[str]:
    """List paths of files that a server repository lacks, first registered first."""
    count, paths = await queries.list_missing_paths(session, visibility)
    if count > len(paths):
        response.headers[NOTICE] = f"!!!{count:,} files are missing; these are the first {len(paths):,}"
    return paths


@router.post("/sync-file-status", responses=problems(Forbidden))
async def order_transfers(by: Mover, visibility: Sees, tx: Tx) -> list[str]:
    """Order transfers of the files that managed server repositories lack, and list their paths."""
    return await operations.order_transfers(tx, by, visibility)
