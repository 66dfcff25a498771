"""What the operations of this process share, as a parameter of routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from services.scheduler.operations.context import SchedulerContext


async def scheduler_context(request: Request) -> SchedulerContext:
    """The context of the application; use as `context: Context`."""
    context: SchedulerContext = request.app.state.context
    return context


Context = Annotated[SchedulerContext, Depends(scheduler_context)]
