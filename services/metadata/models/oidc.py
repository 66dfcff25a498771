"""Users' identities at an OpenID provider."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base
from services.metadata.models.users import UserRow


class UserIdentityRow(Base):
    """A subject of an identity provider that signs in as a user."""

    __tablename__ = "user_identities"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
