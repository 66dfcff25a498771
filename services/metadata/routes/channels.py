"""Channels of probes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from libs.common.auth import Editor, Sees
from libs.common.db import IdempotentRoute, Reading, Tx
from libs.common.deletions import DELETED, Deleting, deleted
from libs.common.namesakes import add_namesakes_notice, filtered_nicknames
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.channels import Channel, ChannelIn, ChannelInOrChannels, ChannelOrChannels
from libs.common.schemas.pages import Paging
from services.metadata.operations import channels as operations
from services.metadata.queries import channels as queries
from services.metadata.queries.list_filters.channels import ChannelFilters
from services.metadata.queries.namesakes import list_namesakes

router = APIRouter(route_class=IdempotentRoute, tags=["atlas"])
REFUSALS: dict[int | str, dict[str, Any]] = problems(BadRequest, Forbidden, Conflict, NotFound)


@router.get("/channels")
async def list_channels(
    request: Request,
    response: Response,
    visibility: Sees,
    session: Reading,
    paging: Paging,
    filters: Annotated[ChannelFilters, Query()],
) -> Page[Channel]:
    """List channels by trajectory and place on the probe."""
    count, channels = await queries.list_channels(session, visibility, filters, paging)
    named = filtered_nicknames(filters)
    add_namesakes_notice(response, await list_namesakes(session, visibility, named))
    return page(request, paging, count, channels)


@router.post("/channels", status_code=201, responses=REFUSALS)
async def create_channels(
    new: ChannelInOrChannels, by: Editor, visibility: Sees, tx: Tx
) -> ChannelOrChannels:
    """Create a channel, or those of a list: all of them or none."""
    bodies = new if isinstance(new, list) else [new]
    channels = await operations.create_channels(tx, by, visibility, bodies)
    return channels if isinstance(new, list) else channels[0]


@router.get("/channels/{channel_id}", responses=problems(NotFound))
async def read_channel(channel_id: UUID, visibility: Sees, session: Reading) -> Channel:
    """Read a channel."""
    [channel] = await queries.fetch_channels(session, visibility, [channel_id])
    return channel


@router.put("/channels/{channel_id}", responses=REFUSALS)
@router.patch("/channels/{channel_id}", responses=REFUSALS)
async def update_channel(channel_id: UUID, body: ChannelIn, by: Editor, visibility: Sees, tx: Tx) -> Channel:
    """Update a channel; absent fields keep their value."""
    return await operations.update_channel(tx, by, visibility, channel_id, body)


@router.delete("/channels/{channel_id}", status_code=204, responses=REFUSALS | DELETED)
async def delete_channel(
    channel_id: UUID, by: Editor, visibility: Sees, tx: Tx, options: Deleting
) -> Response:
    """Delete (soft) a channel; undo within 30 days."""
    return deleted(
        options, await operations.delete_channel(tx, by, visibility, channel_id, dry_run=options.dry_run)
    )
