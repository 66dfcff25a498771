"""First tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "d3a1f77fa386"
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
        schema="transfer",
    )
    op.create_index("ix_audit_object", "audit", ["object_type", "object_id"], unique=False, schema="transfer")
    op.create_table(
        "audit_seals",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("n", name=op.f("uq_audit_seals_n")),
        schema="transfer",
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
        schema="transfer",
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
        schema="transfer",
    )
    op.create_index(
        "ix_events_subject_created_at", "events", ["subject", "created_at"], unique=False, schema="transfer"
    )
    op.create_index(
        "ix_events_waiting",
        "events",
        ["seq"],
        unique=False,
        schema="transfer",
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
        schema="transfer",
    )
    op.create_index(
        "ix_idempotency_created_at", "idempotency", ["created_at"], unique=False, schema="transfer"
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
        schema="transfer",
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("state", sa.String(), server_default="announced", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("part_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("touched_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("swept_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("removed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_uploads_sha256_is_one")),
        sa.CheckConstraint(
            "state <> 'landed' OR (sha256 IS NOT NULL AND md5 IS NOT NULL AND completed_at IS NOT NULL)",
            name=op.f("ck_uploads_landed_is_read"),
        ),
        sa.CheckConstraint(
            "state IN ('announced', 'arriving', 'landed', 'swept')", name=op.f("ck_uploads_state_known")
        ),
        sa.CheckConstraint("(job_id IS NULL) = (token IS NULL)", name=op.f("ck_uploads_attempt_is_whole")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_uploads_size_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        schema="transfer",
    )
    op.create_index(
        "ix_uploads_idle",
        "uploads",
        ["touched_at"],
        unique=False,
        schema="transfer",
        postgresql_where=sa.text("state IN ('announced', 'arriving')"),
    )
    op.create_index(
        "ix_uploads_leaving",
        "uploads",
        ["swept_at"],
        unique=False,
        schema="transfer",
        postgresql_where=sa.text("state = 'swept' AND removed_at IS NULL"),
    )
    op.create_index("ix_uploads_own", "uploads", ["owner_id", "created_at"], unique=False, schema="transfer")
    op.create_index("ix_uploads_sha256", "uploads", ["sha256"], unique=False, schema="transfer")
    op.create_index(
        "ix_uploads_token",
        "uploads",
        ["token"],
        unique=False,
        schema="transfer",
        postgresql_where=sa.text("token IS NOT NULL AND state <> 'swept'"),
    )
    op.create_table(
        "parts",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["transfer.uploads.id"], name=op.f("fk_parts_upload_id_uploads")
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_parts")),
        schema="transfer",
    )
