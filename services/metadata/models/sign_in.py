"""Failures and successes of sign-ins."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base


class SignInRecordRow(Base):
    """Failures and successes of sign-ins per account, address, or pair of both; see `domain.back_off`."""

    __tablename__ = "sign_in_records"
    __table_args__ = (sa.CheckConstraint("kind IN ('account', 'address', 'pair')", name="kind_known"),)
    key: Mapped[str] = mapped_column(
        primary_key=True
    )  # a hash: people type passwords into the field of the name
    kind: Mapped[str]
    failures: Mapped[int] = mapped_column(server_default="0")
    failed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    blocked_until: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    succeeded_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))  # of a pair only
