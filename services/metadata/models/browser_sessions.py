"""Browser sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base
from services.metadata.models.users import UserRow


class BrowserSessionRow(Base):
    """A browser session; its token, stored as a keyed hash, is valid in the session cookie only."""

    __tablename__ = "browser_sessions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)  # the gateway's look-up
    address: Mapped[str]
    browser: Mapped[str]  # its User-Agent
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    used_at: Mapped[datetime] = mapped_column(
        sa.TIMESTAMP(timezone=True)
    )  # approximate: the gateway reports use at intervals
    idle_until: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))  # regardless of use
    ended_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
