"""Routes of every service for administrators: failed events, and the audit log.

`/events/<service>/…` and `/audit/<service>…`: the gateway routes them by the second segment.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request

from libs.common.auth import Admin
from libs.common.bus import Inbox, Listener
from libs.common.db import IdempotentRoute, LongReading, Reading, Tx
from libs.common.db.audit import entries, fetch_first_broken
from libs.common.db.pages import fetch_page
from libs.common.db.transaction import Writer
from libs.common.filters.audit import AuditFilters
from libs.common.problem import NotFound, problems
from libs.common.schemas import Page, page
from libs.common.schemas.administration import AuditCheck, AuditEntry, FailedEvent
from libs.common.schemas.pages import PageRequest, Paging
from libs.common.visibility import visibility

router = APIRouter(route_class=IdempotentRoute, tags=["administration"])


async def _own(request: Request, service: str) -> None:
    if service != request.app.state.service:
        raise NotFound


Own = [Depends(_own)]


def _waiting(request: Request) -> Inbox:
    listener: Listener = request.app.state.listener
    return listener.inbox


WaitingEvents = Annotated[Inbox, Depends(_waiting)]


@router.get("/events/{service}/parked", dependencies=Own, responses=problems(NotFound))
async def list_parked_events(
    request: Request, _by: Admin, session: Reading, waiting: WaitingEvents, paging: Paging
) -> Page[FailedEvent]:
    """List events that failed five times and are not retried, oldest first."""
    return await _page(request, session, waiting, paging, parked=True)


@router.get("/events/{service}/waiting", dependencies=Own, responses=problems(NotFound))
async def list_waiting_events(
    request: Request, _by: Admin, session: Reading, waiting: WaitingEvents, paging: Paging
) -> Page[FailedEvent]:
    """List events that wait for a retry, or behind another event with the same key, oldest first."""
    return await _page(request, session, waiting, paging, parked=False)


async def _page(
    request: Request, session: Reading, waiting: Inbox, paging: PageRequest, *, parked: bool
) -> Page[FailedEvent]:
    count, rows = await waiting.listed(session, parked=parked, limit=paging.limit, offset=paging.offset)
    return page(request, paging, count, [_failed(row) for row in rows])


def _failed(row: Any) -> FailedEvent:
    values = {name: getattr(row, name) for name in FailedEvent.model_fields}
    return FailedEvent(**(values | ({} if row.parked_at is None else {"retry_at": None})))


@router.post("/events/{service}/{state}/{event_id}/retry", dependencies=Own, responses=problems(NotFound))
async def retry_event(
    request: Request,
    state: str,
    event_id: UUID,
    _by: Admin,
    tx: Tx,
    waiting: WaitingEvents,
    after: BackgroundTasks,
) -> FailedEvent:
    """Retry a parked or waiting event now; its failures count from zero."""
    before = await _find(tx, waiting, state, event_id)
    row = await waiting.try_now(tx.session, event_id)
    tx.audit("event.retried", "event", event_id, before={"error": before.error})
    listener: Listener = request.app.state.listener
    after.add_task(listener.wake)  # once this is committed
    return _failed(row)


@router.delete(
    "/events/{service}/{state}/{event_id}", status_code=204, dependencies=Own, responses=problems(NotFound)
)
async def drop_event(
    request: Request,
    state: str,
    event_id: UUID,
    _by: Admin,
    tx: Tx,
    waiting: WaitingEvents,
    after: BackgroundTasks,
) -> None:
    """Drop a parked or waiting event. The audit log keeps its content."""
    row = await _find(tx, waiting, state, event_id)
    await waiting.drop(tx.session, event_id)
    tx.audit("event.dropped", "event", event_id, before=_failed(row).model_dump(mode="json"))
    listener: Listener = request.app.state.listener
    after.add_task(listener.wake)  # others may have waited behind it


async def _find(tx: Tx, waiting: Inbox, state: str, event_id: UUID) -> Any:
    row = await waiting.find(tx.session, event_id)
    if row is None or state != ("waiting" if row.parked_at is None else "parked"):
        raise NotFound(
            f"There is no {state} event {event_id}: it was handled, retried or dropped in the meantime."
        )
    return row


@router.get("/audit/{service}", dependencies=Own, responses=problems(NotFound))
async def list_audit(
    request: Request,
    by: Admin,
    session: Reading,
    paging: Paging,
    filters: Annotated[AuditFilters, Query()],
) -> Page[AuditEntry]:
    """List audit entries of this service, latest first; filters match exactly."""
    writer: Writer = request.app.state.writer
    statement = entries(writer.tables, filters.conditions(visibility(by)))
    count, rows = await fetch_page(session, statement, paging)
    return page(request, paging, count, [AuditEntry(**row) for row in rows])


@router.get("/audit/{service}/check", dependencies=Own, responses=problems(NotFound))
async def check_audit(request: Request, _by: Admin, session: LongReading) -> AuditCheck:
    """Check that no audit entry of this service was changed or removed since it was chained by its hash."""
    writer: Writer = request.app.state.writer
    first_broken_id = await fetch_first_broken(session, writer.tables)
    return AuditCheck(is_intact=first_broken_id is None, first_broken_id=first_broken_id)
