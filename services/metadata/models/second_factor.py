"""Authenticator apps and recovery codes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base
from services.metadata.models.users import UserRow


class SecondFactorRow(Base):
    """A user's authenticator app. It has no effect until a first code has confirmed it."""

    __tablename__ = "second_factors"
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True)
    secret: Mapped[str]  # encrypted with a key derived from the system's secret
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    confirmed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    last_step: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")  # no code is accepted twice


class RecoveryCodeRow(Base):
    """A recovery code for a lost phone, as a keyed hash; each is accepted once."""

    __tablename__ = "recovery_codes"
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
