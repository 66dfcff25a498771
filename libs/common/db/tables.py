"""The tables that every service has besides its own."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


@dataclass(frozen=True)
class Infrastructure:
    """The shared tables in one service's schema."""

    events: sa.Table
    inbox: sa.Table
    dead_events: sa.Table
    audit: sa.Table
    audit_seals: sa.Table
    removed_rows: sa.Table
    moved_rows: sa.Table
    idempotency: sa.Table


def metadata_of(schema: str) -> sa.MetaData:
    """The metadata of a service: its schema, names of constraints, and the shared tables.

    A service's base is `class Base(DeclarativeBase): metadata = db.metadata_of("registry")`.
    """
    metadata = sa.MetaData(schema=schema, naming_convention=NAMES)
    for declare in (
        _declare_events,
        _declare_inbox,
        _declare_audit,
        _declare_removed_rows,
        _declare_moved_rows,
        _declare_idempotency,
    ):
        declare(metadata)
    return metadata


def infrastructure(metadata: sa.MetaData) -> Infrastructure:
    """The shared tables of a service."""
    tables = metadata.tables
    return Infrastructure(
        **{name: tables[f"{metadata.schema}.{name}"] for name in Infrastructure.__dataclass_fields__}
    )


def _uuid(name: str, **more: bool) -> sa.Column[object]:
    return sa.Column(name, UUID(as_uuid=True), **more)  # type: ignore[arg-type]


def _now(name: str) -> sa.Column[object]:
    # clock_timestamp: the sweep orders by it, and rows of one long transaction would all have the time of its beginning
    return sa.Column(
        name, sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    )


def _declare_events(metadata: sa.MetaData) -> None:
    """The outbox: events of this service, and whether they were announced."""
    sa.Table(
        "events",
        metadata,
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _uuid("id", nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        _now("created_at"),
        sa.Column("rung_at", sa.TIMESTAMP(timezone=True)),
        sa.Index("ix_events_waiting", "seq", postgresql_where=sa.text("rung_at IS NULL")),  # the relay
        sa.Index("ix_events_subject_created_at", "subject", "created_at"),  # neighbours' sweeps
    )


def _declare_inbox(metadata: sa.MetaData) -> None:
    """Events of others: the handled ones, and those that failed or wait."""
    sa.Table("inbox", metadata, _uuid("event_id", primary_key=True), _now("handled_at"))
    sa.Table(
        "dead_events",
        metadata,
        _uuid("event_id", primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("parked_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("request_id", sa.Text, nullable=False, server_default="-"),
        sa.Column("key", sa.Text),  # while one waits, later ones of its key wait behind it
        sa.Column("said_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("transient", sa.Integer, nullable=False, server_default="0"),  # in a row; gives the pause
        sa.Column("retry_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Index("ix_dead_events_retry_at", "retry_at", postgresql_where=sa.text("parked_at IS NULL")),
        sa.Index("ix_dead_events_key", "key", "said_at", postgresql_where=sa.text("parked_at IS NULL")),
    )


def _declare_audit(metadata: sa.MetaData) -> None:
    """Changes of rows, and the hash chain that seals them."""
    sa.Table(
        "audit",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _now("at"),
        _uuid("user_id"),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("before", JSONB),
        sa.Column("after", JSONB),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Index("ix_audit_object", "object_type", "object_id"),  # the history of one thing
    )
    sa.Table(
        "audit_seals",
        metadata,
        sa.Column("audit_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, nullable=False, unique=True),  # place in the chain
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )


def _declare_removed_rows(metadata: sa.MetaData) -> None:
    """What each deletion took, while it can be undone: softly deleted rows by id, others with their values."""
    sa.Table(
        "removed_rows",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("audit_id", sa.BigInteger, nullable=False),  # of the deletion
        sa.Column("table_name", sa.Text, nullable=False),
        _uuid("row_id"),  # null: a row without id
        sa.Column("content", JSONB),  # null: the row is still in its table
        _now("removed_at"),
        sa.Index("ix_removed_rows_audit_id", "audit_id"),
        sa.Index("ix_removed_rows_row_id", "row_id"),  # which deletion took a row
        sa.Index("ix_removed_rows_removed_at", "removed_at"),  # kept 30 days
    )


def _declare_moved_rows(metadata: sa.MetaData) -> None:
    """What each merge moved, while it can be undone: the owner that a row had, and the one that it got."""
    sa.Table(
        "moved_rows",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _uuid("merge_id", nullable=False),
        sa.Column("table_name", sa.Text, nullable=False),
        _uuid("row_id", nullable=False),
        _uuid("former_id", nullable=False),  # the merged session
        _uuid("target_id", nullable=False),  # the same as the former one: a row that could not move
        sa.Column("content", JSONB),  # other columns that the merge changed, as they were
        _now("moved_at"),
        sa.Index("ix_moved_rows_merge_id", "merge_id"),
        sa.Index("ix_moved_rows_row_id", "row_id"),  # all moves of a row
        sa.Index("ix_moved_rows_moved_at", "moved_at"),  # kept 30 days if it moved
    )


def _declare_idempotency(metadata: sa.MetaData) -> None:
    """Responses to requests that carried an Idempotency-Key."""
    sa.Table(
        "idempotency",
        metadata,
        sa.Column("principal", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.LargeBinary),
        sa.Column("headers", JSONB),  # those that a repeat gets: where to undo it, notices
        _now("created_at"),
        sa.Index("ix_idempotency_created_at", "created_at"),  # kept 30 days
    )
