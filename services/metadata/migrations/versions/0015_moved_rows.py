"""What each merge of sessions moved, while it can be undone"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7c3e9b52d401"
down_revision = "06b98b926025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_rows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("merge_id", sa.UUID(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.UUID(), nullable=False),
        sa.Column("former_id", sa.UUID(), nullable=False),
        sa.Column("target_id", sa.UUID(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=True),
        sa.Column(
            "moved_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved_rows")),
        schema="metadata",
    )
    for column in ("merge_id", "row_id", "moved_at"):
        op.create_index(f"ix_moved_rows_{column}", "moved_rows", [column], schema="metadata")
    op.create_table(
        "session_merges",
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("session_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("moved", postgresql.JSONB(), nullable=False),
        sa.Column("not_moved", postgresql.JSONB(), nullable=False),
        sa.Column("not_taken", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("undone_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["into_id"], ["metadata.actions.id"], name=op.f("fk_session_merges_into_id_actions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_merges")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_session_merges_audit_id")),
        schema="metadata",
    )
    op.create_index("ix_session_merges_into_id", "session_merges", ["into_id"], schema="metadata")
