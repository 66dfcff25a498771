"""Answers to jobs whose outputs were to be registered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base


class PublicationRow(Base):
    """The answer to one attempt of a job: a repeated request gets the same answer again."""

    __tablename__ = "publications"
    token: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[UUID]
    dataset_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sa.UUID), server_default="{}")
    refused: Mapped[str | None]
    answered_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
