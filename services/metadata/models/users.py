"""Users and their delegates."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted


class UserRow(Identified, SoftDeleted, Base):
    """A person or a machine that can sign in."""

    __tablename__ = "users"
    username: Mapped[str] = mapped_column(unique=True)  # never reused: audit rows name it
    email: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str | None]  # argon2id; null: cannot sign in by password
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    is_staff: Mapped[bool] = mapped_column(server_default=sa.false())
    is_superuser: Mapped[bool] = mapped_column(server_default=sa.false())
    is_stock_manager: Mapped[bool] = mapped_column(server_default=sa.false())
    is_public_user: Mapped[bool] = mapped_column(server_default=sa.false())
    token_generation: Mapped[int] = mapped_column(server_default="1")  # raised to revoke the log-in token


class DelegateRow(Base):
    """`delegate` may edit the subjects that `user` is responsible for (Alyx: allowed users)."""

    __tablename__ = "delegates"
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True)
    delegate_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True, index=True)
