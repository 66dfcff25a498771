"""Events of other services."""

from __future__ import annotations

from uuid import UUID, uuid4

import sqlalchemy as sa

from libs.common.catalogue import Service
from libs.common.db.tables import infrastructure, metadata_of
from libs.common.events import Event
from tests.support.makers.database import owner
from tests.support.system import Cingulum


async def make_event(system: Cingulum, service: Service, event: Event) -> UUID:
    """An event that a service has published, and whose message was lost: only a sweep finds it."""
    event_id, events = uuid4(), infrastructure(metadata_of(service)).events
    async with owner(system) as session:
        await session.execute(
            events.insert().values(
                id=event_id,
                subject=event.subject,
                payload=event.model_dump(mode="json"),
                request_id="r1",
                rung_at=sa.func.now(),
            )
        )
    return event_id
