"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "f84016ef07dc"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "at", sa.TIMESTAMP(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        schema="compressor",
    )
    op.create_index(
        "ix_audit_object", "audit", ["object_type", "object_id"], unique=False, schema="compressor"
    )
    op.create_table(
        "audit_seals",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("n", name=op.f("uq_audit_seals_n")),
        schema="compressor",
    )
    op.create_table(
        "dead_events",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("parked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_dead_events")),
        schema="compressor",
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("rung_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        schema="compressor",
    )
    op.create_index(
        "ix_events_subject_created_at", "events", ["subject", "created_at"], unique=False, schema="compressor"
    )
    op.create_index(
        "ix_events_waiting",
        "events",
        ["seq"],
        unique=False,
        schema="compressor",
        postgresql_where=sa.text("rung_at IS NULL"),
    )
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency")),
        schema="compressor",
    )
    op.create_index(
        "ix_idempotency_created_at", "idempotency", ["created_at"], unique=False, schema="compressor"
    )
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column(
            "handled_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_inbox")),
        schema="compressor",
    )
    op.create_table(
        "recordings",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), server_default="", nullable=False),
        sa.Column("cbin_sha256", sa.String(), nullable=False),
        sa.Column("ch_sha256", sa.String(), nullable=False),
        sa.Column("meta_sha256", sa.String(), nullable=True),
        sa.Column("n_channels", sa.Integer(), nullable=True),
        sa.Column("n_samples", sa.BigInteger(), nullable=True),
        sa.Column("sample_rate_hz", sa.Double(), nullable=True),
        sa.Column("dtype", sa.String(), nullable=True),
        sa.Column("chunk_order", sa.String(), nullable=True),
        sa.Column("do_time_diff", sa.Boolean(), nullable=True),
        sa.Column("do_spatial_diff", sa.Boolean(), nullable=True),
        sa.Column("chunk_bounds", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("chunk_offsets", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("raw_bytes", sa.BigInteger(), nullable=True),
        sa.Column("compressed_bytes", sa.BigInteger(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("uv_per_bit", postgresql.ARRAY(sa.Float()), nullable=True),
        sa.Column("indexed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'unreadable') = (problem <> '')", name=op.f("ck_recordings_problem_told")
        ),
        sa.CheckConstraint(
            "state <> 'indexed' OR n_samples IS NOT NULL", name=op.f("ck_recordings_indexed_is_whole")
        ),
        sa.CheckConstraint(
            "state IN ('wanted', 'indexed', 'unreadable')", name=op.f("ck_recordings_state_known")
        ),
        sa.CheckConstraint(
            "cardinality(chunk_bounds) = cardinality(chunk_offsets)",
            name=op.f("ck_recordings_bounds_beside_offsets"),
        ),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_recordings")),
        schema="compressor",
    )
    op.create_index("ix_recordings_session", "recordings", ["session_id"], unique=False, schema="compressor")
    op.create_index(
        "ix_recordings_wanted",
        "recordings",
        ["dataset_id"],
        unique=False,
        schema="compressor",
        postgresql_where=sa.text("state = 'wanted'"),
    )
