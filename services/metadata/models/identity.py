"""Users, how they sign in, labs and projects."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted


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


class UserIdentityRow(Base):
    """A subject of an identity provider that signs in as a user."""

    __tablename__ = "user_identities"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


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


class LabRow(Identified, SoftDeleted, WithJson, Base):
    """A lab. Times without an offset are in its time zone."""

    __tablename__ = "labs"
    __table_args__ = (unique_if_not_deleted("labs", "name"),)
    name: Mapped[str]
    institution: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    timezone: Mapped[str] = mapped_column(server_default="Europe/London")
    reference_weight_pct: Mapped[float] = mapped_column(server_default="0")
    zscore_weight_pct: Mapped[float] = mapped_column(server_default="0")


class LabRepositoryRow(Base):
    """A repository for a lab's files; it belongs to registry, so its id is not a foreign key."""

    __tablename__ = "lab_repositories"
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), primary_key=True)
    repository_id: Mapped[UUID] = mapped_column(primary_key=True)


class MembershipRow(Identified, SoftDeleted, Base):
    """A user works in a lab for a time; without an end the membership is current."""

    __tablename__ = "memberships"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "lab_id", "start_date"),  # loading a file twice is idempotent
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date", name="ends_after_start"),
    )
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), index=True)
    role: Mapped[str] = mapped_column(server_default="")
    start_date: Mapped[date]
    end_date: Mapped[date | None]


class ProjectRow(Identified, SoftDeleted, WithJson, Base):
    """A project; a private one is visible to its users only."""

    __tablename__ = "projects"
    __table_args__ = (unique_if_not_deleted("projects", "name"),)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    is_private: Mapped[bool] = mapped_column(server_default=sa.false())


class RightsChangeRow(Base):
    """A change of what users may see, made in the transaction that added the row.

    Triggers of the migration `rights_changes` add them, so that every write to the tables is covered: projects, their
    users, sessions and subjects, and the lab and deletion of sessions and subjects. What others cache of a caller's
    visible rows carries the newest number, read in the same request. The last 10,000 rows are kept.
    """

    __tablename__ = "rights_changes"
    seq: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class ProjectUserRow(Base):
    """A user of a project."""

    __tablename__ = "project_users"
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ProjectRow.id), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True, index=True)
