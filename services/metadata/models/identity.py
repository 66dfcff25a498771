"""People, their tokens, labs and projects."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.metadata.models.base import Base, Identified, SoftDeleted, WithJson, unique_if_not_deleted


class UserRow(Identified, SoftDeleted, Base):
    """A person or a machine that signs in."""

    __tablename__ = "users"
    username: Mapped[str] = mapped_column(unique=True)  # for good: audit rows name it
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
    """A token by its keyed hash; the token itself is shown once and kept nowhere."""

    __tablename__ = "tokens"
    __table_args__ = (sa.CheckConstraint("kind IN ('login', 'personal', 'worker')", name="kind_known"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    token_hash: Mapped[str] = mapped_column(unique=True)  # the gateway's look-up
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))  # null: all that the user may do
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    expires_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    made_by_token_id: Mapped[UUID | None] = mapped_column(  # null: by somebody who had signed in
        sa.ForeignKey("metadata.tokens.id"), index=True
    )


class BrowserSessionRow(Base):
    """A browser that somebody signed in with; its token, kept as a keyed hash, is good for nothing else."""

    __tablename__ = "browser_sessions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)  # the gateway's look-up
    address: Mapped[str]
    browser: Mapped[str]  # as it calls itself
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    used_at: Mapped[datetime] = mapped_column(
        sa.TIMESTAMP(timezone=True)
    )  # about: the gateway says it now and then
    idle_until: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True))  # however much it is used
    ended_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class UserIdentityRow(Base):
    """Who somebody is at an identity provider; whoever comes with it signs in as this user."""

    __tablename__ = "user_identities"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


class SecondFactorRow(Base):
    """A person's authenticator app. It counts once a first code has confirmed it."""

    __tablename__ = "second_factors"
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True)
    secret: Mapped[str]  # encrypted under a key that follows from the system's secret
    created_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    confirmed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    last_step: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")  # no code is good twice


class RecoveryCodeRow(Base):
    """A code for when the phone is lost, as a keyed hash; each is good once."""

    __tablename__ = "recovery_codes"
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class SignInRecordRow(Base):
    """What sign-ins of an account, of an address, or of the two together came to; see `domain.back_off`."""

    __tablename__ = "sign_in_records"
    __table_args__ = (sa.CheckConstraint("kind IN ('account', 'address', 'pair')", name="kind_known"),)
    key: Mapped[str] = mapped_column(primary_key=True)  # a hash: people type passwords where names belong
    kind: Mapped[str]
    failures: Mapped[int] = mapped_column(server_default="0")
    failed_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    blocked_until: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))
    succeeded_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))  # of a pair only


class LabRow(Identified, SoftDeleted, WithJson, Base):
    """A lab. Its time zone is what a time without offset means."""

    __tablename__ = "labs"
    __table_args__ = (unique_if_not_deleted("labs", "name"),)
    name: Mapped[str]
    institution: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    timezone: Mapped[str] = mapped_column(server_default="Europe/London")
    reference_weight_pct: Mapped[float] = mapped_column(server_default="0")
    zscore_weight_pct: Mapped[float] = mapped_column(server_default="0")


class LabRepositoryRow(Base):
    """Where a lab's files go; the repository is registry's, so an id and no foreign key."""

    __tablename__ = "lab_repositories"
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), primary_key=True)
    repository_id: Mapped[UUID] = mapped_column(primary_key=True)


class MembershipRow(Identified, SoftDeleted, Base):
    """A person works in a lab for a time; an open end is a current one."""

    __tablename__ = "memberships"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "lab_id", "start_date"),  # loading a file twice changes nothing
        sa.CheckConstraint("end_date IS NULL OR end_date >= start_date", name="ends_after_start"),
    )
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), index=True)
    lab_id: Mapped[UUID] = mapped_column(sa.ForeignKey(LabRow.id), index=True)
    role: Mapped[str] = mapped_column(server_default="")
    start_date: Mapped[date]
    end_date: Mapped[date | None]


class ProjectRow(Identified, SoftDeleted, WithJson, Base):
    """A project; one without users is open to all, one with users to them when it is private."""

    __tablename__ = "projects"
    __table_args__ = (unique_if_not_deleted("projects", "name"),)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    is_private: Mapped[bool] = mapped_column(server_default=sa.false())


class RightsChangeRow(Base):
    """Something changed who may see what, in the transaction that added the row.

    Triggers of the migration `rights_changes` add them, so that no road to the tables is left out: projects, who is in
    them, which sessions and subjects are in them, and the lab and the deletion of both. What others derive from rows
    that a caller may see carries the newest of these, read in the same request. The last 10,000 are kept.
    """

    __tablename__ = "rights_changes"
    seq: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)


class ProjectUserRow(Base):
    """A person takes part in a project."""

    __tablename__ = "project_users"
    project_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ProjectRow.id), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(UserRow.id), primary_key=True, index=True)
