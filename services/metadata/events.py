"""Handlers of the events that metadata receives."""

from __future__ import annotations

from libs.common.bus import EventHandlers
from libs.common.db import Transaction
from libs.common.events import FilesRegistered
from services.metadata.operations.sessions import add_session_user

handlers = EventHandlers()


@handlers.on(FilesRegistered)
async def files_registered(tx: Transaction, event: FilesRegistered) -> None:
    """Add a user who registers files of a session to its users."""
    if event.session_id is not None and event.user_id is not None:
        await add_session_user(tx, event.session_id, event.user_id)
