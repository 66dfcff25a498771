"""Tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base
from services.metadata.models.users import UserRow


class TokenRow(Base):
    """A token by its keyed hash; the token itself is shown once and not stored."""

    __tablename__ = "tokens"
    __table_args__ = (sa.CheckConstraint("kind IN ('login', 'personal', 'worker')", name="kind_known"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    token_hash: Mapped[str] = mapped_column(unique=True)  # the gateway's look-up
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))  # null: everything that the user may do
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    expires_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    made_by_token_id: Mapped[UUID | None] = mapped_column(  # null: created after a sign-in
        sa.ForeignKey("metadata.tokens.id"), index=True
    )
