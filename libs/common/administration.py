"""Routes of every service for administrators: failed events, and the audit log.

`/events/<service>/…` and `/audit/<service>…`: the gateway routes them by the second segment.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request

from libs.common.auth import Admin
from libs.common.bus import Inbox, Listener
from libs.common.db import IdempotentRoute, LongReading, Reading, Tx
from libs.common.db.audit import find_first_broken, list_audit_entries
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


async def _inbox(request: Request) -> Inbox:
    listener: Listener = request.app.state.listener
    return listener.inbox


OwnInbox = Annotated[Inbox, Depends(_inbox)]


@router.get("/events/{service}/parked", dependencies=Own, responses=problems(NotFound))
async def list_parked_events(
    request: Request, _by: Admin, session: Reading, inbox: OwnInbox, paging: Paging
) -> Page[FailedEvent]:
    """List events that failed five times and are not retried, oldest first."""
    return await _page(request, session, inbox, paging, parked=True)


@router.get("/events/{service}/waiting", dependencies=Own, responses=problems(NotFound))
async def list_waiting_events(
    request: Request, _by: Admin, session: Reading, inbox: OwnInbox, paging: Paging
) -> Page[FailedEvent]:
    """List events that wait for a retry, or behind another event with the same key, oldest first."""
    return await _page(request, session, inbox, paging, parked=False)


async def _page(
    request: Request, session: Reading, inbox: Inbox, paging: PageRequest, *, parked: bool
) -> Page[FailedEvent]:
    count, events = await inbox.list_failed_events(session, paging, parked=parked)
    return page(request, paging, count, events)


@router.post("/events/{service}/{state}/{event_id}/retry", dependencies=Own, responses=problems(NotFound))
async def retry_event(
    request: Request,
    state: str,
    event_id: UUID,
    _by: Admin,
    tx: Tx,
    inbox: OwnInbox,
    after: BackgroundTasks,
) -> FailedEvent:
    """Retry a parked or waiting event now; its failures count from zero."""
    before = await _lock(tx, inbox, state, event_id)
    event = await inbox.update_to_retry_now(tx.session, event_id)
    tx.audit("event.retried", "event", event_id, before={"error": before.error})
    listener: Listener = request.app.state.listener
    after.add_task(listener.wake)  # once this is committed
    return event


@router.delete(
    "/events/{service}/{state}/{event_id}", status_code=204, dependencies=Own, responses=problems(NotFound)
)
async def drop_event(
    request: Request,
    state: str,
    event_id: UUID,
    _by: Admin,
    tx: Tx,
    inbox: OwnInbox,
    after: BackgroundTasks,
) -> None:
    """Drop a parked or waiting event. The audit log keeps its content."""
    event = await _lock(tx, inbox, state, event_id)
    await inbox.delete_failed_event(tx.session, event_id)
    await inbox.insert_handled(tx.session, event_id)
    tx.audit("event.dropped", "event", event_id, before=event.model_dump(mode="json"))
    listener: Listener = request.app.state.listener
    after.add_task(listener.wake)  # others may have waited behind it


async def _lock(tx: Tx, inbox: Inbox, state: str, event_id: UUID) -> FailedEvent:
    event = await inbox.find_and_lock_failed_event(tx.session, event_id)
    if event is None or state != ("parked" if event.retry_at is None else "waiting"):
        raise NotFound(
            f"There is no {state} event {event_id}: it was handled, retried or dropped in the meantime."
        )
    return event


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
    conditions = filters.conditions(visibility(by))
    count, entries = await list_audit_entries(session, writer.tables, conditions, paging)
    return page(request, paging, count, entries)


@router.get("/audit/{service}/check", dependencies=Own, responses=problems(NotFound))
async def check_audit(request: Request, _by: Admin, session: LongReading) -> AuditCheck:
    """Check that no audit entry of this service was changed or removed since it was chained by its hash."""
    writer: Writer = request.app.state.writer
    first_broken_id = await find_first_broken(session, writer.tables)
    return AuditCheck(is_intact=first_broken_id is None, first_broken_id=first_broken_id)
