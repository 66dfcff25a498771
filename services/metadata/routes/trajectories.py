"""Trajectories of probes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, absolute, page
from libs.common.schemas.pages import Paging
from libs.common.schemas.trajectories import Trajectory, TrajectoryIn
from services.metadata.operations import trajectories as operations
from services.metadata.queries import trajectories as queries
from services.metadata.queries.list_filters.trajectories import TrajectoryFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/trajectories")
async def list_trajectories(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[TrajectoryFilters, Query()],
) -> Page[Trajectory]:
    """List trajectories, latest session first."""
    base_url = absolute(request, "")
    count, trajectories = await queries.list_trajectories(session, visibility, filters, paging, base_url)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, trajectories)


@router.post("/trajectories", status_code=201, responses=REFUSALS)
async def create_trajectory(
    request: Request, new: TrajectoryIn, by: Editor, visibility: Sees, tx: Tx
) -> Trajectory:
    """Create a trajectory of a probe insertion or of a chronic insertion."""
    return await operations.create_trajectory(tx, by, visibility, new, absolute(request, ""))


@router.get("/trajectories/{trajectory_id}", responses=problems(NotFound))
async def read_trajectory(
    request: Request, trajectory_id: UUID, visibility: Sees, session: Reading
) -> Trajectory:
    """Read a trajectory."""
    return await queries.fetch_trajectory(session, visibility, trajectory_id, absolute(request, ""))


@router.put("/trajectories/{trajectory_id}", responses=REFUSALS)
async def replace_trajectory(
    request: Request, trajectory_id: UUID, body: TrajectoryIn, by: Editor, visibility: Sees, tx: Tx
) -> Trajectory:
    """Update a trajectory by its whole line; other absent fields keep their value, the probe insertion too."""
    base_url = absolute(request, "")
    return await operations.update_trajectory(
        tx, by, visibility, trajectory_id, body, base_url, is_whole=True
    )


@router.patch("/trajectories/{trajectory_id}", responses=REFUSALS)
async def update_trajectory(
    request: Request, trajectory_id: UUID, body: TrajectoryIn, by: Editor, visibility: Sees, tx: Tx
) -> Trajectory:
    """Update a trajectory; absent fields keep their value, the probe insertion too."""
    base_url = absolute(request, "")
    return await operations.update_trajectory(
        tx, by, visibility, trajectory_id, body, base_url, is_whole=False
    )


@router.delete("/trajectories/{trajectory_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_trajectory(
    trajectory_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a trajectory with its channels; undo within 30 days."""
    return deleted(
        options,
        await operations.delete_trajectory(tx, by, visibility, trajectory_id, dry_run=options.dry_run),
    )
